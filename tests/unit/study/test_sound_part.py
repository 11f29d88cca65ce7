"""A configuration with wrong fields is judged as far as nothing rests on these."""

from typing import Any

import pytest

from spikernel.config.problems import Problem, RefusedError, UnsoundError
from spikernel.study import experiment
from spikernel.study.sound_part import sound_part

SMALL = {"time_steps": 2, "channels": 4, "pool": 2, "hidden": 8, "votes": 1}
GIVEN: dict[str, Any] = {"experiment": "x", "datasets": {"digits": None}, "network": SMALL}


def keys(**changes: Any) -> list[str]:
    """Return the keys of all lines."""
    with pytest.raises(RefusedError) as caught:
        experiment.parse({**GIVEN, **changes}, "config")
    return ["/".join(problem.key) for problem in caught.value.problems]


def test_a_wrong_field_hides_no_fault_that_does_not_depend_on_it() -> None:
    assert keys(
        kernel_set_design={"keep": 0},
        nas_search={"iterations": 100},
        train_final={"ranks": 200, "training": {"batch_size": 2000}},
        tradeoff_report={"memory_budgets_mb": [0.001]},
        export={"memory_budget_mb": 7},
        threads=0,
        experiment="a b",
    ) == [
        "experiment",
        "threads",
        "kernel_set_design/keep",
        "export/memory_budget_mb",
        "train_final/training/batch_size",
        "train_final/ranks",
        "tradeoff_report/memory_budgets_mb",
    ]


def test_nor_does_a_fault_within_a_section() -> None:
    assert keys(
        nas_search={"prefilter": 500, "iterations": 400, "score": "sahd_half", "batches": 9},
        train_final={"widths": {"k9": [1]}},
        kernel_impact={"training": {"objective": "distil", "teacher": "none.safetensors"}},
        tradeoff_report={"flash_budgets_kb": [0.1]},
    ) == [
        "nas_search/prefilter",
        "train_final/widths/k9",
        "kernel_impact/training/teacher",
        "nas_search/batch_size",
        "tradeoff_report/flash_budgets_kb",
    ]


@pytest.mark.parametrize(
    ("wrong", "beside", "key"),
    [
        # The default of 1,000 iterations has fewer candidates than ranks.
        ({"nas_search": {"iterations": 0}}, {"train_final": {"ranks": 5000}}, "iterations"),
        ({"nas_search": {"iteration": 9999}}, {"train_final": {"ranks": 5000}}, "iteration"),
        ({"nas_serach": {"iterations": 9999}}, {"train_final": {"ranks": 5000}}, "nas_serach"),
        # The default sizes make fewer sets.
        ({"kernel_impact": {"kernel_sizes": [3, 4]}}, {"kernel_set_design": {"keep": 50}}, "1"),
        # The default net is too large, and its maps are smaller than the pool.
        (
            {"network": {"macro": "modrn", "pool": 99}},
            {"tradeoff_report": {"memory_budgets_mb": [0.01]}},
            "macro",
        ),
    ],
)
def test_no_default_stands_for_what_is_wrong(
    wrong: dict[str, Any], beside: dict[str, Any], key: str
) -> None:
    assert [found.split("/")[-1] for found in keys(**wrong, **beside)] == [key]


def test_only_the_data_set_that_is_wrong_is_left_out() -> None:
    network = {"pool": 99}
    found = keys(
        datasets={"digits": {"test_images": 0, "network": network}, "cifar10": {"network": network}}
    )
    assert found == ["datasets/digits/test_images", "datasets/cifar10/network/pool"]


def test_a_wrong_field_cannot_be_read() -> None:
    given = {**GIVEN, "train_final": {"ranks": 0, "seeds": [3]}}
    part = sound_part(given, [Problem(("train_final", "ranks"), "must be at least 1")])
    assert part is not None
    assert part.train_final.seeds == (3,)
    with pytest.raises(UnsoundError):
        _ = part.train_final.ranks
    with pytest.raises(UnsoundError):  # a method might read it
        part.train_final.widths_of("k1-3")
    assert part.all_widths() == [1.0]
