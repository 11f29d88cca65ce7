"""Our search against SNASNet's loop, side by side on the same machine, images and net.

Measures (1) seconds per candidate of the reference loop and of our exact score, on the same
cells; (2) our whole search, exhaustive over all cells of {1, 3} with the first-cell prefilter,
against 5,000 reference samples extrapolated from the measured ones; (3) the best cell of each
under the same exact score; (4) the same search by our default score, which runs no net, and what
its best cell has under the exact score; (5) how our cost grows. The last line is one JSON object.
"""

import itertools
import json
import math
import random
import resource
import time
from pathlib import Path
from typing import Annotated

import torch
from common import environment, load_cifar10, wait_for
from snasnet_loop import ReferenceSearch, samples

from spikernel import cli
from spikernel.config import Budget, NetworkConfig, SearchConfig
from spikernel.data.splits import Split
from spikernel.network.device import DeviceName, choose_device
from spikernel.search.batches import draw_batches
from spikernel.search.score import score_class
from spikernel.search.screening import screen
from spikernel.search.strategies import Space, plan, rank_order
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.study.shapes import image_shape

REFERENCE_SAMPLES = 5000
"""Candidates of SNASNet's search."""


class OurSearch:
    """The exhaustive search with the prefilter, timed in its parts."""

    def __init__(
        self, split: Split, sizes: tuple[int, ...], network: NetworkConfig, settings: SearchConfig,
        device: torch.device,
    ) -> None:  # fmt: skip
        self.network, self.settings, self.device = network, settings, device
        self.images: ImageShape = image_shape(split.manifest)
        self.sizes = sizes
        batches = draw_batches(split, settings, device)
        self.score = score_class(settings.score)(settings, batches, device)

    def exact(self, cells: list[Cell]) -> list[float]:
        """Score cells exactly."""
        return [self.score.score(Architecture(cell, self.network, self.images)) for cell in cells]

    def run(self, keep: int) -> dict[str, float]:
        """Search all cells; return seconds of each part, the cells and the best score."""
        wait_for(self.device)
        start = time.perf_counter()
        space = Space.of(self.settings, self.sizes, self.network, self.images)
        settings = self.settings.model_copy(update={"prefilter": keep})
        screened = screen(settings, space, self.score)
        filtered = time.perf_counter()
        exact = self.exact(screened.cells)
        end = time.perf_counter()
        return {
            "cells": screened.distinct,
            "screen_seconds": filtered - start,
            "exact_seconds": end - filtered,
            "seconds": end - start,
            "best_score": max(exact),
        }


