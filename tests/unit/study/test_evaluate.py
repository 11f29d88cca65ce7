"""What an evaluation says of the split of its data."""

import json
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file, save_file
from trained_digits import CPU, NETWORK

from spikernel.data.splits import load_split
from spikernel.inference.released import save_model
from spikernel.network.spiking_net import build_net
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.study.evaluate import evaluate
from spikernel.study.shapes import image_shape


def test_weights_that_do_not_name_their_split_are_said_not_to(
    manifest: Path, tmp_path: Path
) -> None:
    data, path = load_split(manifest, "test").manifest, tmp_path / "model.safetensors"
    cell = Cell.from_archid("zero-zero-k1-zero-zero-zero")
    architecture = Architecture(cell, NETWORK, image_shape(data))
    save_model(path, build_net(architecture, seed=0, device=CPU.torch_device), data)
    known = evaluate(path, manifest, "test", CPU)
    assert known.same_split is True
    assert str(known).endswith(f"{CPU})")
    # As earlier versions wrote them.
    with safe_open(path, framework="pt") as file:
        description = json.loads(file.metadata()["spikernel"])
    del description["preprocessing"]["train_sha256"]
    save_file(load_file(path), path, metadata={"spikernel": json.dumps(description)})
    unknown = evaluate(path, manifest, "test", CPU)
    assert unknown.same_split is None
    assert unknown.accuracy_percent == known.accuracy_percent
    assert "; the weights do not say how their training's data were split" in str(unknown)
