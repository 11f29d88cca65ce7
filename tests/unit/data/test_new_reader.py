"""A reader is added by one file, here to a copy of the scripts."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"

STRIPES = """
import numpy as np

from spikernel.data.collection import Collection, array_pool

IMAGE_SIZE = 6
CHANNELS = 1


def read(name, settings, data_dir):
    import soundfile  # a package of its own, not there where a configuration is checked

    assert soundfile.WORKS
    labels = np.arange(40) % 2
    images = np.zeros((40, 1, 6, 6), np.uint8)
    images[labels == 1, :, ::2] = 255
    return Collection(("plain", "striped"), 1, array_pool(images, labels), None, None, ())
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    copy = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "spikernel/data/readers/stripes.py").write_text(STRIPES)
    return copy


def python(scripts: Path, code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=scripts, capture_output=True, text=True)


def test_prepare_data_reads_by_a_reader_of_one_new_file(scripts: Path, tmp_path: Path) -> None:
    (scripts / "soundfile.py").write_text("WORKS = True")
    manifest = tmp_path / "out" / "manifest.json"
    command = [
        sys.executable, scripts / "prepare_data.py", "--dataset", "s", "--data",
        "{kind: stripes}", "--data-dir", tmp_path, "--manifest", manifest,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(manifest.read_text())
    assert (found["kind"], found["image_size"]) == ("stripes", 6)
    images = np.load(manifest.with_name("test_images.npy"))
    labels = np.load(manifest.with_name("test_labels.npy"))
    assert (images[:, 0, 0, 0] == 255 * labels).all()


def test_its_size_is_checked_without_the_packages_that_read_images(scripts: Path) -> None:
    code = (
        "import sys\n"
        "packages = 'torch torchvision PIL sklearn requests tqdm soundfile'.split()\n"
        "sys.modules.update(dict.fromkeys(packages))\n"
        "from spikernel.config import WorkflowConfig\n"
        "from spikernel.data.rules import check_datasets, image_size\n"
        "names = ['stripes', 'digits', 'cifar10', 'cifar100', 'tinyimagenet']\n"
        "config = dict(experiment='x', datasets=dict.fromkeys(names))\n"
        "config = WorkflowConfig.parse(config, 'config')\n"
        "print(*(image_size(*item) for item in config.datasets.items()))\n"
        "check_datasets(config)"
    )
    done = python(scripts, code)
    assert done.stdout == "6 8 32 32 64\n", done.stderr
    # The kernels of the default configuration are too large for its images.
    assert "7 is larger than the 6x6 images of data set stripes" in done.stderr


def test_one_kind_does_not_depend_on_the_readers_of_others(scripts: Path) -> None:
    code = (
        "from spikernel import registry\n"
        "from spikernel.code import reached\n"
        "part = registry.module_name('reader', 'stripes')\n"
        "print(*(path.name for path in reached('prepare_data', [part])))"
    )
    files = set(python(scripts, code).stdout.split())
    assert {"prepare_data.py", "store.py", "stripes.py"} < files
    others = {"digits.py", "cifar.py", "cifar10.py", "imagefolder.py", "images.py", "download.py"}
    assert not others & files
