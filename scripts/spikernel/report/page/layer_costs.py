"""Operations, neurons and parameters of each layer of one trained model (`layers.csv`)."""

from pathlib import Path

import pandas as pd

from spikernel import tables
from spikernel.report.tables.table import Column, Table, count, significant, table


def _count(value: float) -> str:
    return count(value) if value else ""


def _nanojoules(picojoules: float) -> str:
    return significant(picojoules / 1000) if picojoules else ""


_RATE = "firing_rate"
_COLUMNS = (
    Column("layer", "layer", kind="code"),
    Column("kind", "kind"),
    Column("fires %", _RATE, lambda rate: f"{100 * rate:.1f}", "number"),
    Column("neurons", "neurons", _count, "number"),
    Column("dense", "dense_ops", _count, "number"),
    Column("ACs", "acs", _count, "number"),
    Column("MACs", "macs", _count, "number"),
    Column("parameters", "params", _count, "number"),
    Column("energy nJ", "energy_pj", _nanojoules, "number"),
)


def read(path: Path) -> pd.DataFrame:
    """Read `layers.csv`; operations are per image, over all time steps.

    Raises:
        TableError: a column is missing, or a number is not finite.

    """
    return tables.read_csv(
        path,
        text=("layer", "kind"),
        numbers=[item.key for item in _COLUMNS if item.kind == "number" and item.key != _RATE],
        optional_numbers=(_RATE,),
    )


def render(layers: pd.DataFrame, seed: int) -> Table:
    """Return the layers as a table of the page; those that do nothing are left out."""
    busy = layers[(layers["dense_ops"] > 0) | (layers["neurons"] > 0)]
    return table(f"Layers, seed {seed}; operations per image", _COLUMNS, tables.records(busy))
