"""The arithmetic of the benchmarks and the tables they read; their timings are not tested."""

import json
import math

import numpy as np
import proxy_validation
import pytest
from proxy_validation import one_seed, parts_of
from rank_statistics import (
    LEFT_OUT,
    beaten_by,
    bootstrap,
    pooled,
    regret,
    tau_b,
    tau_within,
    top_mean,
    top_regret,
    untied_root,
)
from trained_cells import read_table, split_half

from spikernel.config import NetworkConfig
from spikernel.errors import DataError

NETWORK = NetworkConfig(time_steps=3, channels=12)


def test_tau_b_leaves_out_ties_and_its_order_does_not() -> None:
    x, y = np.array([1.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])
    # Pairs: one tied in x, two concordant. tau-b = 2 / sqrt(2 * 3); tau with ties as 0 is 2/3.
    assert tau_b(x, y) == pytest.approx(2 / math.sqrt(6))
    assert tau_b(x, y) * untied_root(x) == pytest.approx(2 / 3)


def test_tau_within_compares_only_rows_of_one_group() -> None:
    x = np.array([1.0, 2.0, 9.0, 1.0, 1.0])
    y = np.array([5.0, 6.0, 0.0, 7.0, 8.0])
    # In group a: (1, 2) concordant. In b: one tied pair. The row without a group is left out.
    assert tau_within(x, y, ["a", "a", None, "b", "b"]) == pytest.approx(1 / 2)
    assert math.isnan(tau_within(x, y, [None] * 5))


def test_top_mean_shares_the_last_place_among_ties() -> None:
    x = np.array([2.0, 1.0, 1.0] + [0.0] * 37)  # a twentieth of 40 is 2
    y = np.array([80.0, 60.0, 70.0] + [10.0] * 37)
    assert top_mean(x, y) == pytest.approx((80 + (60 + 70) / 2) / 2)


def test_pooled_takes_the_mean_of_each_member() -> None:
    values = np.array([1.0, 3.0, 5.0, 7.0])
    assert pooled(values, np.array([0, 0, LEFT_OUT, 1])).tolist() == [2.0, 7.0]


def test_own_table_has_one_row_per_cell_with_all_its_seeds(tmp_path) -> None:
    path = tmp_path / "cells.csv"
    path.write_text(
        "group,archid,seed,params,val_accuracy_percent,test_accuracy_percent,seconds\n"
        "one_size,k3-zero-skip-zero-k3-zero,1,20,40,44,1\n"
        "random,zero-zero-k5-zero-zero-zero,0,10,40,41,1\n"
        "one_size,k3-zero-skip-zero-k3-zero,0,20,40,42,1\n"
    )
    path.with_suffix(".json").write_text(json.dumps({"network": NETWORK.model_dump(mode="json")}))
    table = read_table(path)
    first, second = table.rows
    assert (first.accuracies, first.accuracy, first.skeleton) == (
        (42.0, 44.0), 43.0, "K-zero-skip-zero-K-zero",
    )  # fmt: skip
    assert second.skeleton is None
    assert table.measured == NETWORK


def test_spikenas_table_keeps_thresholds(tmp_path) -> None:
    path = tmp_path / "bench.csv"
    path.write_text(
        "arch_id,edge_01,edge_02,edge_03,edge_12,edge_13,edge_23,params,test_acc_percent\n"
        "7,lif0.5_conv3,zero,lif1.0_conv3,zero,zero,zero,5,60\n"
        "5,zero,skip,lif1.0_conv3,zero,zero,zero,5,50\n"
    )
    rows = read_table(path).rows
    assert [row.accuracy for row in rows] == [50.0, 60.0]
    # The edge 01 leads nowhere: its threshold does not matter.
    assert [row.one_threshold for row in rows] == [True, True]
    assert rows[1].cell.archid == "k3t0.5-zero-k3t1-zero-zero-zero"
    assert [row.number for row in rows] == [5, 7]
    halves = [split_half(rows, half) for half in ("design", "check")]
    assert sorted(len(half) for half in halves) == [1, 1]
    assert halves[0] != halves[1]


def test_a_table_of_another_form_is_refused(tmp_path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"other\.csv is not a table of trained cells"):
        read_table(path)


def test_regrets_by_hand() -> None:
    x = np.array([1.0, 5.0, 5.0, 0.0])
    y = np.array([70.0, 80.0, 84.0, 90.0])
    # The choice is one of two: 82 on average. One cell of four beats 84, two beat 80.
    assert regret(x, y) == pytest.approx(90 - 82)
    assert beaten_by(x, y) == pytest.approx((50 + 25) / 2)
    assert regret(np.zeros(4), y) == pytest.approx(90 - 81)  # a random pick
    assert regret(y, y) == beaten_by(y, y) == top_regret(y, y) == 0


def test_top_regret_compares_twentieths() -> None:
    y = np.arange(40.0)  # the best two: 39 and 38
    x = np.where(y == 10, 2.0, np.where(y == 20, 1.0, 0.0))
    assert top_regret(x, y) == pytest.approx(38.5 - 15)


def test_intervals_of_a_regret() -> None:
    x, y = np.array([1.0, 0.0]), np.array([50.0, 60.0])
    # Both cells: 10. One of them twice: 0, in half of the draws.
    assert bootstrap(x, y, 0, regret) == (0.0, 10.0)
    assert all(math.isnan(end) for end in bootstrap(np.zeros(2), y, 0))


def own_table(path, lines: str):
    path.write_text("group,control,archid,seed,channels,params,test_accuracy_percent\n" + lines)
    described = {"network": NETWORK.model_dump(mode="json"), "dataset": {"kind": "cifar100"}}
    path.with_suffix(".json").write_text(json.dumps(described))
    return path


def test_controls_are_read_apart_and_give_each_net_its_width(tmp_path) -> None:
    path = own_table(
        tmp_path / "cells.csv",
        "random,same_width,zero-zero-k5-zero-zero-zero,0,12,30,70\n"
        "random,same_parameters,zero-zero-k5-zero-zero-zero,0,9,20,60\n",
    )
    table = read_table(path, "same_parameters")
    (row,) = table.rows
    net = row.architecture(table.structural, table.images)
    assert (row.accuracy, net.network.channels, net.images.classes) == (60.0, 9, 100)
    assert read_table(path).rows[0].accuracy == 70.0
    with pytest.raises(DataError, match="no training of control same_time"):
        read_table(path, "same_time")


def test_halves_of_own_tables_keep_sizes_together_and_do_not_move(tmp_path) -> None:
    names = [f"K-zero-{other}-K-zero-K" for other in ("skip", "avg", "K")] + ["K-K-skip-zero-K-K"]
    lines = [
        f"one_size,same_width,{name.replace('K', f'k{size}')},0,12,30,70\n"
        for name in names for size in (1, 3)
    ]  # fmt: skip
    rows = read_table(own_table(tmp_path / "cells.csv", "".join(lines))).rows
    halves = {half: split_half(rows, half) for half in ("design", "check")}
    skeletons = {half: {row.skeleton for row in found} for half, found in halves.items()}
    assert not skeletons["design"] & skeletons["check"]
    assert sum(map(len, halves.values())) == len(rows) == 8
    fewer = read_table(own_table(tmp_path / "cells.csv", "".join(lines[2:]))).rows
    assert {row.cell for row in split_half(fewer, "check")} <= {row.cell for row in halves["check"]}


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
