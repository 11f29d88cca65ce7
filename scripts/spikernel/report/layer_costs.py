"""What each layer of one trained model does and holds (`layers.csv`)."""

from pathlib import Path

import pandas as pd

from spikernel import tables
from spikernel.report import formats
from spikernel.report.page_tables import Table, columns

_NUMBERS = ("dense_ops", "macs", "acs", "neurons")
_OPTIONAL = ("firing_rate",)
_MORE = ("energy_pj", "params")


def read(path: Path) -> pd.DataFrame:
    """Read `layers.csv`; operations are per image, over all time steps.

    Raises:
        TableError: a column is missing, or a number is not finite.

    """
    return tables.read_csv(
        path, text=("layer", "kind"), numbers=(*_NUMBERS, *_MORE), optional_numbers=_OPTIONAL
    )


def table(layers: pd.DataFrame, seed: int) -> Table:
    """Return the layers as a table of the page; those that do nothing are left out."""
    busy = layers[(layers["dense_ops"] > 0) | (layers["neurons"] > 0)]
    rows = [
        (
            row["layer"],
            row["kind"],
            "" if pd.isna(row["firing_rate"]) else f"{100 * row['firing_rate']:.1f}",
            *(
                formats.count(row[name]) if row[name] else ""
                for name in ("neurons", "dense_ops", "acs", "macs", "params")
            ),
            formats.significant(row["energy_pj"] / 1000) if row["energy_pj"] else "",
        )
        for row in tables.records(busy)
    ]
    return Table(
        caption=f"Layers, seed {seed}; operations per image",
        columns=columns(
            "layer@", "kind", "fires %#", "neurons#", "dense#", "ACs#", "MACs#", "parameters#",
            "energy nJ#",
        ),
        rows=rows,
    )  # fmt: skip
