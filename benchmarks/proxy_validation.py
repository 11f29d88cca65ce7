"""Measure how well training-free scores rank cells whose trained accuracy is known.

The table is SpikeNAS-Bench's (Sun et al., IEEE TAI 2025): forward cells over zero, skip and
LIF (threshold 0.5, 1.0 or 1.5) + convolution 3x3, trained on CIFAR-10, as a CSV with the columns
arch_id, edge_01 .. edge_23, params and test_acc_percent. Its cells are split once, by a fixed
seed, into a design half, on which scores may be thought up, and a check half.

Our nets have one threshold, so the scores see every convolution with threshold 1.0. Beside all
drawn cells the table shows the accepted ones (edge 03 present), those whose convolutions, after
clean-up, all have that threshold, and the distinct cells, each with the mean over its rows, which
differ in thresholds, in dead edges and in the training's noise.

Figures per score. `tau` is Kendall's tau-b, whose denominator leaves out pairs that the score
ties. `order` is the tau-b to expect once ties are broken at random, which a search must do to
choose. `top` is the mean accuracy of the best twentieth by the score, ties shared evenly.
"""

import csv
import json
import math
import platform
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

# The library is used from the checkout, as the scripts beside it use it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import numpy as np
import scipy  # type: ignore[import-untyped]
import torch
from numpy.typing import NDArray
from scipy.stats import kendalltau  # type: ignore[import-untyped]
from torch import Tensor

from spikernel import cli
from spikernel.config import DatasetConfig, NetworkConfig, SearchConfig
from spikernel.data.prepare import prepare
from spikernel.data.splits import load_split
from spikernel.errors import ConfigError, DataError
from spikernel.network import WeightBank, build_net, choose_device, describe_device
from spikernel.network.device import DeviceName
from spikernel.network.neuron import LIF
from spikernel.search.sahd import SCORES as SAHD_VERSIONS
from spikernel.search.scorer import Scorer, draw_batches
from spikernel.search.structure import STRUCTURAL_SCORES, structural_scores
from spikernel.space import EDGES, SKIP, ZERO, Architecture, Cell, ImageShape, conv

SPLIT_SEED = 2026
"""Of the shuffle whose even places are the design half."""
TABLE_KERNEL = 3
RESAMPLES = 1000
TOP_SHARE = 1 / 20
COLUMNS = tuple(f"edge_{low}{high}" for low, high in EDGES)
NEUTRAL_THRESHOLD = "1.0"

LEFT_OUT = -1
DIGITS = 9

Scores = NDArray[np.float64]
Labels = NDArray[np.int64]
"""For each row the member of a population that it belongs to, or `LEFT_OUT`."""


@dataclass(frozen=True)
class TrainedCell:
    """A row of the table."""

    cell: Cell
    thresholds: tuple[str | None, ...]
    """Of each edge's neurons, in the order of `EDGES`; None where there are none."""
    params: int
    accuracy: float
    """Test accuracy in percent."""

    @property
    def one_threshold(self) -> bool:
        """Whether every convolution on a path from input to output has threshold 1.0."""
        return all(
            threshold == NEUTRAL_THRESHOLD
            for operation, threshold in zip(
                self.cell.cleaned().operations, self.thresholds, strict=True
            )
            if operation not in (ZERO, SKIP)
        )


