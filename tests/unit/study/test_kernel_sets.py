import itertools
import json
from pathlib import Path

import pandas as pd
import pytest

from spikernel.config import Budget, DesignConfig, NetworkConfig, SearchConfig
from spikernel.errors import BudgetError, ConfigError, TableError
from spikernel.space.architecture import ImageShape
from spikernel.study import kernel_set_design
from spikernel.study.bounds import Bounds
from spikernel.study.kernel_set_design import KernelSet, design, evidence_by_size, rank

# Plain and iso-parameter accuracy of each size; means 50, 60, 64, 62.
IMPACT = pd.DataFrame(
    {
        "dataset": "digits",
        "kernel_size": [1, 3, 5, 7] * 2,
        "control": ["plain"] * 4 + ["iso_parameter"] * 4,
        "val_accuracy_percent_mean": [48.0, 60, 66, 65, 52, 60, 62, 59],
    }
)

IMAGES = ImageShape(3, 32, 10)
BOUNDS = Bounds(SearchConfig(), NetworkConfig(), IMAGES)


def test_evidence_is_the_mean_over_controls() -> None:
    assert evidence_by_size(IMPACT) == {1: 50, 3: 60, 5: 64, 7: 62}


def test_pairs_by_hand() -> None:
    # Pairs beside the baseline {1, 3}, as (evidence, cost = mean k^2):
    # 15: (57, 13)  17: (56, 25)  35: (62, 17)  37: (61, 29)  57: (63, 37)
    # 13: (55, 5). Front 1: 13 (cheapest), 15, 35, 57. Left: 17 and 37; 37 has more evidence, 17
    # less cost.
    sets = design(IMPACT, DesignConfig(sizes_per_set=(2,), keep=5), BOUNDS)
    assert [(item["name"], item["sizes"]) for item in sets] == [
        ("k1-3", [1, 3]),
        ("design-1", [5, 7]),
        ("design-2", [3, 5]),
        ("design-3", [1, 5]),
        ("design-4", [3, 7]),
        ("design-5", [1, 7]),
    ]
    assert sets[0]["evidence_percent"] == 55
    assert sets[1]["evidence_percent"] == 63
    assert sets[1]["cost"] == 37
    assert [item["place"] for item in sets] == [4, 1, 2, 3, 5, 6]
    assert "front 1, place 1 of 6: " in str(sets[1]["reason"])
    assert "always searched; front 1, place 4 of 6: k1 50.00 %" in str(sets[0]["reason"])
    assert "k5 64.00 %, k7 62.00 %" in str(sets[1]["reason"])


def test_a_set_that_the_baseline_beats_is_behind_it() -> None:
    # 13: (55, 5)  15: (54, 13)  17: (57, 25)  35: (59, 17)  37: (62, 29)  57: (61, 37)
    # Front 1: 37, 35 and 13, which has more evidence and less cost than 15. Front 2: 57, 17, 15.
    impact = IMPACT.assign(val_accuracy_percent_mean=[50.0, 60, 58, 64] * 2)
    sets = design(impact, DesignConfig(sizes_per_set=(2,), keep=4), BOUNDS)
    assert [(item["name"], item["sizes"], item["place"]) for item in sets] == [
        ("k1-3", [1, 3], 3),
        ("design-1", [3, 7], 1),
        ("design-2", [3, 5], 2),
        ("design-3", [5, 7], 4),
        ("design-4", [1, 7], 5),
    ]


def test_cost_and_name_follow_the_type_of_convolution() -> None:
    # Depthwise 7x7 at 98 channels: 1 + 49 / 98 weights per pair of channels; factorised 5x5: 10.
    network = NetworkConfig(channels=98, convolutions={7: "depthwise", 5: "factorised"})
    sets = design(
        IMPACT, DesignConfig(sizes_per_set=(2,), keep=5), Bounds(SearchConfig(), network, IMAGES)
    )
    costs = {tuple(item["sizes"]): item["cost"] for item in sets}
    assert costs[1, 7] == pytest.approx((1 + 1.5) / 2)
    assert costs[5, 7] == pytest.approx((10 + 1.5) / 2)
    assert costs[1, 3] == (1 + 9) / 2
    assert "f5 64.00 %, d7 62.00 %" in " ".join(str(item["reason"]) for item in sets)


def test_fixed_sets_replace_the_ranking() -> None:
    sets = design(IMPACT, DesignConfig(fixed=((1, 3), (3, 5, 7))), BOUNDS)
    assert [(item["name"], item["origin"], item["place"]) for item in sets] == [
        ("k1-3", "baseline", None),
        ("k3-5-7", "fixed", None),
    ]


