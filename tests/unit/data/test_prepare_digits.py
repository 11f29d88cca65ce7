import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spikernel.config import DatasetConfig
from spikernel.data.splits import load_split
from spikernel.errors import DataError
from spikernel.study.prepare_data import prepare

ROOT = Path(__file__).parents[3]


def run(*arguments):
    command = [sys.executable, ROOT / "scripts" / "prepare_data.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT / "scripts")


def test_script_prepares_digits(tmp_path):
    data_dir, output = tmp_path / "nothing", tmp_path / "out" / "manifest.json"
    done = run(
        "--dataset", "digits", "--data", "{kind: digits, split_seed: 3}",
        "--data-dir", data_dir, "--manifest", output,
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr
    assert not data_dir.exists()
    assert sorted(path.name for path in output.parent.iterdir()) == sorted(
        ["findings.json", "manifest.json", "provenance.json"]
        + [f"{s}_{a}.npy" for s in ("train", "validation", "test") for a in ("images", "labels")]
    )
    splits = {name: load_split(output, name) for name in ("train", "validation", "test")}
    assert sum(len(split.labels) for split in splits.values()) == 1797
    original = set(original_digits())
    for split in splits.values():
        seen = {image.tobytes() for image in split.images}
        assert seen <= original
        original -= seen  # no image is in two splits: the 1,797 images are all different
    assert not original
    assert str(tmp_path) not in output.read_text()
    record = output.with_name("provenance.json").read_text()
    assert str(tmp_path) not in record
    assert json.loads(record)["settings"]["split_seed"] == 3
    assert "manifest.json" in json.loads(record)["outputs"]


def original_digits():
    from sklearn.datasets import load_digits

    for image in load_digits().images:
        yield np.floor(image * 255 / 16 + 0.5).astype(np.uint8).tobytes()


def test_same_settings_same_files_other_seed_other_files(tmp_path):
    written = []
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        manifest = tmp_path / folder / "manifest.json"
        prepare("digits", DatasetConfig(kind="digits", split_seed=seed), tmp_path, manifest)
        written.append(manifest.read_bytes())
    assert written[0] == written[1]
    assert written[0] != written[2]


def test_an_old_manifest_does_not_outlive_its_arrays(tmp_path, monkeypatch):
    manifest = tmp_path / "manifest.json"
    prepare("digits", DatasetConfig(kind="digits"), tmp_path, manifest)

    def fail(*_arguments):
        raise DataError("image 7 is unreadable")

    monkeypatch.setattr("spikernel.data.store._fetch", fail)
    with pytest.raises(DataError, match="image 7"):
        prepare("digits", DatasetConfig(kind="digits", split_seed=1), tmp_path, manifest)
    assert not manifest.exists()
    assert not list(tmp_path.glob(".*tmp*"))


def test_script_reports_bad_input_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    done = run(
        "--dataset", "digits", "--data", "{kind: digits}",
        "--data-dir", tmp_path / "file", "--manifest", tmp_path / "manifest.json",
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        f"error: {tmp_path / 'file'} is not a folder: set data_dir to the folder of the data sets\n"
    )
