"""What the page shows of each final model: its cell, its numbers, its layers and its files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from spikernel import tables
from spikernel.config import model_name
from spikernel.errors import ConfigError
from spikernel.report.charts import layers_figure
from spikernel.report.page import card_files, cell_drawing, layer_costs
from spikernel.report.tables import comparisons, models
from spikernel.report.tables.columns import ACCURACIES
from spikernel.report.tables.runs import Run
from spikernel.report.tables.table import (
    Row,
    Table,
    accuracy,
    count,
    interval,
    kilobytes,
    millions,
    significant,
    sizes,
)
from spikernel.space.cell import Cell
from spikernel.space.counts import BYTES


@dataclass(frozen=True, kw_only=True)
class Card:
    """One final model."""

    place: int
    """Row of the model in the table of means."""
    name: str
    kernel_sizes: str
    look: str
    """Kernel set, whose colour and marker the card carries."""
    archid: str
    drawing: Markup | None
    """None where the archid is not that of a single cell of four nodes."""
    on_front: bool
    at_chance: bool
    """Guessing may be as accurate: it lies within the interval of the test accuracy."""
    facts: tuple[tuple[str, str], ...]
    """Terms and values."""
    layers: tuple[tuple[str, str, float], ...]
    """Layers of neurons: title, firing rate as text, and as a share of the highest."""
    layer_costs: Table | None
    """Operations and parameters of every layer, of the first seed; None where not stored."""
    files: tuple[card_files.Files, ...]
    export_command: str | None
    """Command that exports its best seed; None where the export is there."""


def build(
    means: pd.DataFrame,
    rates: pd.DataFrame,
    compared: pd.DataFrame,
    precision: str,
    sources: card_files.Sources,
) -> list[Card]:
    """Return the card of every model, in the order of the table of means.

    Args:
        means: one row per model, from `spikernel.report.tables.models.over_seeds`.
        rates: from `spikernel.report.charts.layers_figure.table`, may be empty.
        compared: from `spikernel.report.tables.comparisons`, may be empty.
        precision: number format that the models are compared in, where int8 ones are.
        sources: the files.

    """
    runs = [Run.of_file(path) for path in sorted(sources.metrics)]
    exported = card_files.current_exports(runs, sources.exports)
    alike = comparisons.alike(compared, models.accuracies_of(means, precision))
    highest = float(rates["firing_rate_mean"].max()) if len(rates) else 1.0
    cards = []
    for place, row in enumerate(tables.records(means)):
        key = {name: row[name] for name in ("dataset", "kernel_set", "rank", "width")}
        own = [run for run in runs if all(getattr(run, name) == key[name] for name in key)]
        fired = rates[(rates[list(key)] == pd.Series(key)).all(axis=1)]
        cards.append(
            Card(
                place=place,
                name=f"{row['kernel_set']} {model_name(row['rank'], row['width'])}",
                kernel_sizes=sizes(row["kernel_sizes"]),
                look=row["kernel_set"],
                archid=row["archid"],
                drawing=_drawing(row["archid"]),
                on_front=row["pareto"],
                at_chance=bool(row["test_accuracy_percent_low"] <= row["chance_percent"]),
                facts=(
                    *_facts(row),
                    *_alike(alike.get((row["dataset"], comparisons.model_of(row)))),
                    *_device_facts(row, own),
                ),
                layers=tuple(
                    (layers_figure.title(layer), f"{100 * rate:.1f} %", rate / (highest or 1.0))
                    for layer, rate in zip(fired["layer"], fired["firing_rate_mean"], strict=True)
                ),
                layer_costs=_layer_costs(own, sources.layers),
                files=tuple(card_files.files(own, exported, sources)),
                export_command=card_files.export_command(own, [export for _, export in exported]),
            )
        )
    return cards


def _drawing(archid: str) -> Markup | None:
    try:
        return cell_drawing.draw(Cell.from_archid(archid))
    except ConfigError:
        return None


def _facts(row: Row) -> list[tuple[str, str]]:
    accuracies = {
        "Test accuracy": "test_accuracy_percent",
        "Validation accuracy": "val_accuracy_percent",
        "Test accuracy, int8": "int8_test_accuracy_percent",
        "Validation accuracy, int8": "int8_val_accuracy_percent",
    }
    return [
        *(
            fact
            for title, name in accuracies.items()
            if pd.notna(row[f"{name}_mean"])
            for fact in _accuracy(title, name, row)
        ),
        ("Parameters", count(row["params"])),
        *((f"Memory, {name}", f"{significant(row[f'memory_mb_{name}'])} MB") for name in BYTES),
        ("Energy per image", f"{millions(row['energy_pj_mean'])} µJ"),
        ("Synaptic operations", f"{millions(row['effective_synops_mean'])} M"),
        ("Firing rate", f"{100 * row['firing_rate_mean']:.1f} %"),
        ("Seeds", str(row["seeds"])),
    ]


def _accuracy(title: str, name: str, row: Row) -> Iterator[tuple[str, str]]:
    yield title, f"{accuracy(row[f'{name}_mean'], row[f'{name}_sd'])} %"
    low, high, images = row[f"{name}_low"], row[f"{name}_high"], row[ACCURACIES[name]]
    if pd.notna(low):
        yield f"… 95 % of {count(images)} images", f"{interval(low, high)} %"


def _alike(rivals: Sequence[comparisons.Model] | None) -> list[tuple[str, str]]:
    """Return which models the test images do not tell apart from this one, if it was compared."""
    if rivals is None:
        return []
    names = ", ".join(f"{name} {model_name(rank, width)}" for name, rank, width in rivals)
    return [("Test images do not tell it apart from", names or "none of the other models")]


def _device_facts(row: Row, runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Return memory and energy on a device, where they were measured."""
    if not runs:
        return []
    found = card_files.metrics(runs[0])
    held = {
        "Membrane potentials, fp32": found.state_bytes,
        "Flash, constants of the int8 model": row["int8_bytes_mean"],
        "Peak activations, int8 model": row["activation_bytes_mean"],
        "RAM, static memory of the int8 model": row["ram_bytes_mean"],
    }
    facts = [(name, kilobytes(size)) for name, size in held.items() if pd.notna(size)]
    if found.energy_pj_int8 is not None:
        energy = f"{millions(found.energy_pj_int8)} µJ"
        facts.append((f"Energy per image, int8, seed {found.seed}", energy))
    return facts


def _layer_costs(runs: Sequence[Run], layers: Sequence[Path]) -> Table | None:
    for run in runs:
        path = run.folder / "layers.csv"
        if path in layers:
            return layer_costs.render(layer_costs.read(path), run.seed)
    return None
