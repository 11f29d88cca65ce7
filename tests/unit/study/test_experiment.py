"""An experiment is refused before it starts, with a line for each thing that would stop it."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from experiments import SMALL, config, problems

from spikernel.errors import ConfigError
from spikernel.space.architecture import ImageShape
from spikernel.study import experiment, limits
from spikernel.study.train_cell import read_experiment


def test_an_experiment_that_can_run_passes() -> None:
    experiment.check(config(), "config")
    experiment.check(
        config(nas_search={"budget": {"max_params": 822}}, kernel_set_design={"keep": 5}), "config"
    )


def test_a_search_budget_that_no_cell_meets() -> None:
    found = problems(nas_search={"budget": {"max_params": 821}})
    assert len(found) == 1
    assert found[0].startswith(
        "nas_search/budget: on data set digits: kernel set [1, 3]: no architecture meets the "
        "budget (max_params 821"
    )
    assert "the smallest has 822 parameters" in found[0]


def test_too_few_sets_within_the_budget() -> None:
    # The smallest 3x3 cells have 9 * 16 + 8 and 9 * 64 + 16 parameters: 1,462 with the rest, so
    # that of the pairs only those with size 1 are left, beside the baseline {1, 3}.
    design = {"sizes_per_set": [2], "keep": 3}
    assert problems(nas_search={"budget": {"max_params": 1461}}, kernel_set_design=design) == [
        "kernel_set_design/keep: is 3, but only 2 sets beside the baseline can be made of the "
        "measured sizes so that a cell meets nas_search/budget on data set digits: lower it, "
        "measure more sizes or raise the budget"
    ]


@pytest.mark.parametrize(
    ("search", "count"),
    [
        ({"iterations": 2}, 2),
        ({"iterations": 30, "prefilter": 3}, 3),
        # Of all cells only the two-way names of a single 1x1 convolution: edge 03, or a path of
        # free operations beside it.
        ({"strategy": "exhaustive", "operations": ["zero"], "budget": {"max_params": 822}}, 1),
    ],
)
def test_more_ranks_than_candidates(search: dict[str, Any], count: int) -> None:
    search.setdefault("score", "sahd_half_n")
    fixed = {"fixed": [[1, 3]]}
    assert problems(nas_search=search, kernel_set_design=fixed, train_final={"ranks": 4}) == [
        "train_final/ranks: is 4, but the search of kernel set [1, 3] on data set digits has only "
        f"{count} candidates: lower it, or widen the search"
    ]
    last = {"ranks": count}
    experiment.check(config(nas_search=search, kernel_set_design=fixed, train_final=last), "config")


def test_memory_budgets_that_nothing_can_meet() -> None:
    # 822 parameters of 4 bytes.
    report = {"memory_budgets_mb": [0.001, 0.003]}
    assert problems(tradeoff_report=report, export={"memory_budget_mb": 0.001}) == [
        "tradeoff_report/memory_budgets_mb: no net on data set digits fits 0.003 MB: the smallest "
        "needs 0.003288 MB as fp32; raise it, or lower channels or hidden",
        "export/memory_budget_mb: no net on data set digits fits 0.001 MB: the smallest needs "
        "0.003288 MB as fp32; raise it, or lower channels or hidden",
    ]
    experiment.check(config(tradeoff_report={**report, "precision": "int8"}), "config")


def test_sizes_of_a_device_that_nothing_can_meet() -> None:
    # 822 int8 weights; 8 channels of 8x8 fp32 values before the transition pools them.
    report = {"flash_budgets_kb": [0.5, 0.8], "ram_budgets_kb": [2]}
    assert problems(tradeoff_report={**report, "memory_budgets_mb": [1]}) == [
        "tradeoff_report/flash_budgets_kb: no net on data set digits fits 0.8 kB: the int8 weights "
        "of the smallest take 0.822 kB; raise it, or lower channels or hidden",
        "tradeoff_report/ram_budgets_kb: no net on data set digits fits 2 kB: the largest map of "
        "the narrowest takes 2.048 kB; raise it, or lower channels or hidden",
    ]
    for enough in (
        {"flash_budgets_kb": [0.5, 0.9], "ram_budgets_kb": [2.05]},
        {"flash_budgets_kb": [], "ram_budgets_kb": []},
    ):
        experiment.check(config(tradeoff_report=enough), "config")


def test_default_sizes_of_devices_are_no_demand() -> None:
    # A map of 2 x 600 channels of 32x32 values takes more than the 1,024 kB of the longest list.
    network = {**SMALL, "channels": 600}
    wide = config(datasets={"cifar10": None}, network=network, tradeoff_report={})
    experiment.check(wide, "config")
    assert limits.largest_map_bytes(wide.network, ImageShape(3, 32, 10)) > 1_024_000


@pytest.mark.parametrize(
    "design", [{"fixed": [[1, 3, 5]]}, {"sizes_per_set": [3], "keep": 1}, {"baseline": [1, 3, 5]}]
)
def test_more_cells_than_an_exhaustive_search_lists(design: dict[str, Any]) -> None:
    search = {"strategy": "exhaustive", "thresholds": [0.5, 0.75, 1.0, 1.5]}
    found = problems(nas_search=search, kernel_set_design=design)
    assert found[0].startswith("nas_search/strategy: on data set digits: kernel set [1, 3, 5]: ")
    assert "distinct forward cells, more than 2,000,000: use strategy: evolution" in found[0]
    evolved = {**search, "strategy": "evolution"}
    experiment.check(config(nas_search=evolved, kernel_set_design=design), "config")


def test_a_net_that_the_images_are_too_small_for_is_named_at_its_key() -> None:
    found = problems(
        datasets={"digits": {"network": {"stages": 5}}, "cifar10": None},
        network={**SMALL, "pool": 17},
    )
    assert [line.split(": on data set")[0] for line in found] == [
        "datasets/digits/network/stages",
        "network/pool",
    ]
    assert "network/pool 17 is larger than the 16x16 maps before the head" in found[1]


def test_a_reference_cell_without_a_path_to_its_output() -> None:
    cell = ["conv", "conv", "zero", "conv", "zero", "zero"]
    assert problems(kernel_impact={"reference_cell": cell}) == [
        "kernel_impact/reference_cell: cell k1-k1-zero-k1-zero-zero: no path leads from its input, "
        "node 0, to its output, node 3: give an operation to edge 03, or to 01 and 13, or to 02 "
        "and 23"
    ]


def test_feedback_with_neurons_that_have_no_memory() -> None:
    network = {"macro": "compact", "channels": 4, "stem_channels": 4}
    found = problems(network=network, nas_search={"cells": "feedback"})
    assert "neurons 'integer' never reach" in found[0]
    assert found[0].startswith("nas_search/cells: on data set digits")
    found = problems(network={**SMALL, "time_steps": 1}, nas_search={"cells": "feedback"})
    assert found == [
        "nas_search/cells: on data set digits: feedback reaches the next time step, and there is "
        "one: search forward cells"
    ]


@pytest.mark.parametrize(
    ("widths", "line"),
    [
        (
            [0.1, 1],
            "on data set digits: width 0.1 of network/channels 4 gives 0.4 channels, not 1 to "
            "1,000,000: take another width, or other channels",
        ),
        ([1, 1.1], "on data set digits: widths 1 and 1.1 both give 4 channels: remove one"),
    ],
)
def test_widths_without_a_net_of_their_own(widths: list[float], line: str) -> None:
    assert problems(train_final={"widths": widths}) == [f"train_final/widths: {line}"]


def test_widths_of_a_set_that_is_not_searched() -> None:
    found = problems(kernel_set_design={"keep": 1}, train_final={"widths": {"design-2": [2]}})
    assert found == [
        "train_final/widths/design-2: there is no such kernel set; there are k1-3, design-1"
    ]


def test_widths_beyond_the_search_budget() -> None:
    final, design = {"widths": [1, 2]}, {"keep": 1}
    assert problems(nas_search={"budget": {"max_params": 9999}}, train_final=final) == [
        "train_final/widths: nets of width 2 may be beyond nas_search/budget, whose bounds are for "
        "width 1: set nas_search/budget/width to 2, or remove it"
    ]
    # With 8 and 16 channels: 88 and 1,200 for stem and transition, 634 for the head, 80 and 288
    # for the smallest cells.
    search = {"budget": {"max_params": 2289, "width": 2}}
    found = problems(nas_search=search, train_final=final, kernel_set_design=design)
    assert "at width 2: the smallest has 2,290 parameters" in found[0]
    search = {"budget": {"max_params": 2290, "width": 2}}
    experiment.check(
        config(nas_search=search, train_final=final, kernel_set_design=design), "config"
    )


def test_memory_budgets_are_for_the_narrowest_net() -> None:
    # With 1 and 2 channels: 11, 24, 158, 3 and 8 parameters of 4 bytes.
    final = {"widths": [0.25, 1]}
    found = problems(tradeoff_report={"memory_budgets_mb": [0.0008]}, train_final=final)
    assert "the smallest needs 0.000816 MB" in found[0]
    report = {"memory_budgets_mb": [0.0009]}
    experiment.check(config(tradeoff_report=report, train_final=final), "config")


def test_absurd_channels() -> None:
    found = problems(network={**SMALL, "channels": 200_000})
    # 9 * 2e5 * 4e5 weights of the transition alone, of 12 bytes in training.
    assert found[0].startswith("network/channels: on data set digits: even the smallest net has ")
    assert "lower channels or hidden" in found[0]


def test_everything_is_listed_at_once_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    path.write_text(
        "experiment: x\n"
        "datasets:\n"
        "  digits: {network: {chanels: 3}}\n"
        "  cifar10:\n"
        "nas_search: {iterations: 2, score: longest_convolution_path, prefilter: 1}\n"
        "kernel_set_design:\n"
        "  fixed: [[1, 3]]\n"
        "train_final:\n"
        "  ranks: 3\n"
        "export:\n"
        "  memory_budget_mb: 3\n"
    )
    with pytest.raises(ConfigError) as caught:
        experiment.read(path)
    assert [line.split(": ")[:2] for line in str(caught.value).splitlines()] == [
        [f"{path}, line 3", "datasets/digits/network/chanels"],
        [f"{path}, line 11", "export/memory_budget_mb"],
        [f"{path}, line 5", "nas_search"],
        [f"{path}, line 9", "train_final/ranks"],
        [f"{path}, line 11", "export/memory_budget_mb"],
    ]


def test_scripts_check_the_whole_file_too(tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    given = {"experiment": "x", "datasets": {"digits": None}, "network": {**SMALL, "pool": 9}}
    path.write_text(yaml.safe_dump(given))
    with pytest.raises(ConfigError, match=r"line \d+: network/pool: on data set digits"):
        read_experiment(path, None)


def test_a_stem_that_cannot_follow_the_channels() -> None:
    network = {**SMALL, "stem_channels": 4}
    plain = {"controls": ["plain"]}
    experiment.check(config(network=network, kernel_impact=plain), "config")
    (found,) = problems(network=network)
    assert found.startswith("network/stem_channels: on data set digits: the stem's channels are")
    assert "control iso_parameter of kernel_impact gives" in found
    fill = {"budget": {"max_memory_mb": 0.05, "precision": "int8", "fill": True}}
    (found,) = problems(network=network, kernel_impact=plain, nas_search=fill)
    assert "nas_search/budget/fill gives each cell channels of its own" in found


def test_designed_sets_have_candidates_for_all_ranks() -> None:
    design = {"sizes_per_set": [1], "keep": 1}
    search = {"operations": [], "strategy": "exhaustive"}
    found = problems(kernel_set_design=design, nas_search=search, train_final={"ranks": 5})
    # With one operation on every edge there is one cell.
    assert found == [
        "train_final/ranks: is 5, but the search of kernel set [1] on data set digits has only 1 "
        "candidates: lower it, or widen the search"
    ]
