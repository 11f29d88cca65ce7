"""A finished training as a released net, and its accuracy measured again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from toy import ARCHID, NETWORK

from spikernel import artifacts, provenance
from spikernel.config import TrainingConfig
from spikernel.errors import DataError, ExportError
from spikernel.export.compressed import ReleasePrecision, compressed
from spikernel.inference.released import load_model
from spikernel.study import release, train_final
from spikernel.study.candidate import Candidate
from spikernel.study.evaluate import Evaluation, evaluate
from spikernel.study.inputs import Machine

ROOT = Path(__file__).parents[3]
CPU, MACHINE = torch.device("cpu"), Machine("cpu")


@pytest.fixture(scope="module")
def training(digits_manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("trained")
    training = TrainingConfig(epochs=3, learning_rate=0.05, recipe="engine", crop_padding=0)
    train_final.train_candidate(
        digits_manifest,
        Candidate.by_hand(ARCHID),
        train_final.Outputs.in_folder(folder),
        train_final.Settings(network=NETWORK, training=training),
        MACHINE,
    )
    return folder


def released(training: Path, folder: Path, precision: ReleasePrecision = "fp16") -> Path:
    inputs, settings = release.Inputs(training), release.Settings(precision)
    release.run(inputs, release.Outputs(folder), settings, MACHINE)
    return folder


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_evaluation_gives_the_recorded_accuracy(
    training: Path, digits_manifest: Path, tmp_path: Path, precision: ReleasePrecision
) -> None:
    folder = released(training, tmp_path / "digits-tiny", precision)
    metrics = json.loads((folder / "metrics.json").read_text())
    command = [
        sys.executable, str(ROOT / "scripts/evaluate.py"), "--model", str(folder),
        "--manifest", str(digits_manifest), "--output", str(tmp_path / "evaluation.json"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "evaluation.json").read_text())
    assert found["accuracy_percent"] == metrics["test_accuracy_percent"]
    assert found["params"] == metrics["params"]
    trained = json.loads((training / "metrics.json").read_text())
    assert metrics["trained_test_accuracy_percent"] == trained["test_accuracy_percent"]
    assert metrics["bytes"] == (folder / "model.safetensors").stat().st_size
    assert metrics["data"] == {"kind": "digits", "train_images": 200, "test_images": 60}
    card = (folder / "MODEL_CARD.md").read_text()
    assert f"--data '{json.dumps(metrics['data'], sort_keys=True)}'" in card
    assert f"**{metrics['test_accuracy_percent']:.2f} %** of 60 images" in card
    assert f"weights as {precision}" in card
    record = json.loads((folder / "provenance.json").read_text())
    assert set(record["outputs"]) == {"metrics.json", "model.safetensors", "MODEL_CARD.md"}
    assert record["settings"]["training"]["settings"]["training"]["recipe"] == "engine"


def test_weights_are_rounded_and_the_rest_stays(training: Path, tmp_path: Path) -> None:
    before = load_model(training / "model.safetensors", CPU)[0].state_dict()
    sizes: dict[ReleasePrecision, int] = {"fp16": 2, "int8": 1}
    for precision, size in sizes.items():
        path = released(training, tmp_path / f"digits-{precision}", precision) / "model.safetensors"
        after, stored = load_model(path, CPU)[0].state_dict(), load_file(path)
        for name, value in before.items():
            assert stored[name].element_size() == (size if value.ndim >= 2 else value.itemsize)
            if value.ndim < 2:
                assert torch.equal(after[name], value)
            elif precision == "fp16":
                assert torch.equal(after[name], value.half().float())
            else:  # half a step of the largest weight of a filter by 127
                step = value.flatten(1).abs().amax(1) / 127
                assert ((after[name] - value).flatten(1).abs().amax(1) <= 0.501 * step).all()


def test_int8_by_hand() -> None:
    values = torch.tensor([[1.27, -0.5], [0.0, 0.0], [0.0, -254.0]])
    found = compressed({"w": values, "b": values[0]}, "int8")
    assert found["w"].tolist() == [[127, -50], [0, 0], [0, -127]]
    torch.testing.assert_close(found["w.scale"], torch.tensor([0.01, 1 / 127, 2.0]))
    assert torch.equal(found["b"], values[0])


def test_released_again_it_is_the_new_one(
    training: Path, digits_manifest: Path, tmp_path: Path
) -> None:
    folder = released(training, tmp_path / "digits-tiny", "fp16")
    assert version_of(folder) == 1
    assert "## Versions" not in (folder / "MODEL_CARD.md").read_text()
    first = artifacts.file_hash(folder / "model.safetensors")
    released(training, folder, "fp16")
    assert version_of(folder) == 1  # the same weights
    released(training, folder, "int8")
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["precision"] == "int8"
    again = evaluate(folder / "model.safetensors", digits_manifest, "test", MACHINE)
    assert again.accuracy_percent == metrics["test_accuracy_percent"]
    assert again.version == 2
    assert f"(version 2, {ARCHID}, " in str(again)
    found = [(item["version"], item["precision"], item["sha256"]) for item in metrics["versions"]]
    assert found == [(1, "fp16", first), (2, "int8", again.sha256)]
    card = (folder / "MODEL_CARD.md").read_text()
    assert "| version | **2** of `digits-tiny`" in card
    rows = [line for line in card.splitlines() if line.startswith(("| 1 | fp16", "| 2 | int8"))]
    assert [row[:10] for row in rows] == ["| 2 | int8", "| 1 | fp16"]


def test_a_release_that_fails_leaves_the_earlier_one_whole(
    training: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = released(training, tmp_path / "digits-tiny", "fp16")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def killed(*_: object) -> Evaluation:
        raise KeyboardInterrupt

    monkeypatch.setattr(release, "evaluate", killed)
    with pytest.raises(KeyboardInterrupt):
        released(training, folder, "int8")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_release_without_a_version_was_the_first(training: Path, tmp_path: Path) -> None:
    folder = released(training, tmp_path / "digits-tiny", "fp16")
    path = folder / "metrics.json"
    values = json.loads(path.read_text())
    older = {key: item for key, item in values.items() if not key.startswith("version")}
    path.write_text(json.dumps(older))
    with pytest.raises(DataError, match=r"metrics\.json was altered since it was made"):
        released(training, folder, "int8")  # whose versions cannot be trusted
    (folder / "provenance.json").unlink()
    released(training, folder, "int8")
    assert version_of(folder) == 2


def version_of(folder: Path) -> int:
    found: int = json.loads((folder / "metrics.json").read_text())["version"]
    return found


def test_what_is_too_large_altered_or_misnamed_is_refused(training: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must begin with 'digits-'"):
        released(training, tmp_path / "tiny")
    folder = tmp_path / "models" / "digits-b"
    released(training, tmp_path / "models" / "digits-a")
    one = (tmp_path / "models/digits-a/model.safetensors").stat().st_size / 1e6
    inputs, settings = release.Inputs(training), release.Settings(most_mb=one)
    with pytest.raises(ExportError, match=r"the other nets in .*models 0\.0\d MB, more than"):
        release.run(inputs, release.Outputs(folder), settings, MACHINE)
    assert not folder.exists()
    copied = tmp_path / "copied"
    copied.mkdir()
    for name in ("metrics.json", "model.safetensors", "provenance.json"):
        (copied / name).write_bytes((training / name).read_bytes())
    record = json.loads((copied / "provenance.json").read_text())
    del record[provenance.OWN_DIGEST]  # as in an earlier version, so that it may be changed
    record["inputs"] = {"elsewhere/manifest.json": "0" * 64}
    (copied / "provenance.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match="the data that it names are not there"):
        released(copied, folder)
    metrics = copied / "metrics.json"
    metrics.write_text(metrics.read_text().replace('"digits"', '"other"'))
    with pytest.raises(DataError, match=r"metrics\.json was altered since it was made"):
        released(copied, folder)


def test_int8_weights_without_scales_are_refused(training: Path, tmp_path: Path) -> None:
    path = released(training, tmp_path / "digits-tiny", "int8") / "model.safetensors"
    (path.parent / "provenance.json").unlink()
    with safe_open(path, framework="pt") as file:
        description = file.metadata()
    tensors = load_file(path)
    del tensors["head.outputs.weight.scale"]
    save_file(tensors, path, metadata=description)
    with pytest.raises(DataError, match=r"head\.outputs\.weight is int8 and lacks a scale"):
        load_model(path, CPU)


def test_a_release_names_files_from_the_current_folder(
    training: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = released(training, tmp_path / "digits-away")
    monkeypatch.chdir(training)
    here = released(training, tmp_path / "digits-here")
    away, near = (
        json.loads((path / "provenance.json").read_text())["inputs"] for path in (folder, here)
    )
    assert str(training / "metrics.json") in away
    assert {"metrics.json", "model.safetensors"} < set(near)
    assert away[str(training / "metrics.json")] == near["metrics.json"]
