"""The released nets of models/: what is recorded of them is measured again."""

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from spikernel import artifacts
from spikernel.config import DatasetConfig, ExportConfig
from spikernel.export import compiler
from spikernel.export.lowering import lower
from spikernel.export.program_accuracy import logits
from spikernel.export.quantise import quantise
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import mean_logits, normalised_batches
from spikernel.inference.released import load_model
from spikernel.study import export
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
EXPORT_IMAGES = 400
"""Images that every form of a small net classifies, at most."""
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
def test_every_form_of_a_small_one_decides_as_it_does(name: str, tmp_path: Path) -> None:
    """Exported as a user would, on real test images."""
    metrics, report = metrics_of(name), tmp_path / "export" / "export.json"
    export.run(
        export.Inputs(prepared(name, tmp_path), [MODELS / name / "metrics.json"]),
        export.Outputs(report),
        export.Settings(ExportConfig(images=EXPORT_IMAGES)),
    )
    made = artifacts.read_object(report)
    accuracy = made["test_accuracy_percent"]
    assert accuracy["trained"] == metrics["trained_test_accuracy_percent"]
    assert accuracy["fp32"] == pytest.approx(metrics["test_accuracy_percent"], abs=0.02)
    # With the normalisation in them the stem's weights are rounded once more; no others are.
    assert accuracy["int8"] == pytest.approx(metrics["test_accuracy_percent"], abs=0.3)
    assert int8_agreement(name, report) >= 0.95
    code = made["c"]["int8"]
    assert code["same_class"] == code["images"] == min(EXPORT_IMAGES, metrics["test_images"])
    assert code["equal_to_the_bit"]
    assert 0 < made["firing_rate"] < 1
    assert 0 < made["effective_acs"] < made["dense_synops"]
    card = report.with_name("MODEL_CARD.md").read_text()
    assert f"| as trained | {metrics['trained_test_accuracy_percent']:.2f} % |" in card
    assert f"{metrics['epochs']} epochs, seed {metrics['seed']} |" in card


def int8_agreement(name: str, report: Path) -> float:
    """Return on which share of the exported images int8 gives the class of the released net."""
    images = images_of(report)
    net, preprocessing = load_model(MODELS / name / "model.safetensors", CPU)
    normalise = Normaliser(preprocessing.mean, preprocessing.sd, CPU)
    expected = mean_logits(net, normalised_batches(images, normalise)).argmax(1)
    values = (preprocessing.mean, preprocessing.sd, preprocessing.classes)
    found = logits(quantise(lower(net, *values)), images).argmax(1)
    return float((found == expected).float().mean())


def images_of(report: Path) -> Tensor:
    """Return the test images that an export was compared on (uint8 [N, C, H, W])."""
    made = artifacts.read_object(report)
    count = made["c"]["int8"]["images"]
    channels = {"digits": 1}.get(made["dataset"], 3)
    raw = np.fromfile(report.with_name("images.u8"), np.uint8).reshape(count, -1, channels)
    side = math.isqrt(raw.shape[1])
    return torch.from_numpy(raw.reshape(count, side, side, channels).transpose(0, 3, 1, 2).copy())