def test_fronts_hold_no_set_that_an_equal_or_later_one_dominates() -> None:
    candidates = [
        KernelSet((index,), float(evidence), float(cost))
        for index, (evidence, cost) in enumerate(itertools.product((1, 2, 3), (4, 5, 6)))
    ]
    ranked = rank(candidates)
    assert {item.sizes for item in ranked} == {item.sizes for item in candidates}
    for earlier, later in itertools.combinations(ranked, 2):
        assert later.evidence_percent < earlier.evidence_percent or later.cost > earlier.cost
        assert earlier.front <= later.front
    # (3, 4) dominates all; then (3, 5) and (2, 4); then (3, 6), (2, 5), (1, 4); ...
    assert [item.front for item in ranked] == [1, 2, 2, 3, 3, 3, 4, 4, 5]


def test_unmeasured_sizes_are_an_error() -> None:
    with pytest.raises(TableError, match="impact of size 9 was not measured"):
        design(IMPACT, DesignConfig(fixed=((1, 9),)), BOUNDS)


def within(max_params: int) -> Bounds:
    """Nets of one cell of 10 channels behind a stem, with a head: 270 + 20 and 20 + 110."""
    network = NetworkConfig(stages=1, channels=10, head="gap", votes=1)
    search = SearchConfig(budget=Budget(max_params=max_params))
    return Bounds(search, network, IMAGES)


def test_sets_without_a_cell_within_the_budget_are_left_out() -> None:
    # Beside 420 parameters around it, the smallest cell over {1, ...} has 100 + 20, over {3, ...}
    # 900 + 20, over {5, ...} 2500 + 20.
    settings = DesignConfig(sizes_per_set=(2,), keep=4)
    for budget, expected in ((2940, [5, 7]), (2939, [3, 5])):
        sets = design(IMPACT, settings, within(budget))
        assert sets[1]["sizes"] == expected
        assert len(sets) == 5
    few = DesignConfig(sizes_per_set=(2,), keep=2)
    assert [item["sizes"] for item in design(IMPACT, few, within(1339))[1:]] == [[1, 5], [1, 7]]
    with pytest.raises(ConfigError, match=r"only 2 sets that meet nas_search/budget"):
        design(IMPACT, settings, within(1339))


@pytest.mark.parametrize(
    ("budget", "settings", "named"),
    [
        (539, DesignConfig(), r"kernel set \[1, 3\]"),
        (1000, DesignConfig(fixed=((1, 3), (3, 5))), r"kernel set \[3, 5\]"),
    ],
)
def test_sets_that_must_be_searched_are_named_where_no_cell_fits(
    budget: int, settings: DesignConfig, named: str
) -> None:
    with pytest.raises(BudgetError, match=named + ": no architecture meets the budget"):
        design(IMPACT, settings, within(budget))


def test_file_in_file_out(tmp_path: Path, digits_manifest: Path) -> None:
    impact, output = tmp_path / "impact.csv", tmp_path / "kernel_sets.json"
    IMPACT.to_csv(impact, index=False)
    kernel_set_design.run(
        kernel_set_design.Inputs(impact, digits_manifest),
        kernel_set_design.Outputs(output),
        kernel_set_design.Settings(),
    )
    written = json.loads(output.read_text())
    assert written["dataset"] == "digits"
    assert len(written["sets"]) == 7
    assert kernel_set_design.read_kernel_sizes(output, "k1-3") == (1, 3)
    with pytest.raises(TableError, match=r"no kernel set 'design-9'; it holds k1-3, design-1"):
        kernel_set_design.read_kernel_sizes(output, "design-9")
    assert (tmp_path / "provenance.json").exists()
    IMPACT.assign(dataset="cifar10").to_csv(impact, index=False)
    with pytest.raises(TableError, match=r"impact\.csv was measured on cifar10, but .* of digits"):
        kernel_set_design.run(
            kernel_set_design.Inputs(impact, digits_manifest),
            kernel_set_design.Outputs(output),
            kernel_set_design.Settings(),
        )


@pytest.mark.parametrize("sets", ["k1-3", [{"name": "k1-3"}], [{"name": "k1-3", "sizes": "x"}]])
def test_file_that_lists_no_sets_is_named(tmp_path: Path, sets: object) -> None:
    path = tmp_path / "kernel_sets.json"
    path.write_text(json.dumps({"sets": sets}))
    with pytest.raises(TableError, match="run kernel_set_design again"):
        kernel_set_design.read_kernel_sizes(path, "k1-3")
