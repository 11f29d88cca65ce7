"""Cells, order of trainings, and a table of two cells on a few digits; no accuracy is tested."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import cell_bench
import join_tables
import kernel_cells
import pandas as pd
import pytest
from chosen_cells import read_chosen
from kernel_table import join, key_of, open_table, shard_of, shard_path
from table_cells import (
    DEPTHWISE_STRATA,
    KERNEL_SIZES,
    STRATA,
    TableCell,
    dense_cells,
    depthwise_cells,
    large_first,
    skeleton_of,
    stratum_of,
    threshold_cells,
)

from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.errors import ConfigError, TableError, TrainingError, UnfinishedError
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.counts import parameter_count
from spikernel.training.loop import Trained

TINY = NetworkConfig(macro="compact", stages=2, stage_widths=(1, 2), stem_channels=6)
TRAINING = TrainingConfig(recipe="engine", batch_size=60, crop_padding=1, cpu_bfloat16=False)
CLOCK = ("seconds", "images_per_second")


def test_dense_cells_fill_every_stratum() -> None:
    cells = dense_cells()
    assert len({item.cell for item in cells}) == len(cells) == 124
    # 12 strata: 4 sizes of one skeleton and 5 random cells; 8 are deep enough for two orders.
    assert Counter(item.group for item in cells) == {"one_size": 48, "order": 16, "random": 60}
    per_stratum = Counter(item.stratum for item in cells)
    assert per_stratum == {stratum: 9 if stratum[0] == 1 else 11 for stratum in STRATA}
    assert {item.stratum for item in cells[:12]} == set(STRATA)
    assert {size for item in cells for size in item.cell.kernel_sizes()} == set(KERNEL_SIZES)
    assert [item.cell for item in dense_cells()] == [item.cell for item in cells]


def test_orders_are_pairs_of_equal_parameters() -> None:
    cells = [item.cell for item in dense_cells() if item.group == "order"]
    pairs: dict[str, list[Cell]] = {}
    for cell in cells:
        pairs.setdefault(skeleton_of(cell), []).append(cell)
    assert len(pairs) == 8
    for first, second in pairs.values():
        assert {large_first(first), large_first(second)} == {True, False}
        assert sorted(first.kernel_sizes()) == sorted(second.kernel_sizes())


def test_chosen_cells_are_all_in_the_table() -> None:
    chosen, plain = read_chosen(), {item.cell.archid for item in dense_cells()}
    cells = {item.cell.archid: item.group for item in dense_cells(chosen)}
    assert set(chosen) <= set(cells)
    assert {name for name, group in cells.items() if group == "chosen"} == set(chosen) - plain
    assert "zero-zero-k3-zero-zero-zero" in cells  # of config/cifar10_quick.yaml


def test_depthwise_cells() -> None:
    cells = depthwise_cells()
    assert len({item.cell for item in cells}) == len(cells) == 24
    assert Counter(item.stratum for item in cells) == dict.fromkeys(DEPTHWISE_STRATA, 4)
    assert {edge.type for item in cells for edge in item.cell.convolutions()} == {"depthwise"}


def test_strata_and_skeletons_by_hand() -> None:
    # 0-1-2-3 has three 3x3; beside them 0-2 has one.
    assert stratum_of(Cell.from_archid("k3-k5-skip-k3-zero-k7")) == (3, 4)
    # Edge 01 leads nowhere.
    assert stratum_of(Cell.from_archid("k3-zero-k5-zero-zero-zero")) == (1, 1)
    assert skeleton_of(Cell.from_archid("k3-zero-skip-k7-zero-d5")) == "K-zero-skip-K-zero-K"
    # Node 2 alone, or node 1 alone: one function.
    names = {"k3-zero-skip-zero-k7-zero", "zero-k5-skip-zero-zero-k1"}
    assert len({skeleton_of(Cell.from_archid(name)) for name in names}) == 1
    assert not large_first(Cell.from_archid("k3-zero-skip-k5-zero-k7"))
    assert large_first(Cell.from_archid("k7-zero-skip-k5-zero-k3"))


def test_the_most_telling_trainings_come_first() -> None:
    cells = [TableCell("random", Cell.from_archid(f"zero-zero-k{size}-zero-zero-zero"))
             for size in (1, 3)]  # fmt: skip
    tasks = kernel_cells.tasks_of(cells, kernel_cells.CONTROLS, seeds=2)
    assert [(task.item, task.control, task.seed) for task in tasks[:5]] == [
        (cells[0], "same_width", 0), (cells[1], "same_width", 0),
        (cells[0], "same_width", 1), (cells[1], "same_width", 1),
        (cells[0], "same_parameters", 0),
    ]  # fmt: skip
    assert len(tasks) == 8


def test_shards_by_name() -> None:
    assert shard_of("2/4") == (2, 4)
    assert shard_path(Path("a/t.csv"), (2, 4)) == Path("a/t.shard-2-of-4.csv")
    assert shard_path(Path("a/t.csv"), (1, 1)) == Path("a/t.csv")
    for wrong in ("0/2", "3/2", "2", "a/b"):
        with pytest.raises(ConfigError, match="--shard must be i/n"):
            shard_of(wrong)


def test_threshold_cells_and_a_wrong_count() -> None:
    assert len({item.cell for item in threshold_cells()}) == 10
    with pytest.raises(ConfigError, match="1 to 10 cells, got 11"):
        kernel_cells.cells_of("thresholds", 11)


@pytest.fixture
def run(digits_manifest: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    images = tmp_path / "images"  # a copy, since states lie beside the manifest
    shutil.copytree(digits_manifest.parent, images)
    monkeypatch.setattr(kernel_cells, "_prepared", lambda *_: images / "manifest.json")

    def run(table: str = "table.csv", **changes: Any) -> Path:
        given = {
            "count": 2, "seeds": 1, "channels": 4, "epochs": 1, "network": TINY,
            "training": TRAINING, "threads": 1,
        }  # fmt: skip
        kernel_cells.main(tmp_path / table, **{**given, **changes})
        return tmp_path / table

    return run


def rows_of(path: Path) -> dict[tuple[str, str, int], dict[str, Any]]:
    described = json.loads(path.with_suffix(".json").read_text())
    settings = {name: described[name] for name in ("dataset", "network", "training")}
    rows = open_table(path, settings, {}).rows
    return {
        key_of(row): {name: value for name, value in row.items() if name not in CLOCK}
        for row in rows
    }


def test_joined_shards_are_the_unsharded_table(run: Any, tmp_path: Path) -> None:
    whole = rows_of(run())
    for number in (1, 2):
        run("parts.csv", shard=f"{number}/2")
    parts = [tmp_path / f"parts.shard-{number}-of-2.csv" for number in (1, 2)]
    joined = tmp_path / "parts.csv"
    join_tables.main(joined)  # the shards that lie beside it
    assert rows_of(joined) == whole
    join_tables.main(joined)  # once more, with the lines that it has
    assert rows_of(joined) == whole
    with pytest.raises(ConfigError, match="there are no shards beside it"):
        join_tables.main(tmp_path / "table.csv")
    altered = tmp_path / "altered.csv"
    pd.read_csv(parts[0]).assign(synops=1).to_csv(altered, index=False)
    shutil.copy(parts[0].with_suffix(".json"), altered.with_suffix(".json"))
    with pytest.raises(TableError, match="is in another file with other results"):
        join([*parts, altered], joined)
    run("parts.csv", shard="1/3")  # finds every training in the other files
    assert not (tmp_path / "parts.shard-1-of-3.csv").exists()
    other = run("other.csv", count=1, channels=5)
    with pytest.raises(TableError, match="with different settings"):
        join([parts[0], other], joined)


def test_a_line_holds_what_its_net_is(run: Any) -> None:
    rows = rows_of(run(count=1))
    (archid,) = {row["archid"] for row in rows.values()}
    cell, images = Cell.from_archid(archid), ImageShape(1, 8, 10)
    net = Architecture(cell, TINY.model_copy(update={"channels": 4}), images)
    row = rows[archid, "same_width", 0]
    assert (row["channels"], row["params"]) == (4, parameter_count(net).total)
    assert (row["depth"], row["convolutions"]) == stratum_of(cell)
    assert row["kernel_sizes"] == " ".join(map(str, cell.kernel_sizes()))
    # The reference cell of kernel_impact in 3x3, at four channels, has the other's parameters.
    reference = Cell.from_archid("k3-zero-skip-k3-zero-k3")
    wanted = parameter_count(Architecture(reference, net.network, images)).total
    width = rows[archid, "same_parameters", 0]["channels"]

    def distance(channels: int) -> int:
        other = net.network.model_copy(update={"channels": channels})
        return abs(parameter_count(Architecture(cell, other, images)).total - wanted)

    assert distance(width) <= min(distance(width - 1), distance(width + 1))


def test_a_pilot_trains_few_cells_at_one_width_and_is_taken_over(run: Any) -> None:
    path = run(pilot=1, count=None)
    pilot = rows_of(path)
    assert [key[1:] for key in pilot] == [("same_width", 0)]
    # Written by code that did not know an option which is not given here either.
    described = json.loads(path.with_suffix(".json").read_text())
    assert described["training"].pop("initial_weights") is None
    path.with_suffix(".json").write_text(json.dumps(described))
    assert rows_of(run(count=1)).items() > pilot.items()
    with pytest.raises(ConfigError, match="was made with other settings"):
        run(epochs=2)


def test_a_training_goes_on_within_and_ends_alike(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = rows_of(run(pilot=1, epochs=2))
    original, resumed = cell_bench.train, []

    def sliced(*given: Any) -> Trained:
        *rest, state, made_of, _ = given
        resumed.append(state.exists())
        return original(*rest, state, made_of, None if resumed[-1] else 1e-9)

    monkeypatch.setattr(cell_bench, "train", sliced)
    with pytest.raises(UnfinishedError, match="stopped in epoch 1 of 2"):
        run("other.csv", pilot=1, epochs=2)
    assert not (tmp_path / "other.csv").exists()
    assert rows_of(run("other.csv", pilot=1, epochs=2)) == whole
    assert resumed == [False, True]
    assert not list((tmp_path / "images").glob(".*.unfinished"))
    with pytest.raises(UnfinishedError, match="the same command goes on"):
        run("third.csv", pilot=1, max_seconds=0.0)


def test_a_net_that_does_not_learn_stops_no_other(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    original = cell_bench.train

    def broken(net: Any, *rest: Any) -> Trained:
        if net.architecture.cell == dense_cells(read_chosen())[0].cell:
            raise TrainingError("the loss is not finite")
        return original(net, *rest)

    monkeypatch.setattr(cell_bench, "train", broken)
    with pytest.raises(TrainingError, match="same_width 0: the loss is not finite"):
        run(pilot=2)
    assert len(rows_of(tmp_path / "table.csv")) == 1
