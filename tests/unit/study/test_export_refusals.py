"""Models, data and forms that the export refuses."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from trained_digits import CPU, deployment_outputs, exported

from spikernel.config import DatasetConfig, ExportConfig
from spikernel.errors import DataError, ExportError
from spikernel.export import bundle, compiler
from spikernel.study import deployment, export
from spikernel.study.prepare_data import prepare


def test_altered_weights_and_metrics_are_neither_deployed_nor_exported(
    manifest: Path, model: Path, tmp_path: Path
) -> None:
    for path in model.parent.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    weights, metrics = tmp_path / "model.safetensors", tmp_path / "metrics.json"
    sound = weights.read_bytes()
    weights.write_bytes(sound[:-4] + b"\0\0\0\0")
    inputs = deployment.Inputs(manifest, metrics, weights)
    with pytest.raises(DataError, match=r"model\.safetensors was altered since it was made"):
        deployment.run(inputs, deployment_outputs(metrics), CPU)
    with pytest.raises(DataError, match=r"model\.safetensors was altered since it was made"):
        exported(manifest, metrics, tmp_path)
    weights.write_bytes(sound)
    metrics.write_text(metrics.read_text().replace('"rank": 1', '"rank": 2'))
    with pytest.raises(DataError, match=r"metrics\.json was altered since it was made"):
        exported(manifest, metrics, tmp_path)


def test_an_export_that_answers_otherwise_is_refused(
    manifest: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if compiler.find_compiler() is None:
        pytest.skip("needs a C compiler")
    honest: Callable[..., Any] = compiler.classify

    def shifted(*arguments: Any) -> Any:
        answers = honest(*arguments)
        return replace(answers, logits=answers.logits[:, ::-1].copy())

    monkeypatch.setattr(compiler, "classify", shifted)
    with pytest.raises(ExportError, match=r"the C model gives another class than the Python model"):
        exported(manifest, model, tmp_path, c_weights=("int8",), images=20)


def test_a_failed_export_leaves_no_report_of_an_earlier_one(
    manifest: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported(manifest, model, tmp_path, c_weights=(), images=20)
    names = ("export.json", "provenance.json")
    before = {name: (tmp_path / "export" / name).read_bytes() for name in names}
    wrong = tmp_path / "model" / "metrics.json"
    shutil.copytree(model.parent, wrong.parent)
    wrong.with_name("model.safetensors").write_bytes(b"damaged")
    with pytest.raises(DataError):  # before any file is written
        exported(manifest, wrong, tmp_path, c_weights=(), images=20)
    assert {name: (tmp_path / "export" / name).read_bytes() for name in names} == before

    def refused(*_: object) -> None:
        raise ExportError("the ONNX model gives another class")

    monkeypatch.setattr(bundle, "write_onnx", refused)
    with pytest.raises(ExportError, match="the ONNX model gives another class"):
        exported(manifest, model, tmp_path, c_weights=(), images=20)
    assert not any((tmp_path / "export" / name).exists() for name in names)


def test_results_of_an_older_version_are_refused(
    manifest: Path, model: Path, tmp_path: Path
) -> None:
    shutil.copytree(model.parent, tmp_path / "old")
    path = tmp_path / "old" / "metrics.json"
    old = json.loads(path.read_text())
    del old["rank"]
    path.write_text(json.dumps(old))
    path.with_name("provenance.json").unlink()  # which would refuse the altered file first
    with pytest.raises(ExportError, match=r"metrics\.json: key 'rank' is missing"):
        exported(manifest, path, tmp_path)


def test_model_of_another_data_set_is_refused(manifest: Path, model: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "manifest.json"
    shutil.copytree(manifest.parent, other.parent)
    data = json.loads(other.read_text())
    data["classes"] = [f"class {name}" for name in data["classes"]]
    other.write_text(json.dumps(data))
    other.with_name("provenance.json").unlink()  # which would refuse the altered file first
    with pytest.raises(DataError, match=r"its classes are not those that the net was trained on"):
        exported(other, model, tmp_path)


def test_images_of_another_shape_are_refused(model: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for split in ("train", "test"):
        for label in range(10):
            for place in range(3):
                path = tmp_path / "data" / "wide" / split / str(label) / f"{place}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                pixels = generator.integers(0, 256, (12, 12, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(path)
    manifest = tmp_path / "prepared" / "manifest.json"
    settings = DatasetConfig(kind="imagefolder", image_size=12, validation_fraction=0.4)
    prepare("wide", settings, tmp_path / "data", manifest)
    with pytest.raises(DataError, match=r"its images are 3 x 12 x 12, .* made for 1 x 8 x 8"):
        exported(manifest, model, tmp_path)


def test_a_folder_of_other_results_is_refused(manifest: Path, model: Path) -> None:
    before = (model.parent / "provenance.json").read_bytes()
    with pytest.raises(ExportError, match="holds what train_final made, which stays as it is"):
        export.run(
            export.Inputs(manifest, [model]),
            export.Outputs(model.parent / "export.json"),
            export.Settings(ExportConfig()),
        )
    assert (model.parent / "provenance.json").read_bytes() == before
