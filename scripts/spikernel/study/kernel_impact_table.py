"""Step 1, second half: one table from the metrics of all reference nets. No torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd

from spikernel import artifacts, provenance
from spikernel.errors import DataError
from spikernel.study.reference_net import ANCHOR
from spikernel.tables import to_csv

_KEYS = ["dataset", "kernel_size", "control"]
_SAME_FOR_ALL_SEEDS = ["channels", "params", "memory_mb_fp32"]
_AVERAGED = ["firing_rate", "effective_acs", "effective_macs", "energy_pj", "train_seconds"]


@dataclass(frozen=True)
class Inputs:
    """Files read."""

    metrics: Annotated[list[Path], "metrics.json of every kernel size, control and seed"]


@dataclass(frozen=True)
class Outputs:
    """The file written."""

    impact: Annotated[Path, "impact.csv to write"]


def run(inputs: Inputs, outputs: Outputs) -> None:
    """Average the metrics over seeds and write `impact.csv`, one row per size and control.

    Standard deviations are those of a sample (n - 1); with one seed the cell is empty.

    Raises:
        SpikernelError: a metrics file lacks a value.

    """
    watch = provenance.Stopwatch()
    provenance.check(provenance.paths_of(inputs))
    runs = _share_anchor(pd.DataFrame([_read(path) for path in inputs.metrics]))
    rows = []
    for _, group in runs.groupby(_KEYS, sort=True):
        accuracy = group["val_accuracy_percent"]
        rows.append(
            {
                **{name: group[name].iloc[0] for name in (*_KEYS, *_SAME_FOR_ALL_SEEDS)},
                "seeds": len(group),
                "val_accuracy_percent_mean": accuracy.mean(),
                "val_accuracy_percent_sd": accuracy.std(),
                **{f"{name}_mean": group[name].mean() for name in _AVERAGED},
            }
        )
    artifacts.write_text(outputs.impact, to_csv(pd.DataFrame(rows)))
    provenance.write(
        outputs.impact.with_name(provenance.RECORD),
        step="kernel_impact_table",
        settings={},
        inputs=inputs.metrics,
        outputs=[outputs.impact],
        seconds=watch.seconds(),
    )


def _share_anchor(runs: pd.DataFrame) -> pd.DataFrame:
    """Give every control the 3x3 net, which is the same under all and trained under one."""
    anchors = runs[runs["kernel_size"] == ANCHOR]
    trained = set(anchors["control"])
    shared = [
        anchors[anchors["control"] == min(trained)].assign(control=control)
        for control in sorted(set(runs["control"]) - trained)
        if trained
    ]
    return pd.concat([runs, *shared], ignore_index=True)


def _read(path: Path) -> dict[str, object]:
    wanted = [*_KEYS, "seed", "val_accuracy_percent", *_SAME_FOR_ALL_SEEDS, *_AVERAGED]
    record = artifacts.read_object(path, *wanted)
    for name in set(wanted) - {"dataset", "control"}:
        if not isinstance(record[name], int | float):
            raise DataError(
                f"{path}: {name} is {record[name]!r}, no number: run kernel_impact again"
            )
    return {name: record[name] for name in wanted}
