"""Measure how well training-free scores rank cells whose trained accuracy is known.

Takes SpikeNAS-Bench's table or our own over kernel sizes, see `trained_cells.py`. SpikeNAS-Bench's
cells are split once, by a fixed seed, into a design half, on which scores may be thought up, and a
check half. Beside all drawn cells the output shows parts of them. SpikeNAS-Bench's: the late ones,
which were trained alike (see `trained_cells.LATE`), the accepted ones (edge 03 present), those
whose convolutions, after clean-up, all have threshold 1.0, and the distinct cells, each with the
mean over its rows, which differ in dead edges and in the training's noise. Ours: its groups, see
`table_cells.py`, and all dense cells; `kernel_size_tau` compares only cells that differ in the one
size of all their convolutions.

Figures per score: see `rank_statistics.py`. Beside the scores stand a random pick and, for our
tables, one seed of the training judged by another, which no score can be expected to pass.
"""

import json
import math
import platform
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import scipy
import torch
from common import environment
from rank_statistics import (
    LEFT_OUT,
    Labels,
    members,
    summarise,
    tau_within,
    top_mean,
)
from score_values import measure, structural
from trained_cells import LATE, TrainedCell, read_table, split_half

from spikernel import cli
from spikernel.config import SearchConfig
from spikernel.errors import ConfigError
from spikernel.network.device import DeviceName, choose_device

GROUPS = ("one_size", "random", "order", "chosen", "depthwise")
"""Of our own tables."""
RANDOM, ONE_SEED = "(random pick)", "(one seed)"


def main(
    table: Annotated[Path, "the CSV of trained cells"],
    data: Annotated[Path, "folder that holds the table's data set, as prepare_data reads it"],
    cells: Annotated[int, "how many cells of the half are drawn; 0: all"] = 200,
    seed: Annotated[int, "of the drawn cells, the weights, the images and the bootstrap"] = 0,
    half: Annotated[Literal["check", "design", "all"], "which half of the table"] = "check",
    control: Annotated[Literal["same_width", "same_parameters"], "of our own tables"] = (
        "same_width"
    ),
    measured: Annotated[bool, "also run the scores that need a net and images"] = True,
    batch_size: Annotated[int, "images of a measured score"] = 64,
    device: Annotated[DeviceName, "auto, cpu or cuda"] = "auto",
    threads: Annotated[int, "CPU threads"] = 1,
) -> None:
    """Print the table of scores and, as the last line, the same as one JSON object."""
    torch.set_num_threads(threads)
    chosen = choose_device(device)
    trained = read_table(table, control)
    rows = draw(split_half(trained.rows, half), cells, seed)
    scores = dict(structural(rows, trained))
    if measured:
        scores |= dict(measure(rows, trained, data, batch_size, seed, chosen))
    scores[RANDOM] = np.zeros(len(rows)), 0.0
    populations = parts_of(rows, trained.is_ours)
    accuracy = np.array([row.accuracy for row in rows])
    skeletons = [row.skeleton for row in rows]
    result: dict[str, dict[str, Any]] = {}
    for name, (values, seconds) in scores.items():
        result[name] = {
            **summarise(values, accuracy, populations, seed),
            "top": round(top_mean(values, accuracy), 3),
            "seconds_per_100": seconds / len(rows) * 100,
        }
        if trained.is_ours:
            result[name]["kernel_size_tau"] = round(tau_within(values, accuracy, skeletons), 4)
    if trained.is_ours and any(len(row.accuracies) > 1 for row in rows):
        result[ONE_SEED] = one_seed(rows, populations, seed)
    print_table(result, {name: members(labels) for name, labels in populations.items()})
    record: dict[str, Any] = {
        "default_score": SearchConfig().score,
        "cells": len(rows),
        "population": f"{half} cells of {table.name}, seed {seed}",
        "control": control,
        **environment(chosen),
        "scipy": scipy.__version__,
        "python": platform.python_version(),
        **result,
    }
    print(json.dumps(record))


