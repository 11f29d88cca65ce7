"""What the first-cell prefilter loses against the true exhaustive search, on a small net.

Scores every cell of {1, 3} exactly, on CIFAR-10, and compares the best with what the prefilter
would have kept. The last line is one JSON object.
"""

import json
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from common import environment, load_cifar10
from scipy.stats import kendalltau

from spikernel import cli
from spikernel.config import NetworkConfig, SearchConfig
from spikernel.network.device import DeviceName, choose_device
from spikernel.search.batches import draw_batches
from spikernel.search.score import score_class
from spikernel.search.strategies import Space, filter_order, plan
from spikernel.space.architecture import Architecture
from spikernel.study.shapes import image_shape

KEPT = (8, 16, 32, 64, 128, 256)


def main(
    data: Annotated[Path, "folder that holds CIFAR-10, or receives it"] = Path("data"),
    channels: Annotated[int, "C of the first cell"] = 8,
    time_steps: Annotated[int, "T"] = 3,
    batch_size: Annotated[int, "B"] = 64,
    stem_stride: Annotated[int, "stride of the stem; 2 halves the maps"] = 2,
    score: Annotated[str, "sahd_half_n or sahd_half"] = "sahd_half_n",
    seed: Annotated[int, "seed"] = 0,
    threads: Annotated[int, "CPU threads"] = 1,
    device: Annotated[DeviceName, "auto takes a GPU where there is one"] = "auto",
) -> None:
    """Measure and print."""
    torch.set_num_threads(threads)
    where = choose_device(device)
    split = load_cifar10(data)
    network = NetworkConfig(
        channels=channels, time_steps=time_steps, stem_stride=stem_stride, pool=2, hidden=64
    )
    settings = SearchConfig.model_validate(
        {
            "strategy": "exhaustive", "batch_size": batch_size, "batches": 1,
            "score": score, "seed": seed,
        }
    )  # fmt: skip
    images = image_shape(split.manifest)
    space = Space.of(settings, (1, 3), network, images)
    cells = plan(settings, space).cells
    batches = draw_batches(split, settings, where)

    scorer = score_class(score)(settings, batches, where)
    start = time.perf_counter()
    first = np.array(scorer.first_cell_scores(cells, network, images))
    filter_seconds = time.perf_counter() - start
    start = time.perf_counter()
    exact = np.array([scorer.score(Architecture(cell, network, images)) for cell in cells])
    exact_seconds = time.perf_counter() - start

    order = filter_order(cells, first.tolist(), space)
    finite = np.isfinite(exact) & np.isfinite(first)
    best = int(np.nanargmax(np.where(finite, exact, -np.inf)))
    print(f"{len(cells)} cells; best {cells[best].archid}, score {exact[best]:.3f}")
    print("kept  best score found  rank of it among all cells")
    found = {}
    for keep in KEPT:
        value = float(np.max(exact[order[:keep]]))
        rank = int(np.sum(exact[finite] > value)) + 1
        found[keep] = {"best_score": value, "rank": rank}
        print(f"{keep:4d}  {value:16.3f}  {rank}")
    result = {
        "cells": len(cells),
        "kendall_tau": float(kendalltau(first[finite], exact[finite]).statistic),
        "best_score": float(exact[best]),
        "median_score": float(np.median(exact[finite])),
        "place_of_best_in_filter": order.index(best) + 1,
        "kept": found,
        "filter_seconds": filter_seconds,
        "exact_seconds": exact_seconds,
        "score": score,
        "channels": channels,
        "time_steps": time_steps,
        "batch_size": batch_size,
        **environment(where),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    cli.run(main)
