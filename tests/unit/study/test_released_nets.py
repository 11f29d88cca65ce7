"""The released nets of models/: what is recorded of them is measured again."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from spikernel import artifacts
from spikernel.config import DatasetConfig
from spikernel.data.splits import load_split
from spikernel.export import compiler
from spikernel.export.c_source import c_files
from spikernel.export.lowering import lower
from spikernel.export.program import Program
from spikernel.export.program_accuracy import logits
from spikernel.export.quantise import quantise
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import mean_logits
from spikernel.inference.released import load_model
from spikernel.study.evaluate import evaluate
from spikernel.study.inputs import Machine
from spikernel.study.prepare_data import prepare

ROOT = Path(__file__).parents[3]
MODELS = ROOT / "models"
NAMES = sorted(path.parent.name for path in MODELS.glob("*/metrics.json"))
DATA = Path(os.environ.get("SPIKERNEL_DATA", ROOT / "data"))
"""Folder of the data sets; nothing is downloaded, so nets of those that lack are not measured."""
FILES = {"cifar10": "cifar-10-*", "cifar100": "cifar-100-*", "tinyimagenet": "tiny-imagenet-200*"}
"""Names of what is read of each kind, in that folder."""
SMALL_BYTES = 300_000
C_IMAGES = 400
"""Images that the C code of a small net classifies, at most."""
CPU = torch.device("cpu")
needs_compiler = pytest.mark.skipif(compiler.find_compiler() is None, reason="needs a C compiler")


def metrics_of(name: str) -> dict[str, Any]:
    return artifacts.read_object(MODELS / name / "metrics.json")


def prepared(name: str, folder: Path) -> Path:
    """Prepare the data of a released net, as its record says; skip where they are not there."""
    metrics, manifest = metrics_of(name), folder / "manifest.json"
    settings = DatasetConfig(**metrics["data"])
    wanted = FILES.get(settings.kind)
    if wanted is not None and all(path.suffix == ".dvc" for path in DATA.glob(wanted)):
        pytest.skip(f"needs {metrics['dataset']} in {DATA}: set SPIKERNEL_DATA")
    prepare(metrics["dataset"], settings, DATA, manifest)
    return manifest


def small(name: str) -> bool:
    return int(metrics_of(name)["bytes"]) < SMALL_BYTES


def test_all_fit_what_is_allowed() -> None:
    assert set(FILES) | {"digits"} == {metrics_of(name)["dataset"] for name in NAMES}
    assert sum(path.stat().st_size for path in MODELS.rglob("*") if path.is_file()) < 30e6


@pytest.mark.parametrize("name", NAMES)
def test_the_accuracy_is_measured_again(name: str, tmp_path: Path) -> None:
    metrics = metrics_of(name)
    if not small(name) and "SPIKERNEL_DATA" not in os.environ:
        pytest.skip("takes minutes: set SPIKERNEL_DATA to the folder of the data sets")
    weights = MODELS / name / "model.safetensors"
    found = evaluate(weights, prepared(name, tmp_path), "test", Machine("cpu"))
    assert found.accuracy_percent == metrics["test_accuracy_percent"]
    assert found.images == metrics["test_images"]
    assert found.params == metrics["params"]
    assert json.loads((MODELS / name / "provenance.json").read_text())["step"] == "release"


@needs_compiler
@pytest.mark.parametrize("name", [name for name in NAMES if small(name)])
def test_c_code_decides_as_the_released_net(name: str, tmp_path: Path) -> None:
    """Compiled int8 code against the binary simulation of the weights, on real test images."""
    manifest = prepared(name, tmp_path)
    split = load_split(manifest, "test")
    images, labels = np.array(split.images[:C_IMAGES]), split.labels[:C_IMAGES]
    net, preprocessing = load_model(MODELS / name / "model.safetensors", CPU)
    normalise = Normaliser(preprocessing.mean, preprocessing.sd, CPU)
    expected = mean_logits(net, normalise(torch.from_numpy(images)).split(100)).argmax(1).numpy()
    values = (preprocessing.mean, preprocessing.sd, preprocessing.classes)
    program = quantise(lower(net, *values))
    classes = c_classes(program, images, tmp_path / "c")
    assert np.array_equal(classes, logits(program, torch.from_numpy(images)).argmax(1).numpy())
    # With the normalisation in them the stem's weights are rounded once more; no others are.
    assert np.mean(classes == expected) >= 0.95
    if len(labels) == metrics_of(name)["test_images"]:
        right = 100 * np.mean(classes == labels)
        assert right == pytest.approx(metrics_of(name)["test_accuracy_percent"], abs=0.3)


def c_classes(program: Program, images: NDArray[np.uint8], folder: Path) -> NDArray[np.int64]:
    """Compile a program's C code and return its class for each image (N, C, H, W)."""
    command = compiler.find_compiler()
    assert command is not None
    compiler.write_sources(folder, c_files(program, "released"))
    path = folder / "images.u8"
    path.write_bytes(np.ascontiguousarray(images.transpose(0, 2, 3, 1)).tobytes())
    return compiler.classify(compiler.build(folder, command), path).classes
