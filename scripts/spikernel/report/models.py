"""The table of all trained models, one row per model and seed, and its means over seeds."""

from pathlib import Path

import pandas as pd

from spikernel import tables
from spikernel.errors import TableError
from spikernel.report import pareto
from spikernel.report.records import Metrics, Search, searches_by_set, sizes_text

COLUMNS = (
    "dataset",
    "kernel_set",
    "rank",
    "archid",
    "seed",
    "params",
    "memory_mb_fp32",
    "memory_mb_int8",
    "val_accuracy_percent",
    "test_accuracy_percent",
    "firing_rate",
    "search_seconds",
    "train_seconds",
    "pareto",
    "kernel_sizes",
    "memory_mb_fp16",
    "effective_acs",
    "effective_macs",
    "energy_pj",
    "time_steps",
    "epochs",
    "device",
    "dense_synops",
    "int8_val_accuracy_percent",
    "int8_test_accuracy_percent",
)
"""Columns of models.csv in their order; those of int8 are empty where it was not measured."""

TIMES = ("search_seconds", "train_seconds")
"""Columns of seconds."""
INT8 = ("int8_val_accuracy_percent", "int8_test_accuracy_percent")

MODEL = ["dataset", "kernel_set", "rank", "archid"]
"""What tells models apart; rows that agree in these differ by their seed only."""

_SHARED = (
    "kernel_sizes",
    "params",
    "memory_mb_fp32",
    "memory_mb_fp16",
    "memory_mb_int8",
    "time_steps",
)
_MEASURED = (
    "val_accuracy_percent",
    "test_accuracy_percent",
    "firing_rate",
    "effective_acs",
    "effective_macs",
    "energy_pj",
    "dense_synops",
    "train_seconds",
    *INT8,
)


def build(metrics: list[Path], searches: list[Path], precision: str) -> pd.DataFrame:
    """Return the table of all models.

    The flag `pareto` is for memory at `precision` against the TEST accuracy, averaged over
    seeds, within a data set. The front describes what was measured; it decides nothing.
    Whatever is decided, as the model for a memory budget is, goes by validation accuracy
    alone (see `spikernel.report.selection`), so that the test accuracy of the chosen model
    is not the maximum of several test accuracies.

    Raises:
        TableError: a file lacks a key or holds an impossible value, a model has no search,
            a seed is given twice, or seeds of one model disagree about its size.

    """
    found = searches_by_set(searches)
    rows = [_row(path, found) for path in sorted(metrics)]
    if not rows:
        raise TableError("no metrics.json was given, so there is no model to report")
    table = pd.DataFrame(rows).sort_values(["dataset", "kernel_set", "rank", "seed"])
    _check(table)
    table["pareto"] = _on_front(table, precision)
    return table[list(COLUMNS)].reset_index(drop=True)


def _row(path: Path, searches: dict[tuple[str, str], Search]) -> dict[str, object]:
    record = Metrics.read(path)
    search = searches.get((record.dataset, record.kernel_set))
    if search is None:
        raise TableError(
            f"{path}: no search.json was given for kernel set {record.kernel_set} "
            f"on {record.dataset}"
        )
    if sorted(search.kernel_sizes) != sorted(record.kernel_sizes):
        raise TableError(
            f"{path}: kernel sizes {sizes_text(record.kernel_sizes)} contradict the search of "
            f"{record.kernel_set} on {record.dataset}, which has {sizes_text(search.kernel_sizes)}"
        )
    sizes = sizes_text(record.kernel_sizes)
    return {**record.model_dump(), "kernel_sizes": sizes, "search_seconds": search.seconds}