def main(
    table: Annotated[Path, "the CSV of trained cells"],
    data: Annotated[Path, "folder that holds CIFAR-10 in any form that prepare_data reads"],
    cells: Annotated[int, "how many cells of the half are drawn; 0: all"] = 200,
    seed: Annotated[int, "of the drawn cells, the weights, the images and the bootstrap"] = 0,
    half: Annotated[Literal["check", "design"], "which half of the table"] = "check",
    measured: Annotated[bool, "also run the scores that need a net and images"] = True,
    channels: Annotated[int, "width of the measured nets"] = 16,
    batch_size: Annotated[int, "images of a measured score"] = 64,
    time_steps: Annotated[int, "time steps of the measured nets"] = 5,
    device: Annotated[DeviceName, "auto, cpu or cuda"] = "auto",
    threads: Annotated[int, "CPU threads"] = 1,
) -> None:
    """Print the table of scores and, as the last line, the same as one JSON object."""
    torch.set_num_threads(threads)
    chosen = choose_device(device)
    rows = draw(split_half(read_table(table), half), cells, seed)
    scores = dict(structural(rows))
    if measured:
        network = NetworkConfig(channels=channels, time_steps=time_steps, pool=2)
        scores |= dict(measure(rows, network, data, batch_size, seed, chosen))
    everything = np.arange(len(rows))
    names = [row.cell.canonical().archid for row in rows]
    populations = {
        "all": everything,
        "accepted": np.where([row.cell.accepted for row in rows], everything, LEFT_OUT),
        "one_threshold": np.where([row.one_threshold for row in rows], everything, LEFT_OUT),
        "distinct": np.unique(names, return_inverse=True)[1],
    }
    accuracy = np.array([row.accuracy for row in rows])
    result = {
        name: {
            **summarise(values, accuracy, populations, seed),
            "top": round(top_mean(values, accuracy), 3),
            "seconds_per_100": seconds / len(rows) * 100,
        }
        for name, (values, seconds) in scores.items()
    }
    print_table(result, {name: members(labels) for name, labels in populations.items()})
    record: dict[str, Any] = {
        "default_score": SearchConfig().score,
        "cells": len(rows),
        "population": f"all cells drawn from the {half} half of {table.name}, seed {seed}",
        "device": describe_device(chosen),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
        **result,
    }
    print(json.dumps(record))


def read_table(path: Path) -> list[TrainedCell]:
    """Read the table, sorted by arch_id.

    Raises:
        DataError: the file cannot be read or a row is not of the expected form.

    """
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            lines = sorted(csv.DictReader(handle), key=lambda line: int(line["arch_id"]))
        return [_trained_cell(line) for line in lines]
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is not a table of trained cells: {error!r}") from None


def _trained_cell(line: Mapping[str, str]) -> TrainedCell:
    operations: list[str] = []
    thresholds: list[str | None] = []
    for column in COLUMNS:
        name = line[column]
        if name in (ZERO, SKIP):
            operations.append(name)
            thresholds.append(None)
            continue
        neurons, _, convolution = name.partition("_")
        if not neurons.startswith("lif") or convolution != f"conv{TABLE_KERNEL}":
            raise ValueError(f"unknown operation '{name}'")
        operations.append(conv(TABLE_KERNEL))
        thresholds.append(neurons.removeprefix("lif"))
    return TrainedCell(
        Cell(tuple(operations)),
        tuple(thresholds),
        int(line["params"]),
        float(line["test_acc_percent"]),
    )


def split_half(rows: Sequence[TrainedCell], half: str) -> list[TrainedCell]:
    """Return the even (design) or odd (check) places of the one seeded shuffle."""
    order = np.random.default_rng(SPLIT_SEED).permutation(len(rows))
    return [rows[place] for place in order[0 if half == "design" else 1 :: 2]]


def draw(rows: Sequence[TrainedCell], count: int, seed: int) -> list[TrainedCell]:
    """Draw rows without repetition.

    Raises:
        ConfigError: there are not as many.

    """
    if count < 0 or count > len(rows):
        raise ConfigError(f"--cells must be 0 (all) to {len(rows)}, got {count}")
    return random.Random(seed).sample(rows, count) if count else list(rows)


def structural(rows: Sequence[TrainedCell]) -> Iterator[tuple[str, tuple[Scores, float]]]:
    """Yield each structural score and the seconds it took; at the table's width, C = 128."""
    network = NetworkConfig(pool=2)
    images = ImageShape(channels=3, size=32, classes=10)
    batch = [row.cell for row in rows]
    trivial: dict[str, Callable[[], list[float]]] = {
        "params": lambda: [float(row.params) for row in rows],
        "convolutions": lambda: [float(len(cell.kernel_sizes())) for cell in batch],
    }
    for name, function in trivial.items():
        yield name, _timed(function)
    for name in reversed(STRUCTURAL_SCORES):

        def run(name: str = name) -> list[float]:
            return structural_scores(batch, network, images, name)

        yield name, _timed(run)


