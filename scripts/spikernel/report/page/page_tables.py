"""The tables of the page on models, kernel sizes, kernel sets and published results."""

from collections.abc import Mapping

import pandas as pd

from spikernel import tables
from spikernel.report.tables import formats, main_tables
from spikernel.report.tables.columns import ModelColumn, shown
from spikernel.report.tables.records import KernelSets
from spikernel.report.tables.table import (
    Column,
    Row,
    Table,
    count,
    set_and_sizes,
    significant,
    sizes,
    table,
)


def _set_and_width(row: Row) -> str:
    wide = "" if row["width"] == 1 else f", width {row['width']:g}"
    return f"{set_and_sizes(row)}{wide}"


_SELECTION = (
    *(*main_tables.budget(), *main_tables.EVIDENCE, *shown("val_accuracy_percent")),
    *(main_tables.memory(), *shown("params", "seed")),
    *(Column("kernel set", "", _set_and_width), *shown("archid")),
)

_IMPACT = (
    *shown("dataset"),
    Column("control", "control"),
    Column("size", "kernel_size", lambda size: f"{size}×{size}", "number"),
    *shown("val_accuracy_percent", "seed"),
    Column("channels", "channels", count, "number"),
    *shown("params", "memory_mb_fp32", "firing_rate", "effective_acs", "effective_macs"),
    *shown("energy_pj", "train_seconds"),
)

_KERNEL_SETS = (
    Column("set", "name"),
    Column("sizes", "sizes", lambda found: sizes(" ".join(map(str, found)))),
    Column("origin", "origin"),
    Column("evidence %", "evidence_percent", "{:.2f}".format, "number"),
    Column("cost", "cost", significant, "number"),
    Column("place by rule", "place", count, "number"),
    *shown("val_accuracy_percent", "test_accuracy_percent", "memory_mb_fp32"),
    Column("reason", "reason", kind="prose"),
)


_BEST = [
    *(f"{name}_accuracy_percent_{part}" for name in ("val", "test") for part in ("mean", "sd")),
    "memory_mb_fp32",
]
"""What is shown of the best model of a kernel set."""


def _params_m(row: Row) -> str:
    if pd.isna(row["params_m"]):
        return "not stated"
    return ("< " if row["params_is_upper_bound"] else "") + significant(row["params_m"])


def _time_steps(row: Row) -> str:
    return "not stated" if pd.isna(row["time_steps"]) else f"{row['time_steps']:.0f}"


_PUBLISHED = (
    *shown("dataset"),
    Column("system", "system"),
    Column("test %", "test_accuracy_percent", "{:.2f}".format, "number"),
    Column("parameters M", "", _params_m, "number"),
    Column("T", "", _time_steps, "number"),
    Column("source", "source", kind="prose"),
)


def selection(selected: pd.DataFrame) -> Table:
    """Return the model for each memory budget, and where none fits."""
    caption = "Best model by validation accuracy within each memory budget"
    return main_tables.selection(selected, caption, _SELECTION)


_HELD = {
    formats.FLASH: "In flash lie the constants of the exported int8 model, to the byte: weights, "
    "scales and biases. Its code comes on top; the export of a model says how much.",
    formats.RAM: "In RAM lies the static memory of the exported int8 C code, to the byte: "
    "activations, membrane potentials and sums. The image and the stack come on top; the export "
    "of a model says how much on emulated devices.",
}


def on_devices(selected: Mapping[str, pd.DataFrame]) -> list[tuple[str, str, Table]]:
    """Return for flash and RAM, as far as they are known, the int8 model for each size.

    Returns:
        What is limited, what it has to hold, and the table.

    """
    return [
        (formats.WORDS[limit], _HELD[limit], main_tables.on_device(rows, limit))
        for limit, rows in selected.items()
    ]


def models(means: pd.DataFrame) -> tuple[Table, Table]:
    """Return accuracies and costs of all models; those on the front stand out."""
    spread = "means ± standard deviation over seeds"
    return (
        main_tables.all_models(means, f"Accuracies of all trained models, {spread}", _of_accuracy),
        main_tables.all_models(means, "Costs of all trained models, means over seeds", _of_costs),
    )


def _of_accuracy(column: ModelColumn) -> bool:
    evidence = "accuracy" in column.name or column.name.endswith("images")
    evidence = evidence or column.name in ("finalist_epochs", "score_rank")
    return evidence or column.kind != "number" or column.over_seeds in ("key", "count")


def _of_costs(column: ModelColumn) -> bool:
    named = column.over_seeds == "key" and column.kind != "code"
    return named or column.name == "pareto" or not _of_accuracy(column)


def impact(found: pd.DataFrame) -> Table:
    """Return the impact of kernel sizes under both controls."""
    caption = "Reference net whose convolutions all have one kernel size"
    return table(caption, _IMPACT, tables.records(found))


def kernel_sets(designs: list[KernelSets], means: pd.DataFrame) -> list[tuple[str, Table]]:
    """Return for each data set the rule in words and the table of its sets.

    Sets, the baseline among them, are in the order of their best models by validation accuracy;
    sets of which nothing was trained come last. The baseline stands out.
    """
    return [(design.rule, _sets(design, means)) for design in designs]


def _sets(design: KernelSets, means: pd.DataFrame) -> Table:
    rows = _with_best(design, means)
    baseline = [place for place, row in enumerate(rows) if row["origin"] == "baseline"]
    caption = f"Kernel sets searched on {design.dataset}, by the best model of each, as trained"
    return table(caption, _KERNEL_SETS, rows, baseline)


def _with_best(design: KernelSets, means: pd.DataFrame) -> list[Row]:
    """Return the sets of a data set with the numbers of their best models."""
    own = means[means["dataset"] == design.dataset]
    ranked = own.sort_values("val_accuracy_percent_mean", ascending=False, kind="stable")
    best = ranked.drop_duplicates("kernel_set").set_index("kernel_set")
    sets = pd.DataFrame([item.model_dump() for item in design.sets])
    joined = sets.join(best[_BEST], on="name")
    return [*tables.records(joined.sort_values(_BEST[0], ascending=False, kind="stable"))]


def published(results: pd.DataFrame) -> Table:
    """Return the published results with their sources."""
    caption = "Published results on the same data sets; none of them was measured here"
    return table(caption, _PUBLISHED, tables.records(results))
