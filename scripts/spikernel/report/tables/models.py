"""The table of all trained models, one row per model and seed, and its means over seeds."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from spikernel import pareto, tables
from spikernel.errors import TableError
from spikernel.report.tables import columns, formats, intervals
from spikernel.report.tables.columns import ACCURACIES, FILE, MODELS, OPTIONAL, Sources
from spikernel.report.tables.records import Deployment, Key, Metrics, Search, named, sizes_text

_MODEL = columns.over_seeds("key")
_INT8 = ("int8_val_accuracy_percent", "int8_test_accuracy_percent")
DIGITS = 9
"""Kept of a mean accuracy in percent: fewer than floats have, so that equal numbers of hits are
equal, and more than one image of a million needs."""


def build(
    metrics: Sequence[Path],
    searches: Sequence[Path],
    deployments: Sequence[Path],
    chance_percent: Mapping[str, float],
    precision: str,
) -> pd.DataFrame:
    """Return the table of all models.

    The flag `pareto` is for memory at `precision` against the TEST accuracy, averaged over
    seeds, within a data set. The front describes what was measured; it decides nothing.
    The model for a memory budget is chosen by validation accuracy alone (see
    `spikernel.report.tables.selection`), so that the test accuracy of the chosen model is not
    the maximum of several test accuracies.

    Args:
        metrics: metrics.json of every model and seed.
        searches: search.json of every data set and kernel set.
        deployments: deployment.json of every model and seed.
        chance_percent: accuracy of guessing by data set; one that is not there is not known.
        precision: number format of the weights, `fp32`, `fp16` or `int8`.

    Raises:
        TableError: a file lacks a key or holds an impossible value, a model has no search or no
            deployment, something is given twice, or files of one model disagree about it.

    """
    trained = Metrics.by_key(metrics)
    if not trained:
        raise TableError("no metrics.json was given, so there is no model to report")
    found = Search.by_key(searches)
    searched = {key: _search_of(record, found) for key, record in trained.items()}
    _check_seeds(trained.values())
    made = Deployment.by_key(deployments)
    rows = [
        Sources(metrics=record, search=searched[key], deployment=_deployment_of(record, made))
        for key, record in trained.items()
    ]
    values = [column for column in MODELS if column.source != "table"]
    table = pd.DataFrame({column.name: [column.value(row) for row in rows] for column in values})
    measured = [name for name in OPTIONAL if name in table]
    table = _with_intervals(table.assign(**{name: pd.to_numeric(table[name]) for name in measured}))
    table = table.sort_values([*Metrics.KEY], ignore_index=True)
    chance = table["dataset"].map(chance_percent)
    return table.assign(chance_percent=chance, pareto=flag_front(table, precision))[list(FILE)]


def _search_of(record: Metrics, searches: dict[Key, Search]) -> Search:
    search = searches.get((record.dataset, record.kernel_set))
    if search is None:
        raise TableError(
            f"{named(record.key)}: no search.json was given for kernel set {record.kernel_set} "
            f"on {record.dataset}"
        )
    if sorted(search.kernel_sizes) != sorted(record.kernel_sizes):
        raise TableError(
            f"{named(record.key)}: kernel sizes {record.sizes} contradict the search of "
            f"{record.kernel_set} on {record.dataset}, which has {sizes_text(search.kernel_sizes)}"
        )
    return search


def _deployment_of(record: Metrics, deployments: dict[Key, Deployment]) -> Deployment:
    found = deployments.get(record.key)
    if found is None:
        raise TableError(f"no deployment.json was given for {named(record.key)}: run that step")
    if found.archid != record.archid:
        raise TableError(
            f"deployment.json of {named(record.key)} is of {found.archid}, and its metrics.json "
            f"of {record.archid}: run the step deployment again"
        )
    return found


def _check_seeds(trained: Iterable[Metrics]) -> None:
    """Refuse seeds that differ in what belongs to their model."""
    first: dict[Key, Metrics] = {}
    shared = [name for name in columns.over_seeds("key", "shared") if name in Metrics.model_fields]
    for record in trained:
        model = record.key[:-1]
        expected = first.setdefault(model, record)
        for name in shared:
            own, others = getattr(record, name), getattr(expected, name)
            if own != others:
                raise TableError(
                    f"seeds of {named(model)} disagree about {name}: {others} and {own}"
                )


def flag_front(table: pd.DataFrame, precision: str) -> "pd.Series[bool]":
    """Return the flag `pareto` of each row, see `build`; all seeds of a model share it."""
    own = at_precision(table, precision)
    accuracy = own.groupby(_MODEL)["test_accuracy_percent"].transform("mean").round(DIGITS)
    return on_front(own.assign(accuracy=accuracy), "memory_mb", "accuracy")


def on_front(table: pd.DataFrame, cost: str, value: str) -> "pd.Series[bool]":
    """Say for each row of a table whether it is on the Pareto front of its data set.

    Args:
        table: rows with the columns `dataset`, `cost` and `value`.
        cost: name of the column where less is better.
        value: name of the column where more is better.

    """
    parts = [
        pd.Series(pareto.front(group[cost].tolist(), group[value].tolist()), index=group.index)
        for _, group in table.groupby("dataset")
    ]
    return pd.concat(parts).reindex(table.index)


def to_csv(table: pd.DataFrame) -> str:
    """Return the text of models.csv; truth values are `true` and `false`."""
    return tables.to_csv(table, booleans=("pareto",))


def read(path: Path) -> pd.DataFrame:
    """Read models.csv; a column that is optional and absent is empty.

    Raises:
        TableError: the file cannot be read, a column is missing, or a number is not finite.

    """
    always = [column for column in MODELS if not column.optional]
    table = tables.read_csv(
        path,
        text=[column.name for column in always if column.kind in ("text", "code")],
        numbers=[column.name for column in always if column.kind == "number"],
        booleans=[column.name for column in always if column.kind == "flag"],
        optional_numbers=OPTIONAL,
        may_lack=OPTIONAL,
    )
    usual = {column.name: column.usual for column in MODELS if column.usual is not None}
    return table.fillna(usual)[list(FILE)]


def over_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per model: the number of seeds, and mean and sd of what was measured.

    Columns `<name>_mean` and `<name>_sd` replace each measured column; the standard deviation
    is the sample's (n - 1) and NaN for one seed. `<accuracy>_low` and `_high` are the ends of the
    95 % interval of a mean; `<bytes>_max` is the most that any seed takes of a device. Rows are
    sorted by data set, kernel set, rank, width.
    """
    keys = [*_MODEL, *columns.over_seeds("shared")]
    groups = table.groupby(keys, as_index=False, dropna=False)
    measured = columns.over_seeds("mean", "mean_sd")
    spread = {f"{name}_mean": (name, "mean") for name in measured}
    spread |= {f"{name}_sd": (name, "std") for name in measured}
    spread |= {f"{name}_max": (name, "max") for name in formats.BYTES.values()}
    means = groups.agg(seeds=("seed", "count"), **spread)
    means = means.round({f"{name}_mean": DIGITS for name in ACCURACIES})
    means["effective_synops_mean"] = means["effective_acs_mean"] + means["effective_macs_mean"]
    means = _with_intervals(means, "_mean")
    return means.sort_values(_MODEL).reset_index(drop=True)


