from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from toy import fresh_net, load

from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.errors import DataError
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import accuracy_percent, to_device
from spikernel.inference.released import load_model, save_model
from spikernel.network.spiking_net import build_net
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.study.shapes import image_shape
from spikernel.training.loop import train

CPU = torch.device("cpu")


def test_reloaded_model_is_the_trained_one(digits_manifest: Path, tmp_path: Path) -> None:
    splits = load(digits_manifest)
    trained = train(fresh_net(digits_manifest), splits, TrainingConfig(epochs=1), 0)
    path = tmp_path / "model.safetensors"
    save_model(path, trained.net, splits[0].manifest)
    net, preprocessing = load_model(path, CPU)
    assert preprocessing.classes == list(splits[0].manifest.classes)
    assert preprocessing.mean == list(splits[0].manifest.mean)
    images, labels = to_device(splits[1], CPU)
    normalise = Normaliser(preprocessing.mean, preprocessing.sd, CPU)
    first = accuracy_percent(trained.net, images, labels, normalise)
    assert accuracy_percent(net, images, labels, normalise) == first
    assert first == trained.history[-1].val_accuracy_percent


def test_every_setting_of_the_macro_structure_is_remembered(
    digits_manifest: Path, tmp_path: Path
) -> None:
    manifest = load(digits_manifest)[0].manifest
    network = NetworkConfig(
        macro="modern", channels=4, time_steps=2, convolutions={5: "depthwise"}, residual=False
    )
    cell = Cell.from_archid("k3-zero-d5-f3-avg-k3")
    net = build_net(Architecture(cell, network, image_shape(manifest)), 1, CPU).eval()
    for neuron in net.neurons():
        neuron.w.data.add_(torch.rand(()))  # time constants as after training
    save_model(tmp_path / "model.safetensors", net, manifest)
    loaded, _ = load_model(tmp_path / "model.safetensors", CPU)
    assert loaded.architecture == net.architecture
    images = torch.randn(2, 1, 8, 8)
    assert torch.equal(loaded(images), net(images))


def test_damaged_and_foreign_files_are_one_line(digits_manifest: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is missing: run train_final first"):
        load_model(tmp_path / "none.safetensors", CPU)
    path = tmp_path / "model.safetensors"
    save_model(path, fresh_net(digits_manifest), load(digits_manifest)[0].manifest)
    with safe_open(path, framework="pt") as file:
        description = file.metadata()
    tensors = load_file(path)
    tensors["head.outputs.weight"] = tensors["head.outputs.weight"][:, 1:].contiguous()
    save_file(tensors, tmp_path / "misfit.safetensors", metadata=description)
    with pytest.raises(DataError, match=r"head\.outputs\.weight is \(\d+, \d+\), the net it"):
        load_model(tmp_path / "misfit.safetensors", CPU)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataError, match="not a whole safetensors file"):
        load_model(path, CPU)
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(DataError, match="was not written by train_final"):
        load_model(path, CPU)
    save_file({"x": torch.zeros(1)}, path, metadata={"spikernel": "{}"})
    with pytest.raises(DataError, match="its SpiKernel description is not complete"):
        load_model(path, CPU)
    save_model(path, fresh_net(digits_manifest), load(digits_manifest)[0].manifest)
    with safe_open(path, framework="pt") as file:
        described = file.metadata()
    save_file({"x": torch.zeros(1)}, path, metadata=described)
    with pytest.raises(DataError, match="is missing, the net it describes has"):
        load_model(path, CPU)
