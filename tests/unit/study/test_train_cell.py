"""A cell trained by hand in slices, its record, and its released weights evaluated again."""

import fcntl
import json
import pickle
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from toy import NETWORK

from spikernel import artifacts, provenance
from spikernel.config import DatasetConfig, TrainingConfig
from spikernel.errors import ConfigError, DataError
from spikernel.inference.released import load_model
from spikernel.space.cell import Cell
from spikernel.space.flop import forward_flop
from spikernel.study import train_cell, train_final
from spikernel.study.candidate import Candidate
from spikernel.study.evaluate import evaluate
from spikernel.study.inputs import Machine
from spikernel.study.measurement import write_measurement
from spikernel.study.prepare_data import prepare
from spikernel.training import state

ROOT = Path(__file__).parents[3]
ARCHID = "k3t0.5-zero-skip-k1t0.8-zero-k3"
MACHINE = Machine("cpu")
CONFIG = {
    "experiment": "toy",
    "datasets": {"digits": {"train_images": 200, "test_images": 60}},
    "network": {"time_steps": 2, "channels": 2, "pool": 2, "hidden": 8, "votes": 1},
    "kernel_set_design": {"sizes_per_set": [1], "keep": 1},
    "train_final": {"training": {"recipe": "modern", "epochs": 3, "tensorboard": True}},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train by the script, stopped twice, as slices of machine time would."""
    place: Path = tmp_path_factory.mktemp("cell")
    config = place / "toy.yaml"
    config.write_text(yaml.safe_dump(CONFIG))
    command = [
        sys.executable, str(ROOT / "scripts/train_cell.py"), "--config", str(config),
        "--archid", ARCHID, "--width", "2", "--folder", str(place),
        "--data-dir", str(place / "data"), "--measurement", str(place / "digits-toy.json"),
    ]  # fmt: skip
    for step in (1, 2):
        short = [*command, "--max-seconds", "0.001"]
        done = subprocess.run(short, capture_output=True, text=True, timeout=600)
        assert done.returncode == 75, done.stderr
        assert f"unfinished: stopped in epoch 1 of 3, after {step} of 2 batches" in done.stderr
        assert not list(place.rglob("metrics.json"))
    for _ in range(2):  # what is finished is not done again
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        assert re.search(r"^\d+\.\d\d % of the test images of digits in 2 steps", done.stdout)
    assert "epoch" not in done.stderr
    return place


@pytest.fixture
def results(folder: Path) -> Path:
    return folder / f"{ARCHID}_width-2" / "seed-0"


def test_record_holds_what_a_reader_needs(folder: Path, results: Path) -> None:
    record = json.loads((folder / "digits-toy.json").read_text())
    metrics = json.loads((results / "metrics.json").read_text())
    assert record["test_accuracy_percent"] == metrics["test_accuracy_percent"]
    assert record["params"] == metrics["params"]
    assert record["time_steps"] == 2
    assert record["epochs"] == 3
    assert [line["epoch"] for line in record["history"]] == [1, 2, 3]
    assert record["seconds"] == pytest.approx(sum(line["seconds"] for line in record["history"]))
    assert record["val_accuracy_percent"] == record["history"][-1]["val_accuracy_percent"]
    assert record["config"]["training"]["recipe"] == "modern"
    assert record["config"]["network"]["channels"] == 4  # twice those of the experiment
    assert record["versions"]["torch"] == torch.__version__
    assert record["device"].startswith("cpu")
    # 180 training images; validation belongs to the time.
    assert record["images_per_second"] == pytest.approx(3 * 180 / record["seconds"])
    assert record["training_flop"] == 3 * 180 * record["training_flop_per_image"]
    architecture = load_model(results / "model.safetensors", torch.device("cpu"))[0].architecture
    assert record["training_flop_per_image"] == 3 * forward_flop(architecture)
    assert record["training_precision"] == "float32"
    deployed = json.loads((results / "deployment/deployment.json").read_text())
    assert record["int8_test_accuracy_percent"] == deployed["int8_test_accuracy_percent"]
    assert 0 <= record["int8_test_accuracy_percent"] <= 100
    assert len(list((results / "tensorboard").iterdir())) == 3
    assert not list(results.glob(".*"))


def test_record_of_other_files_is_refused(results: Path, tmp_path: Path) -> None:
    for path in results.glob("*.*"):
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    metrics, record = tmp_path / "metrics.json", tmp_path / "digits-toy.json"
    deployed = results / "deployment/deployment.json"
    with pytest.raises(DataError, match="must begin with 'digits-'"):
        write_measurement(metrics, deployed, tmp_path / "cifar10-toy.json")
    model = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(model[:-4] + b"\0\0\0\0")
    with pytest.raises(DataError, match=r"deployment\.json is not of .*model\.safetensors: run"):
        write_measurement(metrics, deployed, record)
    history = tmp_path / "history.csv"
    history.write_text(history.read_text().replace("\n1,", "\n2,"))
    with pytest.raises(DataError, match=r"history\.csv is not the one"):
        write_measurement(metrics, deployed, record)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_evaluation_equals_the_trainings(folder: Path, results: Path, split: str) -> None:
    metrics = json.loads((results / "metrics.json").read_text())
    expected = metrics["val_accuracy_percent" if split == "validation" else "test_accuracy_percent"]
    output = folder / f"{split}.json"
    command = [
        sys.executable, str(ROOT / "scripts/evaluate.py"), "--split", split,
        "--model", str(results / "model.safetensors"), "--output", str(output),
        "--manifest", str(folder / "prepare_data/manifest.json"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    written = json.loads(output.read_text())
    assert written["accuracy_percent"] == expected
    assert written["params"] == metrics["params"]
    assert done.stdout.startswith(f"{expected:.2f} % of {written['images']} {split} images")


def test_altered_or_unfit_weights_are_refused(folder: Path, results: Path, tmp_path: Path) -> None:
    manifest = folder / "prepare_data/manifest.json"
    model = tmp_path / "model.safetensors"
    released = (results / "model.safetensors").read_bytes()
    (tmp_path / "provenance.json").write_text((results / "provenance.json").read_text())
    model.write_bytes(released[:-4] + b"\0\0\0\0")
    with pytest.raises(DataError, match="was altered since it was made"):
        evaluate(model, manifest, "test", MACHINE)
    (tmp_path / "provenance.json").unlink()
    other = json.loads(manifest.read_text())
    other["classes"] = other["classes"][::-1]
    for path in manifest.parent.glob("*.npy"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    artifacts.write_json(tmp_path / "manifest.json", other)
    with pytest.raises(DataError, match="its classes are not those"):
        evaluate(model, tmp_path / "manifest.json", "test", MACHINE)


def test_data_split_otherwise_is_refused_or_named(
    folder: Path, results: Path, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.json"
    settings = {"kind": "digits", "train_images": 200, "test_images": 60, "split_seed": 1}
    prepare("digits", DatasetConfig.parse(settings, "d"), tmp_path / "data", manifest)
    model = results / "model.safetensors"
    assert evaluate(model, folder / "prepare_data/manifest.json", "test", MACHINE).same_split
    with pytest.raises(DataError, match=r"manifest\.json: this data set is split otherwise"):
        evaluate(model, manifest, "test", MACHINE)
    found = evaluate(model, manifest, "test", MACHINE, other_split=True)
    assert not found.same_split
    assert "the net may have seen some of them" in str(found)


def count_trainings(patch: pytest.MonkeyPatch) -> list[Path]:
    """Return a list that gets the weights of every training, which is not run."""
    begun: list[Path] = []

    def begin(*given: object) -> None:
        outputs = given[2]
        assert isinstance(outputs, train_final.Outputs)
        begun.append(outputs.model)

    patch.setattr(train_final, "train_candidate", begin)
    return begun


def test_data_of_another_set_or_of_other_settings_are_refused(folder: Path, tmp_path: Path) -> None:
    digits = CONFIG["datasets"]["digits"]  # type: ignore[index]
    both = {"digits": digits, "numbers": {"kind": "digits", **digits}}
    config = tmp_path / "toy.yaml"
    config.write_text(yaml.safe_dump({**CONFIG, "datasets": both}))
    settings = train_cell.Settings(config, ARCHID, folder, "numbers", width=2)
    with pytest.raises(
        DataError, match=r"manifest\.json is of digits, not of numbers: name another"
    ):
        train_cell.run(settings, MACHINE)
    config.write_text(yaml.safe_dump({**CONFIG, "datasets": {"digits": {"train_images": 190}}}))
    with pytest.raises(DataError, match="was prepared with other settings than the experiment has"):
        train_cell.run(replace(settings, dataset="digits"), MACHINE)


def test_a_net_of_data_prepared_anew_is_not_done(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "cell"
    shutil.copytree(folder, place)
    settings = train_cell.Settings(place / "toy.yaml", ARCHID, place, width=2)
    begun = count_trainings(monkeypatch)
    train_cell.run(settings, MACHINE)
    assert begun == []
    # The same settings, but images of another mean; without a record they count as they are.
    manifest = place / "prepare_data/manifest.json"
    artifacts.write_json(manifest, {**json.loads(manifest.read_text()), "mean": [0.25]})
    manifest.with_name("provenance.json").unlink()
    train_cell.run(settings, MACHINE)
    assert len(begun) == 1


def test_a_pupil_of_a_teacher_trained_anew_is_not_done(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = tmp_path / "teacher.safetensors"
    released = (results / "model.safetensors").read_bytes()
    teacher.write_bytes(released)
    training = {"recipe": "modern", "epochs": 1, "objective": "distil", "teacher": str(teacher)}
    config = tmp_path / "toy.yaml"
    config.write_text(yaml.safe_dump({**CONFIG, "train_final": {"training": training}}))
    settings = train_cell.Settings(config, ARCHID, tmp_path, data_dir=tmp_path / "data")
    train_cell.run(settings, MACHINE)
    begun = count_trainings(monkeypatch)
    train_cell.run(settings, MACHINE)
    assert begun == []
    teacher.write_bytes(released[:-1] + bytes([released[-1] ^ 1]))  # one bit of one weight
    train_cell.run(settings, MACHINE)
    assert len(begun) == 1


class Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('code in a file was run')",)


def test_files_of_weights_and_states_run_no_code(results: Path, tmp_path: Path) -> None:
    manifest = results.parents[1] / "prepare_data/manifest.json"
    bad = tmp_path / "model.safetensors"
    bad.write_bytes(pickle.dumps(Malicious()))
    with pytest.raises(DataError, match="not a whole safetensors file"):
        evaluate(bad, manifest, "test", MACHINE)
    unfinished = tmp_path / ".model.unfinished"
    torch.save({"fingerprint": {}, "state": Malicious()}, unfinished)
    assert state.load(unfinished, {}) is None
    unfinished.write_bytes(pickle.dumps(Malicious()))
    assert state.load(unfinished, {}) is None


def test_experiment_is_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    path.write_text(yaml.safe_dump({**CONFIG, "datasets": {"digits": {}, "cifar10": {}}}))
    with pytest.raises(ConfigError, match="--dataset must be one of cifar10, digits, got None"):
        train_cell.read_experiment(path, None)
    assert train_cell.read_experiment(path, "cifar10").training.epochs == 3
    path.write_text("experiment: [")
    with pytest.raises(ConfigError, match="not valid YAML"):
        train_cell.read_experiment(path, None)
    shipped = train_cell.read_experiment(ROOT / "config/gpu.yaml", "cifar100")
    assert shipped.dataset == "cifar100"
    assert shipped.training.mixed_precision


def test_record_that_is_named_wrongly_is_refused_before_the_training(tmp_path: Path) -> None:
    settings = train_cell.Settings(
        config=ROOT / "config/demo.yaml",
        archid="k3-zero-skip-zero-k3-zero",
        folder=tmp_path,
        measurement=tmp_path / "cifar10-toy.json",
    )
    with pytest.raises(DataError, match="must begin with 'digits-'"):
        train_cell.run(settings, Machine("cpu"))
    assert not list(tmp_path.iterdir())


def test_data_are_prepared_by_one_training_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def watched(*_: object) -> None:
        with (tmp_path / ".prepare_data.lock").open("w") as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        raise DataError("seen")

    monkeypatch.setattr(train_cell, "prepare", watched)
    settings = train_cell.Settings(
        config=ROOT / "config/demo.yaml", archid="k3-zero-skip-zero-k3-zero", folder=tmp_path
    )
    with pytest.raises(DataError, match="seen"):
        train_cell.run(settings, Machine("cpu"))


def test_a_key_that_was_added_since_trains_nothing_anew(
    digits_manifest: Path, tmp_path: Path
) -> None:
    candidate = Candidate(Cell.from_archid("k3-zero-skip-zero-k3-zero"), "k3", [3], None)
    outputs = train_final.Outputs.in_folder(tmp_path)
    settings = train_final.Settings(
        network=NETWORK, training=TrainingConfig(epochs=1, batch_size=60)
    )
    train_final.train_candidate(digits_manifest, candidate, outputs, settings, MACHINE)
    assert train_final.is_done(candidate, outputs, settings, MACHINE)
    record = tmp_path / "provenance.json"
    made = json.loads(record.read_text())
    del made[provenance.OWN_DIGEST]
    del made["settings"]["training"]["initial_weights"]
    artifacts.write_json(record, made)
    assert train_final.is_done(candidate, outputs, settings, MACHINE)
    made["settings"]["training"]["epochs"] = 2
    artifacts.write_json(record, made)
    assert not train_final.is_done(candidate, outputs, settings, MACHINE)
