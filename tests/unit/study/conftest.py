"""The whole digits data set, and two nets trained on it once for all tests."""

from pathlib import Path

import pytest
from trained_digits import TRAINING, trained

from spikernel.config import DatasetConfig
from spikernel.study.prepare_data import prepare


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole_digits")
    path = folder / "prepare_data" / "manifest.json"
    prepare("digits", DatasetConfig(kind="digits"), folder / "data", path)
    return path


@pytest.fixture(scope="session")
def model(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("forward")
    return trained(manifest, folder, "k3-zero-skip-k1-avg-k3", TRAINING)


@pytest.fixture(scope="session")
def feedback_model(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    short = TRAINING.model_copy(update={"epochs": 1})
    folder = tmp_path_factory.mktemp("feedback")
    return trained(manifest, folder, "k3-k1-skip-k1r-k1-k3", short)