def main(
    data: Annotated[Path, "folder that holds CIFAR-10, or receives it"] = Path("data"),
    channels: Annotated[int, "C of the first cell"] = 16,
    time_steps: Annotated[int, "T"] = 5,
    batch_size: Annotated[int, "B"] = 256,
    batches: Annotated[int, "mini-batches per score"] = 2,
    reference_candidates: Annotated[int, "candidates that the reference loop is timed on"] = 8,
    keep: Annotated[int, "cells that our search scores exactly"] = 32,
    workers: Annotated[int, "loader processes of the reference loop"] = 2,
    threads: Annotated[int, "CPU threads of both"] = 2,
    growth: Annotated[bool, "also print how our cost grows"] = True,
    device: Annotated[DeviceName, "auto takes a GPU where there is one"] = "auto",
    seed: Annotated[int, "seed"] = 0,
) -> None:
    """Measure and print."""
    torch.set_num_threads(threads)
    where = choose_device(device)
    split = load_cifar10(data)
    network = NetworkConfig(channels=channels, time_steps=time_steps)
    settings = SearchConfig(
        strategy="exhaustive",
        score="sahd_half_n",
        batch_size=batch_size,
        batches=batches,
        seed=seed,
        budget=Budget(),
    )
    ours = OurSearch(split, (1, 3), network, settings, where)
    cells = list(itertools.islice(samples(random.Random(seed)), reference_candidates + 1))
    reference = ReferenceSearch(split, network, ours.images, batch_size, workers, where)

    reference.score(cells[0], batches)  # warm up: kernels, worker start, page cache
    start = time.perf_counter()
    for cell in cells[1:]:
        reference.score(cell, batches)
    wait_for(where)
    per_reference = (time.perf_counter() - start) / reference_candidates
    print(f"reference loop: {per_reference:.3f} s per candidate", flush=True)

    scored = [cell for cell in cells[1:] if cell.kernel_sizes()]
    ours.exact(scored[:1])
    start = time.perf_counter()
    sampled = ours.exact(scored)
    per_exact = (time.perf_counter() - start) / len(scored)
    print(f"ours, exact score: {per_exact:.3f} s per candidate", flush=True)

    found = ours.run(keep)
    print(
        f"ours, whole search: {found['seconds']:.1f} s for {found['cells']:.0f} cells "
        f"(prefilter {found['screen_seconds']:.1f}, {keep} exact {found['exact_seconds']:.1f})",
        flush=True,
    )
    seconds, chosen = _structural_search(ours)
    (chosen_score,) = ours.exact([chosen])
    print(
        f"ours, by the default score: {seconds:.2f} s for the same cells; "
        f"its best, {chosen.archid}, has the exact score {chosen_score:.1f}",
        flush=True,
    )
    grown = _growth(split, network, settings, where, keep) if growth else {}
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    if where.type == "cuda":
        peak_mb = torch.cuda.max_memory_allocated(where) / 1e6
    finite = [score for score in sampled if math.isfinite(score)]
    result = {
        "per_candidate_ratio": per_reference / (found["seconds"] / found["cells"]),
        "exact_candidate_ratio": per_reference / per_exact,
        "whole_search_ratio": REFERENCE_SAMPLES * per_reference / found["seconds"],
        "reference_seconds_per_candidate": per_reference,
        "reference_search_seconds_extrapolated": REFERENCE_SAMPLES * per_reference,
        "our_seconds_per_exact_candidate": per_exact,
        "our_search_seconds": found["seconds"],
        "our_best_score": found["best_score"],
        "best_score_of_measured_reference_samples": max(finite),
        "default_score_search_seconds": seconds,
        "default_score_search_ratio": REFERENCE_SAMPLES * per_reference / seconds,
        "default_score_best_cell_exact_score": chosen_score,
        "cells": found["cells"],
        "growth_seconds": grown,
        "channels": channels,
        "time_steps": time_steps,
        "batch_size": batch_size,
        "batches": batches,
        "threads": threads,
        "peak_memory_mb": peak_mb,
        **environment(where),
    }
    print(json.dumps(result))


def _structural_search(ours: OurSearch) -> tuple[float, Cell]:
    """Return the seconds of an exhaustive search by the default score, and its best cell."""
    settings = SearchConfig(strategy="exhaustive")
    start = time.perf_counter()
    space = Space.of(settings, ours.sizes, ours.network, ours.images)
    cells = plan(settings, space).cells
    score = score_class(settings.score)(settings, [], ours.device)
    scores = [score.score(Architecture(cell, ours.network, ours.images)) for cell in cells]
    places = range(len(cells))
    best = min(places, key=lambda place: rank_order(scores[place], cells[place], space))
    return time.perf_counter() - start, cells[best]


def _growth(
    split: Split, network: NetworkConfig, settings: SearchConfig, device: torch.device, keep: int
) -> dict[str, float]:
    """Print and return the seconds of the whole search with one thing changed."""
    half_width = network.model_copy(update={"channels": max(1, network.channels // 2)})
    half_batch = settings.model_copy(update={"batch_size": settings.batch_size // 2})
    seconds = {}
    for text, sizes, net, search in (
        ("kernel set {1, 3, 5}", (1, 3, 5), network, settings),
        (f"C = {half_width.channels}", (1, 3), half_width, settings),
        (f"B = {half_batch.batch_size}", (1, 3), network, half_batch),
    ):
        found = OurSearch(split, sizes, net, search, device).run(keep)
        seconds[text] = found["seconds"]
        print(
            f"  {text}: {found['seconds']:.1f} s for {found['cells']:.0f} cells "
            f"(prefilter {found['screen_seconds']:.1f} s)",
            flush=True,
        )
    return seconds


if __name__ == "__main__":
    cli.run(main)
