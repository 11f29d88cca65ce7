import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spikernel.config import DatasetConfig
from spikernel.data import manifest as manifests
from spikernel.data.splits import load_split, places_of
from spikernel.errors import DataError, SpikernelError
from spikernel.study.prepare_data import prepare

SCRIPTS = Path(__file__).parents[3] / "scripts"


@pytest.fixture
def prepared(tmp_path):
    path = tmp_path / "digits" / "manifest.json"
    prepare("digits", DatasetConfig(kind="digits", train_images=100), tmp_path, path)
    return path


def test_arrays_are_mapped_and_described(prepared):
    split = load_split(prepared, "train")
    assert isinstance(split.images, np.memmap)
    assert not split.images.flags.writeable
    assert split.images.dtype == np.uint8
    assert split.labels.dtype == np.int64
    assert split.images.shape == (90, 1, 8, 8)
    files = split.manifest.splits["train"]
    assert files.per_class == tuple(np.bincount(split.labels))
    scaled = split.images / 255
    assert split.manifest.mean == pytest.approx(scaled.mean((0, 2, 3)))
    assert split.manifest.sd == pytest.approx(scaled.std((0, 2, 3)))


@pytest.mark.parametrize("array", ["images", "labels"])
def test_altered_array_is_noticed(prepared, array):
    path = prepared.with_name(f"test_{array}.npy")
    data = bytearray(path.read_bytes())
    data[-8] ^= 1
    path.write_bytes(data)
    recorded = getattr(manifests.read(prepared).splits["test"], f"{array}_sha256")
    with pytest.raises(DataError, match=f"test_{array}.npy was altered.*{recorded}.*run prepare"):
        load_split(prepared, "test")
    load_split(prepared, "train")


def test_missing_array_and_unknown_split(prepared):
    with pytest.raises(DataError, match="no split 'dev': take train, validation, test"):
        load_split(prepared, "dev")
    prepared.with_name("train_labels.npy").unlink()
    with pytest.raises(DataError, match=r"train_labels.npy cannot be read.*run prepare_data again"):
        load_split(prepared, "train")


def test_shape_that_contradicts_the_manifest(prepared):
    record = json.loads(prepared.read_text())
    record["image_size"] = 16
    prepared.write_text(json.dumps(record))
    with pytest.raises(DataError, match=r"uint8\(90, 1, 8, 8\), but the manifest .*16, 16"):
        load_split(prepared, "train")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"splits": {}}, "splits must be train, validation, test"),
        ({"mean": [0.1, 0.2]}, "one value per channel"),
        ({"sd": [0.0]}, "sd/0"),
        ({"colour": 1}, "unknown key"),
    ],
)
def test_bad_manifests(prepared, change, message):
    record = json.loads(prepared.read_text())
    prepared.write_text(json.dumps({**record, **change}))
    with pytest.raises(DataError, match=rf"{message}.*run prepare_data again"):
        manifests.read(prepared)


def test_manifest_cannot_point_elsewhere(prepared):
    record = json.loads(prepared.read_text())
    record["splits"]["train"]["images"] = "../other.npy"
    prepared.write_text(json.dumps(record))
    with pytest.raises(DataError, match="splits/train/images"):
        manifests.read(prepared)


def test_missing_manifest(tmp_path):
    with pytest.raises(SpikernelError, match="run the step that makes it first"):
        manifests.read(tmp_path / "manifest.json")


def test_loading_imports_no_torch():
    code = (
        "import sys, spikernel.data.splits, spikernel.study.prepare_data;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'torchvision', 'sklearn')))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS, check=True)


@pytest.mark.parametrize(("images", "per_class"), [(100, 10), (60, 10), (99, 10), (149, 10)])
def test_places_stand_for_all_classes(images, per_class):
    sorted_ = np.arange(images) // per_class
    places = places_of(sorted_, 50)
    assert len(places) == len(set(places)) == 50
    assert set(sorted_[places]) == set(sorted_)
    # Where the first ones hold all classes, they are taken.
    mixed = np.arange(images) % 10
    assert places_of(mixed, 50).tolist() == list(range(50))
    assert places_of(sorted_, 1000).tolist() == list(range(images))
