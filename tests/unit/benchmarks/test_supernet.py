"""Weights that cells share, on a few digits, and the comparison of rankings by hand."""

import json
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import size_effects
import supernet
import torch
import trained_cells
from shared_weights import Supernet, inherit, make_supernet
from torch import Tensor
from toy import load
from trained_cells import read_table

from spikernel import artifacts, tables
from spikernel.config import DatasetConfig, NetworkConfig, TrainingConfig
from spikernel.errors import ConfigError, UnfinishedError
from spikernel.network.spiking_net import build_net
from spikernel.network.whitening import whiten
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.space.enumeration import draw_cell
from spikernel.space.flop import forward_flop
from spikernel.space.operations import operation_set
from spikernel.study.shapes import image_shape
from spikernel.training.loop import train

NETWORK = NetworkConfig(macro="compact", stages=2, stage_widths=(1, 2), stem_channels=6, channels=4)
TRAINING = TrainingConfig(
    recipe="engine", batch_size=60, crop_padding=1, epochs=2, lookahead=True, cpu_bfloat16=False
)
OPERATIONS = operation_set((1, 3), ("zero", "skip", "avg"))
ONE, OTHER = "k3-zero-skip-k1-avg-k3", "k1-k1-k3-zero-skip-k1"


def fresh(manifest: Path) -> Supernet:
    learned, _ = load(manifest)
    return make_supernet(NETWORK, image_shape(learned.manifest), OPERATIONS, 0, learned)


def batches_of(manifest: Path) -> list[Tensor]:
    learned, _ = load(manifest)
    images = torch.tensor(learned.images, dtype=torch.float32) / 255
    return list(images[:100].split(50))


def of_cell(net: Supernet, archid: str) -> tuple[torch.nn.Module, dict[str, Tensor]]:
    """Return the net of a cell alone, and the values of the supernet by its names."""
    architecture = Architecture(Cell.from_archid(archid), NETWORK, net.architecture.images)
    alone = build_net(architecture, 0, torch.device("cpu"))
    values = net.state_dict()
    return alone, {name: values[name] for name in alone.state_dict()}


def test_a_cell_begins_with_the_weights_of_its_own_net(digits_manifest: Path) -> None:
    net, images = fresh(digits_manifest), batches_of(digits_manifest)[0]
    whiten(net, images, lambda some: some)  # by other images than `make_supernet`
    alone, values = of_cell(net, ONE)
    whiten(alone, images, lambda some: some)  # type: ignore[arg-type]
    assert all(torch.equal(value, values[name]) for name, value in alone.state_dict().items())


def test_inherited_weights_give_the_logits_of_a_net_that_has_them(digits_manifest: Path) -> None:
    trained = train(fresh(digits_manifest), load(digits_manifest), TRAINING, 0).net
    assert isinstance(trained, Supernet)
    batches = batches_of(digits_manifest)
    found = []
    for archid in (ONE, OTHER, ONE):
        inherit(trained, Cell.from_archid(archid), batches)
        alone, values = of_cell(trained, archid)
        before = alone.eval()(batches[0])
        alone.load_state_dict(values)
        with torch.no_grad():
            found.append(trained.eval()(batches[0]))
            assert torch.equal(alone(batches[0]), found[-1])
        assert not torch.equal(before, found[-1])
    # What ran before leaves no trace in the running statistics.
    assert torch.equal(found[0], found[2])
    mean = trained.get_submodule("cell1.convolutions.01_k3.norm").running_mean
    assert mean.abs().sum() > 0
    assert trained.get_submodule("cell1.convolutions.01_k1.norm").running_mean.abs().sum() == 0


def test_a_step_changes_the_weights_of_its_cell_alone(digits_manifest: Path) -> None:
    net = fresh(digits_manifest)
    before = {name: value.clone() for name, value in net.named_parameters()}
    how = TRAINING.model_copy(update={"epochs": 1, "batch_size": 1000, "lookahead": False})
    train(net, load(digits_manifest), how, 0)
    changed = {
        name for name, value in net.named_parameters() if not torch.equal(value, before[name])
    }
    drawn = draw_cell(OPERATIONS, random.Random("0 0"))
    alone, _ = of_cell(net, drawn.archid)
    expected = {name for name, value in alone.named_parameters() if value.requires_grad}
    assert changed == expected
    assert any("cell1.convolutions" in name for name in changed)
    assert int(net.batches) == 1


def test_a_training_that_is_stopped_goes_on_with_the_same_cells(
    digits_manifest: Path, tmp_path: Path
) -> None:
    splits, state = load(digits_manifest), tmp_path / "state"
    whole = train(fresh(digits_manifest), splits, TRAINING, 0).net
    with pytest.raises(UnfinishedError, match="stopped in epoch 1 of 2, after 1 of"):
        train(fresh(digits_manifest), splits, TRAINING, 0, state, {}, max_seconds=1e-9)
    resumed = train(fresh(digits_manifest), splits, TRAINING, 0, state, {}).net
    values = resumed.state_dict()
    assert all(torch.equal(value, values[name]) for name, value in whole.state_dict().items())