def _with_intervals(table: pd.DataFrame, suffix: str = "") -> pd.DataFrame:
    """Add the ends of the 95 % interval of each accuracy, whose column ends with the suffix."""
    ends: dict[str, pd.Series[float]] = {}
    for name, images in ACCURACIES.items():
        found = intervals.wilson(table[f"{name}{suffix}"], table[images])
        ends |= dict(zip((f"{name}_low", f"{name}_high"), found, strict=True))
    return table.assign(**ends)


def at_precision(table: pd.DataFrame, precision: str) -> pd.DataFrame:
    """Return models as they are with weights in a number format.

    `memory_mb` is the memory in that format. The accuracies are those of the trained model,
    except in int8 where they are those of the quantised model if all models have them.

    Args:
        table: rows of models.csv, or their means over seeds.
        precision: `fp32`, `fp16`, `int8`, or `flash` or `ram`, which are int8 to the byte.

    """
    int8 = [str(name) for name in table if str(name).startswith(_INT8)]
    replaced = int8 if accuracies_of(table, precision) == "int8" else []
    return table.assign(
        memory_mb=formats.memory_mb(table, precision),
        **{name.removeprefix("int8_"): table[name] for name in replaced},
    )


def accuracies_of(table: pd.DataFrame, precision: str) -> str:
    """Return whose accuracies belong to a number format: those of `int8` models, or of `fp32`.

    Args:
        table: rows of models.csv, or their means over seeds.
        precision: `fp32`, `fp16`, `int8`, `flash` or `ram`.

    """
    return "int8" if precision in ("int8", *formats.WORDS) and quantised(table) else "fp32"


def quantised(table: pd.DataFrame) -> bool:
    """Whether all models have the accuracy of their int8 form measured.

    Args:
        table: rows of models.csv, or their means over seeds.

    """
    values = [name for name in _INT8 if name in table] or [f"{name}_mean" for name in _INT8]
    return set(values) <= set(table) and bool(table[values].notna().all(axis=None))