def _timed(function: Callable[[], list[float]]) -> tuple[Scores, float]:
    start = time.perf_counter()
    values = np.array(function())
    return values, time.perf_counter() - start


def measure(
    rows: Sequence[TrainedCell],
    network: NetworkConfig,
    data: Path,
    batch_size: int,
    seed: int,
    device: torch.device,
) -> Iterator[tuple[str, tuple[Scores, float]]]:
    """Yield each score that runs the net, and the seconds it took."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder) / "manifest.json"
        prepare("cifar10", DatasetConfig(kind="cifar10"), data, manifest)
        settings = SearchConfig(batch_size=batch_size, batches=1, seed=seed)
        batches = draw_batches(load_split(manifest, "train"), settings, device)
    images = ImageShape(channels=3, size=32, classes=10)
    scorers: dict[str, Callable[[Architecture], float]] = {
        version: Scorer(batches, version, seed, device).score for version in SAHD_VERSIONS
    }
    scorers["hamming"] = SpikeScore(batches[0], hamming, seed, device)
    scorers["code_rank"] = SpikeScore(batches[0], code_rank, seed, device)
    for name, score in scorers.items():

        def run(score: Callable[[Architecture], float] = score) -> list[float]:
            return [_score_connected(score, row.cell, network, images) for row in rows]

        yield name, _timed(run)


def _score_connected(
    score: Callable[[Architecture], float], cell: Cell, network: NetworkConfig, images: ImageShape
) -> float:
    cleaned = cell.cleaned()
    if not cleaned.connections():
        return -math.inf  # no path from input to output: there is nothing to run
    value = score(Architecture(cleaned, network, images))
    return -math.inf if math.isnan(value) else value


class SpikeScore:
    """A score of the spikes [T, B, ...] of all LIF layers, each with its number of calls."""

    def __init__(
        self,
        batch: Tensor,
        function: Callable[[list[tuple[Tensor, int]]], float],
        seed: int,
        device: torch.device,
    ) -> None:
        self._batch = batch
        self._function = function
        self._seed = seed
        self._device = device
        self._bank: WeightBank = {}

    @torch.no_grad()
    def __call__(self, architecture: Architecture) -> float:
        """Score one architecture with shared seeded weights, in train mode as SAHD."""
        net = build_net(architecture, self._seed, self._device, self._bank).train()
        spikes: list[tuple[Tensor, int]] = []

        def keep(module: torch.nn.Module, _: object, output: Tensor) -> None:
            assert isinstance(module, LIF)
            spikes.append((output, module.calls))

        for neuron in net.neurons():
            neuron.register_forward_hook(keep)
        for dropout in net.dropouts():
            dropout.generator = torch.Generator(self._device).manual_seed(self._seed)
        net(self._batch)
        return self._function(spikes)


def hamming(layers: list[tuple[Tensor, int]]) -> float:
    """Return log |det K|, K_ij = N - HD_ij summed (Mellor et al., ICML 2021, on spikes)."""
    kernel: Tensor | float = 0.0
    for spikes, calls in layers:
        codes = spikes.flatten(2)
        silent = 1 - codes
        equal = torch.bmm(codes, codes.transpose(1, 2)) + torch.bmm(silent, silent.transpose(1, 2))
        kernel = kernel + calls * equal.double().sum(0)
    assert isinstance(kernel, Tensor)
    return float(torch.linalg.slogdet(kernel).logabsdet)


def code_rank(layers: list[tuple[Tensor, int]]) -> float:
    """Return the effective rank (Roy and Vetterli, EUSIPCO 2007) of each layer's rates, summed.

    exp of the entropy of the spectrum of the centred Gram matrix of the B rate vectors: in how
    many directions the images differ after that layer.
    """
    total = 0.0
    for spikes, calls in layers:
        rates = spikes.mean(0).flatten(1).double()
        centred = rates - rates.mean(0)
        spectrum = torch.linalg.eigvalsh(centred @ centred.T).clamp_min(0)
        if spectrum.sum() > 0:
            shares = spectrum / spectrum.sum()
            total += calls * float(torch.special.entr(shares).sum().exp())
    return total


def summarise(
    values: Scores, accuracy: Scores, populations: Mapping[str, Labels], seed: int
) -> dict[str, float | None]:
    """Return tau with its interval on all cells, and on the other populations under their names."""
    summary: dict[str, float | None] = {}
    for name, labels in populations.items():
        suffix = "" if name == "all" else f"_{name}"
        x, y = pooled(values, labels), pooled(accuracy, labels)
        low, high = bootstrap(x, y, seed)
        tau = tau_b(x, y)
        figures = {"tau": tau, "low": low, "high": high, "order": tau * untied_root(x)}
        for key, figure in figures.items():
            summary[key + suffix] = None if math.isnan(figure) else round(figure, 4)
    return summary


def members(labels: Labels) -> int:
    """Return how many members a population has."""
    return len(set(labels.tolist()) - {LEFT_OUT})


def pooled(values: Scores, labels: Labels) -> Scores:
    """Return the mean of each member's values, in the order of their labels."""
    kept = labels != LEFT_OUT
    _, member = np.unique(labels[kept], return_inverse=True)
    means = np.bincount(member, weights=values[kept]) / np.bincount(member)
    # The mean of equal scores differs from them in the last digits, which would break ties.
    rounded: Scores = np.round(means, DIGITS)
    return rounded


