"""What pydantic finds, in the words of someone who writes YAML."""

from pathlib import Path
from typing import Any

import pytest

from spikernel.config import WorkflowConfig
from spikernel.config.problems import Problem, RefusedError


def problems(changes: dict[str, Any]) -> list[str]:
    given = {"experiment": "x", "datasets": {"digits": {}}, **changes}
    with pytest.raises(RefusedError) as caught:
        WorkflowConfig.parse(given, "config")
    lines = str(caught.value).splitlines()
    assert all(line.startswith("config: ") for line in lines)
    return [line.removeprefix("config: ") for line in lines]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"threads": 1.5}, "threads: must be a whole number (found 1.5)"),
        ({"threads": None}, "threads: must be a whole number (found nothing)"),
        ({"experiment": 7}, "experiment: must be text: put it in quotes (found 7)"),
        ({"network": [1]}, "network: must hold keys and values"),
        ({"network": {"tau": "high"}}, "network/tau: must be a number (found 'high')"),
        ({"network": {"tau": 1}}, "network/tau: must be above 1.0 (found 1)"),
        ({"network": {"dropout": 1}}, "network/dropout: must be below 1.0 (found 1)"),
        (
            {"network": {"residual": "maybe"}},
            "network/residual: must be true or false (found 'maybe')",
        ),
        (
            {"network": {"cells_per_stage": "x"}},
            "network/cells_per_stage: must be a whole number or a list, for instance [1, 3] "
            "(found 'x')",
        ),
        # Of a number or a list, the list was meant.
        (
            {"network": {"cells_per_stage": [1, 0]}},
            "network/cells_per_stage/1: must be at least 1 (found 0)",
        ),
        (
            {"network": {"convolutions": {7: "deep"}}},
            "network/convolutions/7: must be 'dense', 'depthwise' or 'factorised' (found 'deep')",
        ),
        (
            {"train_final": {"training": {"cpu_bfloat16": "sometimes"}}},
            "train_final/training/cpu_bfloat16: must be true or false or 'auto' "
            "(found 'sometimes')",
        ),
        (
            {"train_final": {"training": {"phases": [{}]}}},
            "train_final/training/phases/0/epochs: this key is missing",
        ),
        (
            {"kernel_impact": {"kernel_sizes": 3}},
            "kernel_impact/kernel_sizes: must be a list, for instance [1, 3] (found 3)",
        ),
        (
            {"kernel_impact": {"reference_cell": ["conv"] * 5}},
            "kernel_impact/reference_cell: an entry is missing",
        ),
        (
            {"kernel_impact": {"reference_cell": ["conv"] * 7}},
            "kernel_impact/reference_cell: must have at most 6 entries, not 7",
        ),
        (
            {"experiment": "a b"},
            "experiment: must begin with a letter or a digit, and hold only letters, digits, '_', "
            "'.' and '-' (found 'a b')",
        ),
    ],
)
def test_plain_words(changes: dict[str, Any], expected: str) -> None:
    assert problems(changes) == [expected]


def test_all_are_listed() -> None:
    assert problems({"threads": 0, "network": {"tau": 0.5, "stages": 7}, "devise": "cpu"}) == [
        "threads: must be at least 1 (found 0)",
        "network/stages: must be at most 6 (found 7)",
        "network/tau: must be above 1.0 (found 0.5)",
        "devise: unknown key; did you mean 'device'?",
    ]


@pytest.mark.parametrize("given", [None, [1], "text"])
def test_a_file_of_something_else(given: object) -> None:
    with pytest.raises(RefusedError, match="config: top level: must hold keys and values"):
        WorkflowConfig.parse(given, "config")


def test_each_line_begins_with_the_place_of_its_key(tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    path.write_text("experiment: x\ndatasets:\n  digits:\nnetwork:\n  stages: 7\n  tau: 0\n")
    with pytest.raises(RefusedError) as caught:
        WorkflowConfig.read(path)
    assert str(caught.value).splitlines() == [
        f"{path}, line 5: network/stages: must be at most 6 (found 7)",
        f"{path}, line 6: network/tau: must be above 1.0 (found 0)",
    ]
    assert caught.value.problems[0] == Problem(("network", "stages"), "must be at most 6 (found 7)")