CELLS = {
    # In the order of `rising_path`.
    "k3-zero-skip-k3-zero-k3": (70, 72),
    "k3-zero-skip-zero-k3-zero": (80, 78),
    "zero-zero-k3-zero-zero-zero": (75, 90),
    "zero-zero-k1-zero-zero-zero": (60, 62),
}


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(size_effects, "RESAMPLES", 50)
    monkeypatch.setitem(trained_cells.CLASSES, "digits", 10)
    path = tmp_path / "cells.csv"
    lines = [
        {
            "group": "random", "control": "same_width", "archid": name, "seed": seed,
            "channels": 4, "params": 30, "test_accuracy_percent": accuracy, "seconds": 10.0,
        }
        for name, found in CELLS.items() for seed, accuracy in enumerate(found)
    ]  # fmt: skip
    tables.write_csv(path, lines)
    dataset = DatasetConfig(kind="digits", train_images=200, test_images=60)
    parts = {"dataset": dataset, "network": NETWORK, "training": TRAINING}
    described = {name: part.model_dump(mode="json") for name, part in parts.items()}
    artifacts.write_json(path.with_suffix(".json"), described)
    return path


def test_rankings_are_compared_at_equal_cost(table: Path) -> None:
    read = read_table(table)
    evaluated = [
        {"archid": name, "val_accuracy_percent": accuracy}
        for name, accuracy in zip(CELLS, (50.0, 40.0, 30.0, 20.0), strict=True)
    ]
    bill = supernet.Bill(20e15, dict.fromkeys(CELLS, 10e15))
    found = supernet.compared(read.rows, (1, 3), read, evaluated, bill, 0)
    shared, finalists = found[supernet.SHARED], found[supernet.FINALISTS]
    # The supernet ranks as the score does. Judged by seed 1, three of six pairs are concordant;
    # by seed 0, four.
    assert shared["tau"] == pytest.approx((0 + 2 / 6) / 2)
    assert shared["regret"] == pytest.approx(((90 - 72) + (80 - 70)) / 2)
    # The supernet's work pays for two finalists, depth 3 and 2. Those of seed 0 rank depth 2
    # first: four of six pairs agree with seed 1; those of seed 1 likewise: five agree with seed 0.
    assert finalists["trainings"] == 2
    assert finalists["tau"] == pytest.approx((2 / 6 + 4 / 6) / 2)
    assert finalists["regret"] == pytest.approx(((90 - 78) + 0) / 2)
    assert finalists["low"] <= finalists["tau"] <= finalists["high"]
    assert shared["pflop"] == finalists["pflop"] == 20.0


def test_both_ways_are_paid_in_flop(table: Path) -> None:
    read, batch_size = read_table(table), 200
    bill = supernet.bill_of(read.rows, (1, 3), read, (2, 5), batch_size, (400, 60), 0)

    def flop(cell: Cell) -> int:
        return forward_flop(Architecture(cell, read.structural, read.images))

    own = {name: flop(Cell.from_archid(name)) for name in CELLS}
    # Two epochs of two batches: four cells are drawn, each for 200 images.
    drawn = [draw_cell(OPERATIONS, random.Random(f"0 {batch}")) for batch in range(4)]
    learned = 3 * 200 * sum(flop(cell) for cell in drawn)
    assert bill.shared == pytest.approx(learned + (400 + 60) * sum(own.values()))
    assert bill.finalists == {name: 3 * 5 * 400 * forward for name, forward in own.items()}


def test_a_set_that_the_table_has_not_is_refused() -> None:
    possible = [(1, 3), (1, 3, 5)]
    assert supernet.wanted(["1,3,5"], possible) == [(1, 3, 5)]
    with pytest.raises(ConfigError, match="--sets 3,1: choose from 1,3 1,3,5"):
        supernet.wanted(["3,1"], possible)


def test_what_is_evaluated_is_kept(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out.csv"

    def run() -> Any:
        supernet.main(table, output, tmp_path, epochs=2, threads=1)
        return capsys.readouterr().out

    printed = run()
    assert "{1, 3} shared weights" in printed
    assert "mean of the sets, finalists" in printed
    lines = pd.read_csv(output)
    assert set(lines["archid"]) == set(CELLS)
    assert set(lines["kernel_set"]) == {"{1, 3}"}
    assert json.loads(output.with_suffix(".json").read_text())["training"]["epochs"] == 2
    monkeypatch.setattr(supernet, "train", None)  # not called again
    assert run() == printed
