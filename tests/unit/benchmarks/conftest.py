"""What the tests of ablations share: digits of their own, and settings of a tiny net's training."""

from pathlib import Path

import pytest

from spikernel.config import TrainingConfig


@pytest.fixture
def own_digits(digits_manifest: Path, tmp_path: Path) -> Path:
    """Return the manifest of a copy, since states and weights lie beside it."""
    images = tmp_path / "images"
    images.mkdir()
    for path in digits_manifest.parent.iterdir():
        (images / path.name).write_bytes(path.read_bytes())
    return images / "manifest.json"


@pytest.fixture
def brief() -> TrainingConfig:
    """Return settings that train a tiny net on these digits, alike on every processor."""
    return TrainingConfig(
        recipe="engine", lookahead=True, batch_size=36, crop_padding=1, cpu_bfloat16=False
    )
