"""The design rule against the best cells of sets, on a table whose answers are known."""

from pathlib import Path

import kernel_sets
import numpy as np
import pandas as pd
import pytest
from kernel_sets import best_of

from spikernel import artifacts, tables
from spikernel.config import NetworkConfig
from spikernel.errors import ConfigError


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_sets, "RESAMPLES", 100)


def test_the_best_of_two_draws_by_hand() -> None:
    # Two cells of one stratum and one of another: drawn with 1/4, 1/4 and 1/2. The third is the
    # best unless both draws miss it; the first only if both draws are of it.
    chooses, judges = np.array([3.0, 1.0, 2.0]), np.array([40.0, 10.0, 20.0])
    strata = np.array([1, 0, 0])
    assert best_of(chooses, judges, strata, 1) == pytest.approx(10 / 4 + 20 / 4 + 40 / 2)
    assert best_of(chooses, judges, strata, 2) == pytest.approx(10 / 16 + 20 * 3 / 16 + 40 * 3 / 4)


def written(folder: Path) -> tuple[Path, Path]:
    """Write lone convolutions, in 1x1, 3x3 and 5x5, of 60, 70 and 80 %, and what was measured."""
    table, impact = folder / "cells.csv", folder / "impact.csv"
    lines = [
        {
            "group": "one_size", "control": "same_width", "seed": seed, "channels": 8,
            "archid": f"zero-zero-k{size}-zero-zero-zero", "params": 10 * size,
            "test_accuracy_percent": accuracy,
        }
        for size, accuracy in ((1, 60.0), (3, 70.0), (5, 80.0)) for seed in (0, 1)
    ]  # fmt: skip
    tables.write_csv(table, lines)
    network = NetworkConfig(channels=8).model_dump(mode="json")
    artifacts.write_json(table.with_suffix(".json"), {"network": network})
    sizes = [1, 3, 5, 9]  # 9x9 is not in the table
    measured = {"kernel_size": sizes, "val_accuracy_percent_mean": [60.0, 70.0, 80.0, 99.0]}
    pd.DataFrame(measured).to_csv(impact, index=False)
    return table, impact


def found(path: Path, part: str) -> pd.DataFrame:
    lines = pd.read_csv(path)
    return lines[lines["part"] == part].set_index("quantity")


def test_sets_are_ranked_by_the_rule_and_by_their_cells(tmp_path: Path) -> None:
    table, impact = written(tmp_path)
    findings = tmp_path / "findings.csv"
    kernel_sets.main(table, impact, findings, ["same_width"], max_params=[30], draws=1)
    # Evidence and value are means over the sizes. 13: 65, cost 5. 15: 70, 13. 35: 75, 17.
    # 135: 70, 35 / 3. Front 1: 35, 135, 13. Front 2: 15, which 135 beats in cost.
    lines = found(findings, "all")
    values = {name: value for name, value in lines["value"].items() if "value of" in name}
    assert values == {
        "value of {1, 3}, place 3 by the rule": 65.0,
        "value of {1, 5}, place 4 by the rule": 70.0,
        "value of {3, 5}, place 1 by the rule": 75.0,
        "value of {1, 3, 5}, place 2 by the rule": 70.0,
    }
    # Of six pairs four are concordant, 13-15 is discordant, 15-135 are equally good.
    assert lines["value"]["tau of the rule"] == pytest.approx((4 - 1) / (6 * 5) ** 0.5)
    assert lines["value"]["tau of evidence alone"] == pytest.approx(1.0)
    # The rule takes 35, the cheapest is 13, a random set has 70.
    regrets = {name: value for name, value in lines["value"].items() if "regret" in name}
    assert regrets == {
        "regret of the rule": 0.0,
        "regret of evidence alone": 0.0,
        "regret of cost alone": 10.0,
        "regret of a random set": 5.0,
        "regret of {1, 3}": 10.0,
    }
    value = lines.loc["value of {1, 3}, place 3 by the rule"]
    # Three cells, drawn three times: only 1x1, or only 3x3, of the two.
    assert (value["low"], value["high"], value["units"]) == (60.0, 70.0, 3)
    # Without 5x5 in the budget 35 has 3x3 alone, and 15 has 1x1 alone.
    within = found(findings, "params <= 30")["value"]
    assert within["value of {3, 5}, place 1 by the rule"] == 70.0
    assert within["value of {1, 5}, place 4 by the rule"] == 60.0
    assert within["regret of {1, 3}"] == 5.0


def test_budgets_are_quartiles_where_none_is_given(tmp_path: Path) -> None:
    findings = tmp_path / "findings.csv"
    kernel_sets.main(*written(tmp_path), findings, ["same_width"])
    parts = list(dict.fromkeys(pd.read_csv(findings)["part"]))
    assert parts == ["params <= 20", "params <= 30", "params <= 40", "all"]
    # 1x1 alone is in the first: {3, 5} has no cell there, and nothing can be ranked.
    first = found(findings, "params <= 20")["value"]
    assert "value of {3, 5}, place 1 by the rule" not in first
    assert "tau of the rule" not in first


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    table, impact = written(tmp_path)
    with pytest.raises(ConfigError, match="no cell has 9 parameters or fewer"):
        kernel_sets.main(table, impact, tmp_path / "out.csv", ["same_width"], max_params=[9])
    few = pd.read_csv(impact).query("kernel_size in (1, 9)")
    few.to_csv(impact, index=False)
    with pytest.raises(ConfigError, match="has no two sets of dense cells with two seeds"):
        kernel_sets.main(table, impact, tmp_path / "out.csv", ["same_width"])
