"""The arithmetic of the benchmarks and the tables they read; their timings are not tested."""

import json
import math

import numpy as np
import pytest
from rank_statistics import LEFT_OUT, pooled, tau_b, tau_within, top_mean, untied_root
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
