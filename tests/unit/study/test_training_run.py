import logging
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import torch

from spikernel import artifacts, provenance
from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.data.manifest import read
from spikernel.errors import DataError, TrainingError
from spikernel.network.spiking_net import SpikingNet
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.study import inputs
from spikernel.study.inputs import Machine
from spikernel.study.shapes import image_shape
from spikernel.study.training_run import check_learned, fingerprint, weights_hashes
from spikernel.training.loop import Trained
from spikernel.training.progress import EpochRecord

LAST = EpochRecord(
    epoch=1, learning_rate=0.1, train_loss=2.0, train_accuracy_percent=30.0,
    val_accuracy_percent=30.0, seconds=1.0,
)  # fmt: skip


def ending(**changes: float) -> Trained:
    history = [replace(LAST, **changes)]
    return Trained(cast(SpikingNet, None), history, images=1, flop_per_image=(1,))


@pytest.mark.parametrize(
    ("per_class", "most"),
    # Of 100 images guessing the largest class has 10 +- 3 %, then 90 +- 3 %.
    [((10,) * 10, 16.0), ((90, 9, 1), 96.0)],
)
def test_a_net_at_chance_is_named(
    caplog: pytest.LogCaptureFixture, per_class: tuple[int, ...], most: float
) -> None:
    assert check_learned(ending(val_accuracy_percent=most + 0.1), per_class)
    with caplog.at_level(logging.WARNING):
        assert not check_learned(ending(val_accuracy_percent=most), per_class)
    assert f"at chance: validation accuracy {most:.2f} %, guessing the largest" in caplog.text
    assert f"class has {max(per_class):.2f} %" in caplog.text


def test_a_training_that_diverged_is_an_error() -> None:
    check_learned(ending(train_loss=23.0), (10,) * 10)  # 10 ln 10 = 23.03
    with pytest.raises(TrainingError, match=r"its loss ended at 1e\+23, guessing has 2.3"):
        check_learned(ending(train_loss=1e23), (10,) * 10)


def test_threads_are_part_of_a_training_on_a_cpu_alone(
    digits_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = Cell.from_archid("k3-zero-zero-zero-zero-zero")
    architecture = Architecture(cell, NetworkConfig(), image_shape(read(digits_manifest)))
    settings = architecture, TrainingConfig(), 0

    def made_of(threads: int) -> dict[str, object]:
        machine = Machine("cpu", 1)
        object.__setattr__(machine, "threads", threads)  # one made with two would set torch's
        return fingerprint(*settings, machine, digits_manifest)

    assert made_of(1) != made_of(2)
    monkeypatch.setattr(inputs, "choose_device", lambda _: torch.device("cuda"))
    assert made_of(1) == made_of(2)


def test_a_teacher_is_taken_as_it_was_made_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    training = TrainingConfig.parse({"objective": "distil", "teacher": str(path)}, "t")
    with pytest.raises(DataError, match=r"training/teacher: .*model\.safetensors is missing"):
        weights_hashes(training)
    path.write_bytes(b"weights")
    provenance.write(
        tmp_path / "provenance.json", step="release", settings={}, inputs=[], outputs=[path],
        seconds=0.0,
    )  # fmt: skip
    assert weights_hashes(training) == {str(path): artifacts.file_hash(path)}
    path.write_bytes(b"others!")
    with pytest.raises(DataError, match=r"model\.safetensors was altered since it was made"):
        weights_hashes(training)