def draw(rows: Sequence[TrainedCell], count: int, seed: int) -> list[TrainedCell]:
    """Draw rows without repetition.

    Raises:
        ConfigError: there are not as many.

    """
    if count < 0 or count > len(rows):
        raise ConfigError(f"--cells must be 0 (all) to {len(rows)}, got {count}")
    return random.Random(seed).sample(rows, count) if count else list(rows)


def parts_of(rows: Sequence[TrainedCell], is_ours: bool) -> dict[str, Labels]:
    """Return the populations of a table by name, `all` first."""
    everything = np.arange(len(rows))

    def only(chosen: Callable[[TrainedCell], bool]) -> Labels:
        return np.where([chosen(row) for row in rows], everything, LEFT_OUT)

    if is_ours:
        present = [name for name in GROUPS if any(row.group == name for row in rows)]
        parts = {"all": everything}
        if "depthwise" in present:
            parts["dense"] = only(lambda row: row.group != "depthwise")
        for name in present:
            parts[name] = only(partial(_is_of, name))
        return parts
    names = [row.cell.canonical().archid for row in rows]
    return {
        "all": everything,
        "late": only(lambda row: (row.number or 0) >= LATE),
        "accepted": only(lambda row: row.cell.accepted),
        "one_threshold": only(lambda row: row.one_threshold),
        "distinct": np.unique(names, return_inverse=True)[1],
    }


def _is_of(group: str, row: TrainedCell) -> bool:
    return row.group == group


def one_seed(
    rows: Sequence[TrainedCell], populations: Mapping[str, Labels], seed: int
) -> dict[str, Any]:
    """Return the figures of the first seed's accuracies as a score, judged by the second's.

    Cells that were trained once are left out.
    """
    twice = np.array([len(row.accuracies) > 1 for row in rows])
    first, second = (
        np.array([row.accuracies[min(place, len(row.accuracies) - 1)] for row in rows])
        for place in (0, 1)
    )
    both = {name: np.where(twice, labels, LEFT_OUT) for name, labels in populations.items()}
    skeletons = [row.skeleton if twice[place] else None for place, row in enumerate(rows)]
    return {
        **summarise(first, second, both, seed),
        "top": round(top_mean(first[twice], second[twice]), 3),
        "kernel_size_tau": round(tau_within(first, second, skeletons), 4),
        "mean_sd": round(float(np.mean(np.abs(first - second)[twice]) / math.sqrt(2)), 4),
    }


def print_table(result: Mapping[str, Mapping[str, Any]], counts: Mapping[str, int]) -> None:
    """Print one line per score: tau [interval] order for each population, and its choice."""
    names = "".join(f"  {f'{name} ({count} cells)':>27}" for name, count in counts.items())
    choice = f"{'regret [low, high]':>20}  {'top':>7}  {'top regret':>10}  {'beaten by':>9}"
    print(f"{'score':<28}{names}  {choice}  {'s/100 cells':>12}  {'kernel size':>11}")
    print(f"{'':<28}" + f"  {'tau   [low, high]   order':>27}" * len(counts))
    for score, figures in result.items():
        line = f"{score:<28}"
        for name in counts:
            suffix = "" if name == "all" else f"_{name}"
            tau, low, high, order = (
                _number(figures[key + suffix]) for key in ("tau", "low", "high", "order")
            )
            line += f"  {f'{tau:.3f} [{low:.3f}, {high:.3f}] {order:.3f}':>27}"
        chosen, low, high, top, beaten = (
            _number(figures[key])
            for key in ("regret", "regret_low", "regret_high", "top_regret", "beaten_by")
        )
        line += f"  {f'{chosen:.2f} [{low:.2f}, {high:.2f}]':>20}  {figures['top']:>7.2f}"
        line += f"  {top:>10.2f}  {beaten:>9.1f}  {figures.get('seconds_per_100', math.nan):>12.4f}"
        print(f"{line}  {figures.get('kernel_size_tau', math.nan):>11.3f}")


def _number(figure: float | None) -> float:
    return math.nan if figure is None else figure


if __name__ == "__main__":
    cli.run(main)
