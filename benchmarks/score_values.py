"""The values of every training-free score on trained cells, and the time that they take."""

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import common  # noqa: F401  (puts the library on the path)
import numpy as np
import torch
from fitted_scores import left_out
from gradient_scores import GradientScore, gradient_norm, jacobian_covariance, synaptic_flow
from rank_statistics import Scores
from spike_scores import SpikeScore, code_rank, hamming, label_alignment
from table_sets import comparable
from torch import Tensor
from trained_cells import Table, TrainedCell

from spikernel import registry
from spikernel.config import DatasetConfig, SearchConfig
from spikernel.data.splits import Split, load_split
from spikernel.search.batches import draw_batches
from spikernel.search.paths import forward_paths
from spikernel.search.score import score_class
from spikernel.space.architecture import Architecture
from spikernel.study.prepare_data import prepare

Scorer = Callable[[Architecture], float]
PREDICTED = "predicted_accuracy"
"""The score that was fitted to our own tables."""


def structural(
    rows: Sequence[TrainedCell], table: Table
) -> Iterator[tuple[str, tuple[Scores, float]]]:
    """Yield each score that needs no net, and the seconds it took.

    On our own tables of CIFAR-10, of which `predicted_accuracy` was made, it is fitted anew for
    each cell, to all others. On others it is what the library has, which knows neither their
    images nor their accuracies.
    """
    trivial: dict[str, Callable[[], list[float]]] = {
        "params": lambda: [float(row.params) for row in rows],
        "convolutions": lambda: [float(len(row.cell.kernel_sizes())) for row in rows],
    }
    if len({row.channels for row in rows}) > 1:
        trivial["channels"] = lambda: [float(row.channels or 0) for row in rows]
    for name, function in trivial.items():
        yield name, _timed(function)
    for name in registry.names("score"):
        if score_class(name).needs_images:
            continue
        score = score_class(name)(SearchConfig(), [], torch.device("cpu")).score

        def run(score: Callable[[Architecture], float] = score) -> list[float]:
            return [score(row.architecture(table.structural, table.images)) for row in rows]

        knows_answers = table.is_ours and table.dataset == "cifar10" and name == PREDICTED
        yield name, _timed(partial(_predicted, rows) if knows_answers else run)


def _predicted(rows: Sequence[TrainedCell]) -> list[float]:
    """Return what the fit to all other cells says of each; -inf where no path leads through."""
    found = np.full(len(rows), -math.inf)
    connected = [place for place, row in enumerate(rows) if forward_paths(row.cell)]
    if len(comparable((rows[place] for place in connected), seeds=1)) > 1:
        accuracy = np.array([rows[place].accuracy for place in connected])
        found[connected] = left_out([rows[place].cell for place in connected], accuracy)
    return list(found)


def _timed(function: Callable[[], list[float]]) -> tuple[Scores, float]:
    start = time.perf_counter()
    values = np.array(function())
    return values, time.perf_counter() - start


def measure(
    rows: Sequence[TrainedCell],
    table: Table,
    data: Path,
    batch_size: int,
    seed: int,
    device: torch.device,
) -> Iterator[tuple[str, tuple[Scores, float]]]:
    """Yield each score that runs the net, and the seconds it took."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder) / "manifest.json"
        prepare(table.dataset, DatasetConfig(kind=table.dataset), data, manifest)
        settings = SearchConfig(batch_size=batch_size, batches=1, seed=seed)
        split = load_split(manifest, "train")
        batches = draw_batches(split, settings, device)
        labels = labels_of(split, settings, device)
    nets = [
        replace(net, cell=net.cell.canonical())
        for net in (row.architecture(table.measured, table.images) for row in rows)
    ]
    distinct = {_key(net): net for net in nets}
    for name, make in scorers(settings, batches, labels, device).items():

        def run(make: Callable[[], Scorer] = make) -> list[float]:
            # Each distinct net once, as a search scores it: rows differ in what scores do not see.
            # Weights are shared between nets of one width, so each width has a scorer of its own.
            made = {width: make() for width in {width for _, width in distinct}}
            known = {key: _score_connected(made[key[1]], net) for key, net in distinct.items()}
            return [known[_key(net)] for net in nets]

        values, seconds = _timed(run)
        # Rows that share a score cost nothing more; a search has no such rows.
        yield name, (values, seconds * len(rows) / len(distinct))


def scorers(
    settings: SearchConfig, batches: list[Tensor], labels: Tensor, device: torch.device
) -> dict[str, Callable[[], Scorer]]:
    """Return what makes each score that runs the net, by name."""
    images, seed = batches[0], settings.seed
    found: dict[str, Callable[[], Scorer]] = {
        name: partial(_library_score, name, settings, batches, device)
        for name in registry.names("score")
        if score_class(name).needs_images
    }
    of_spikes = {
        "hamming": hamming,
        "code_rank": code_rank,
        "label_alignment": label_alignment(labels),
    }
    for name, function in of_spikes.items():
        found[name] = partial(SpikeScore, images, function, seed, device)
    for gradient in (gradient_norm, jacobian_covariance, synaptic_flow):
        found[gradient.__name__] = partial(GradientScore, gradient, images, labels, seed, device)
    return found


def _library_score(
    name: str, settings: SearchConfig, batches: list[Tensor], device: torch.device
) -> Scorer:
    return score_class(name)(settings, batches, device).score


def labels_of(split: Split, settings: SearchConfig, device: torch.device) -> Tensor:
    """Return the labels [B] of the images that `draw_batches` draws first."""
    order = np.random.default_rng(settings.seed).permutation(len(split.labels))
    return torch.from_numpy(split.labels[order[: settings.batch_size]]).to(device)


def _key(net: Architecture) -> tuple[str, int]:
    return net.cell.archid, net.network.channels


def _score_connected(score: Callable[[Architecture], float], net: Architecture) -> float:
    if not net.cell.connections():
        return -math.inf  # no path from input to output: there is nothing to run
    value = score(net)
    return -math.inf if math.isnan(value) else value