def _check(table: pd.DataFrame) -> None:
    place = ["dataset", "kernel_set", "rank"]
    repeated = table[table.duplicated([*place, "seed"])]
    if len(repeated):
        raise TableError(f"metrics of {_name(repeated.iloc[0])} are given twice")
    for column in ("archid", *_SHARED):
        differing = table[table.groupby(place)[column].transform("nunique") > 1]
        if len(differing):
            values = " and ".join(str(value) for value in differing[column].unique()[:2])
            where = _name(differing.iloc[0], with_seed=False)
            raise TableError(f"seeds of {where} disagree about {column}: {values}")


def _name(row: pd.Series, with_seed: bool = True) -> str:
    seed = f" seed {row['seed']}" if with_seed else ""
    return f"{row['dataset']} {row['kernel_set']} rank {row['rank']}{seed}"


def _on_front(table: pd.DataFrame, precision: str) -> "pd.Series[bool]":
    """Return the flag of each row; all seeds of a model share it."""
    table = at_precision(table, precision)
    means = table.groupby([*MODEL, "memory_mb"])["test_accuracy_percent"].mean().reset_index()
    means["pareto"] = pareto.flags(means, "memory_mb", "test_accuracy_percent")
    merged = table[MODEL].merge(means[[*MODEL, "pareto"]], on=MODEL, how="left")
    return pd.Series(merged["pareto"].to_numpy(), index=table.index)


def to_csv(table: pd.DataFrame) -> str:
    """Return the text of models.csv; truth values are `true` and `false`."""
    return tables.to_csv(table, booleans=("pareto",))


def read(path: Path, *, timed: bool = True) -> pd.DataFrame:
    """Read models.csv.

    Args:
        path: the file.
        timed: whether it holds the columns of seconds; without, they are made, as 0.

    Raises:
        TableError: the file cannot be read, a column is missing, or a number is not finite.

    """
    text = ("dataset", "kernel_set", "archid", "kernel_sizes", "device")
    absent = () if timed else TIMES
    others = (*text, *INT8, *absent, "pareto")
    numbers = tuple(name for name in COLUMNS if name not in others)
    table = tables.read_csv(
        path, text=text, numbers=numbers, optional_numbers=INT8, booleans=("pareto",)
    )
    return table.assign(**dict.fromkeys(absent, 0.0))[list(COLUMNS)]


def over_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per model: the number of seeds, and mean and sd of what was measured.

    Columns `<name>_mean` and `<name>_sd` replace each measured column; the standard deviation
    is the sample's (n - 1) and NaN for one seed. Rows are sorted by data set, kernel set, rank.
    """
    groups = table.groupby([*MODEL, *_SHARED, "pareto", "search_seconds"], as_index=False)
    spread = {f"{name}_mean": (name, "mean") for name in _MEASURED}
    spread |= {f"{name}_sd": (name, "std") for name in _MEASURED}
    means = groups.agg(seeds=("seed", "count"), **spread)
    means["effective_synops_mean"] = means["effective_acs_mean"] + means["effective_macs_mean"]
    return means.sort_values(MODEL).reset_index(drop=True)


def at_precision(table: pd.DataFrame, precision: str) -> pd.DataFrame:
    """Return models as they are with weights in a number format.

    `memory_mb` is the memory in that format. The accuracies are those of the trained model,
    except in int8 where they are those of the quantised model if all models have them.

    Args:
        table: rows of models.csv, or their means over seeds.
        precision: `fp32`, `fp16` or `int8`.

    """
    int8 = [str(name) for name in table if str(name).startswith("int8_")]
    replaced = int8 if precision == "int8" and quantised(table) else []
    return table.assign(
        memory_mb=table[f"memory_mb_{precision}"],
        **{name.removeprefix("int8_"): table[name] for name in replaced},
    )


def quantised(table: pd.DataFrame) -> bool:
    """Whether all models have the accuracy of their int8 form measured.

    Args:
        table: rows of models.csv, or their means over seeds.

    """
    values = [name for name in table if str(name).startswith("int8_") and "_sd" not in str(name)]
    return bool(values) and bool(table[values].notna().all(axis=None))