def tau_b(x: Scores, y: Scores) -> float:
    """Return Kendall's tau-b, NaN where one side is constant."""
    if len(x) < 2:
        return math.nan
    return float(kendalltau(x, y).statistic)


def untied_root(x: Scores) -> float:
    """Return sqrt(share of pairs that x does not tie).

    tau-b times this is the tau-b to expect when ties of x are broken at random: the numerator
    stays the same on average, while the denominator grows to that of an untied x.
    """
    pairs = len(x) * (len(x) - 1) / 2
    tied = sum(count * (count - 1) / 2 for count in Counter(x.tolist()).values())
    return math.sqrt(1 - tied / pairs) if pairs else math.nan


def bootstrap(x: Scores, y: Scores, seed: int) -> tuple[float, float]:
    """Return the 95 % percentile interval of tau-b over resampled cells."""
    if len(x) < 2:
        return math.nan, math.nan
    generator = np.random.default_rng(seed)
    taus = []
    for _ in range(RESAMPLES):
        places = generator.integers(len(x), size=len(x))
        taus.append(tau_b(x[places], y[places]))
    low, high = np.nanpercentile(taus, [2.5, 97.5])
    return float(low), float(high)


def top_mean(x: Scores, y: Scores) -> float:
    """Return the mean of y over the best twentieth by x; equal x share the last places evenly."""
    places = len(x) * TOP_SHARE
    left = places
    mean = 0.0
    for value in sorted(set(x.tolist()), reverse=True):
        group = y[x == value]
        taken = min(left, len(group))
        mean += float(group.mean()) * taken / places
        left -= taken
        if left <= 0:
            break
    return mean


def print_table(result: Mapping[str, Mapping[str, Any]], counts: Mapping[str, int]) -> None:
    """Print one line per score: tau [interval] order, for each population."""
    names = "".join(f"  {f'{name} ({count} cells)':>27}" for name, count in counts.items())
    print(f"{'score':<28}{names}  {'top':>7}  {'s/100 cells':>12}")
    print(f"{'':<28}" + f"  {'tau   [low, high]   order':>27}" * len(counts))
    for score, figures in result.items():
        line = f"{score:<28}"
        for name in counts:
            suffix = "" if name == "all" else f"_{name}"
            tau, low, high, order = (
                math.nan if figures[key + suffix] is None else figures[key + suffix]
                for key in ("tau", "low", "high", "order")
            )
            line += f"  {f'{tau:.3f} [{low:.3f}, {high:.3f}] {order:.3f}':>27}"
        print(f"{line}  {figures['top']:>7.2f}  {figures['seconds_per_100']:>12.4f}")


if __name__ == "__main__":
    cli.run(main)
