"""Scores judged on a table of trained cells."""

import json
import math

import proxy_validation
import pytest
from own_tables import own_table
from proxy_validation import one_seed, parts_of
from trained_cells import read_table


def test_one_seed_is_judged_by_the_other(tmp_path) -> None:
    lines = [
        f"random,same_width,zero-zero-k{size}-zero-zero-zero,{seed},12,30,{accuracy}\n"
        for size, pair in ((1, (50, 52)), (3, (70, 60)), (5, (60, 66)))
        for seed, accuracy in enumerate(pair)
    ]
    lines.append("random,same_width,zero-zero-k7-zero-zero-zero,0,12,30,99\n")  # trained once
    rows = read_table(own_table(tmp_path / "cells.csv", "".join(lines))).rows
    found = one_seed(rows, parts_of(rows, is_ours=True), 0)
    # Pairs: 1-3 and 1-5 concordant, 3-5 discordant. Seed 0 chooses 3x3, whose seed 1 has 60.
    assert found["tau"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["regret"] == pytest.approx(66 - 60)
    assert found["mean_sd"] == pytest.approx((2 + 10 + 6) / 3 / math.sqrt(2), abs=1e-4)


def test_scores_of_an_own_table_stand_between_a_random_pick_and_a_seed(tmp_path, capsys) -> None:
    # Depth 1, 2 and 3, trained to 60, 70 and 80 %, twice.
    names = ("zero-zero-K-zero-zero-zero", "K-zero-skip-zero-K-zero", "K-zero-skip-K-zero-K")
    lines = [
        f"one_size,same_width,{name.replace('K', f'k{size}')},{seed},12,{30 * size},{accuracy}\n"
        for name, accuracy in zip(names, (60, 70, 80), strict=True)
        for size in (1, 3) for seed in (0, 1)
    ]  # fmt: skip
    path = own_table(tmp_path / "cells.csv", "".join(lines))
    proxy_validation.main(path, tmp_path, cells=0, half="all", measured=False)
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["longest_convolution_path"]["tau"] == pytest.approx(1.0)
    assert found["longest_convolution_path"]["regret"] == 0
    assert found["(random pick)"]["regret"] == pytest.approx(80 - 70)
    assert found["(random pick)"]["tau"] is None
    # The best two of six beat the chosen one of depth 2, and so on: (0 + 2 + 4) / 6 / 3.
    assert found["(random pick)"]["beaten_by"] == pytest.approx(100 / 3, abs=1e-4)
    assert found["(one seed)"]["mean_sd"] == 0
    assert found["params"]["kernel_size_tau"] == 0  # sizes make no difference here
