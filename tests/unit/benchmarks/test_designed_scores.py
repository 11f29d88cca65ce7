"""The rule `lean`, the counts and the regression, by hand."""

import json
from pathlib import Path

import designed_scores as designed
import numpy as np
import pytest
from fitted_scores import fit, left_out

from spikernel.errors import ConfigError
from spikernel.space.cell import Cell


def of(archid: str) -> Cell:
    return Cell.from_archid(archid)


@pytest.mark.parametrize(
    ("archid", "value"),
    [
        ("zero-zero-k3-zero-zero-zero", -9),
        ("zero-zero-k5-zero-zero-zero", -25),
        # Ways: 03; 01 12 23. All end in a convolution, none begins with a 1x1.
        ("k3-zero-skip-k3-zero-k3", -27),
        # 01 12 23 begins with a 1x1; the way 03 has one edge.
        ("k1-zero-skip-k3-zero-k3", -(1 + 9 + 9 + 20)),
        # 01 13, 02 23 and 01 12 23 end in a skip.
        ("k3-k3-skip-skip-skip-skip", -(9 + 9 + 60)),
        # Edge 01 leads nowhere and does not count.
        ("k7-zero-k3-zero-zero-zero", -9),
        ("k1-zero-skip-k1-zero-k1", -1e6),
    ],
)
def test_lean_by_hand(archid: str, value: float) -> None:
    assert designed.lean(of(archid)) == value


def test_counts_by_hand() -> None:
    # Ways: skip; k3 k3; and k3 avg k1 (01 12 23). Fields: 1, 5, 5.
    found = list(designed.counts(of("k3-zero-skip-avg-k3-k1")).values())
    # Sizes 1, 3, 5, 7; skips, averages; plain at the end behind a node, plain from the input;
    # weights; ways.
    assert found[:10] == [1, 2, 0, 0, 1, 1, 0, 1, 19, 3]
    # Large ones on the ways: 0, 2, 1. Convolutions on them: 0, 2, 2.
    assert found[10:15] == pytest.approx([1, 2, 0, 1, 1])
    assert found[15:] == pytest.approx([4 / 3, 1, 5, 11 / 3, np.std([1, 5, 5])])


def test_a_regression_without_penalty_goes_through_its_points() -> None:
    cells = [of("zero-zero-k3-zero-zero-zero"), of("k3-zero-skip-k3-zero-k3")]
    fitted = fit(cells, np.array([80.0, 84.0]), 1e-9)
    found = [fitted.predict(designed.counts(cell)) for cell in cells]
    assert found == pytest.approx([-2, 2], abs=1e-6)
    # Without a cell there is one other: its accuracy is all that is known.
    assert left_out(cells, np.array([80.0, 84.0]), 1.0).tolist() == [84, 80]


def table(path: Path, cells: dict[str, float]) -> Path:
    lines = ["group,control,archid,seed,channels,params,test_accuracy_percent"]
    lines += [f"random,same_width,{name},0,8,10,{value}" for name, value in cells.items()]
    path.write_text("\n".join(lines) + "\n")
    path.with_suffix(".json").write_text('{"network": {"macro": "compact", "channels": 8}}')
    return path


def test_further_cells_are_those_that_the_scores_were_not_made_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = {"zero-zero-k3-zero-zero-zero": 82.0, "k3-zero-skip-k3-zero-k3": 81.0}
    new = {"zero-zero-k5-zero-zero-zero": 81.5, "k1-zero-skip-k1-zero-k1": 75.0}
    made_on, both = table(tmp_path / "old.csv", old), table(tmp_path / "both.csv", {**old, **new})
    designed.main(made_on, both)
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {part: scores["lean"]["cells"] for part, scores in found.items()} == {
        "made on": 2, "further": 2
    }  # fmt: skip
    assert found["further"]["lean"]["tau"] == 1
    assert found["further"]["lean"]["regret"] == 0
    designed.main(made_on, made_on)
    assert "further: 0 cells, nothing to judge by" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="has no two dense cells"):
        designed.main(table(tmp_path / "one.csv", {"zero-zero-k3-zero-zero-zero": 1.0}), both)
