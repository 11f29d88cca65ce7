"""Tables of trained cells, as they are read and halved."""

import json

import pytest
from own_tables import NETWORK, own_table
from trained_cells import read_table, split_half

from spikernel.errors import DataError


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
