"""The tables of the page on models, kernel sizes, kernel sets and published results."""

import pandas as pd

from spikernel import tables
from spikernel.report.tables import main_tables
from spikernel.report.tables.columns import shown
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

_SELECTION = (
    *main_tables.BUDGET,
    *shown("test_accuracy_percent", "val_accuracy_percent"),
    main_tables.MEMORY,
    *shown("params", "seed"),
    Column("kernel set", "", set_and_sizes),
    *shown("archid"),
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
    Column("reason", "reason", kind="prose"),
)


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


def models(means: pd.DataFrame) -> Table:
    """Return all models; those on the front of memory and test accuracy stand out."""
    return main_tables.all_models(
        means, "All trained models, means ± standard deviation over seeds"
    )


def impact(found: pd.DataFrame) -> Table:
    """Return the impact of kernel sizes under both controls."""
    caption = "Reference net whose convolutions all have one kernel size"
    return table(caption, _IMPACT, tables.records(found))


def kernel_sets(designs: list[KernelSets]) -> list[tuple[str, Table]]:
    """Return for each data set the rule in words and the table of its sets."""
    return [
        (
            design.rule,
            table(
                f"Kernel sets searched on {design.dataset}",
                _KERNEL_SETS,
                [item.model_dump() for item in design.sets],
            ),
        )
        for design in designs
    ]


def published(results: pd.DataFrame) -> Table:
    """Return the published results with their sources."""
    caption = "Published results on the same data sets; none of them was measured here"
    return table(caption, _PUBLISHED, tables.records(results))
