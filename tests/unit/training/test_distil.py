import math
from pathlib import Path
from typing import Any

import pytest
import torch
from toy import MODERN, fresh_net, load

from spikernel.config import TrainingConfig
from spikernel.data.manifest import Manifest
from spikernel.errors import ConfigError, DataError
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import mean_logits
from spikernel.inference.released import save_model
from spikernel.training.loop import train
from spikernel.training.mixing import MixedBatch
from spikernel.training.objective import Objective, make_objective
from spikernel.training.objectives import distil

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def manifest(digits_manifest: Path) -> Manifest:
    return load(digits_manifest)[0].manifest


@pytest.fixture(scope="module")
def teacher(
    digits_manifest: Path, manifest: Manifest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return released weights that normalise otherwise than the data set's manifest."""
    path: Path = tmp_path_factory.mktemp("teacher") / "model.safetensors"
    net = fresh_net(digits_manifest, seed=5, network=MODERN)
    save_model(path, net, manifest.model_copy(update={"mean": (0.25,), "sd": (0.5,)}))
    return path


def objective(manifest: Manifest, teacher: Path | None, **changes: Any) -> Objective:
    given = {"objective": "distil", "teacher": None if teacher is None else str(teacher)}
    return make_objective(TrainingConfig.parse({**given, **changes}, "t"), manifest, CPU)


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def test_loss_by_hand(manifest: Manifest, teacher: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Two classes, time mean (1, 0), label 0, and a teacher that says (4, 0); temperature 2.
    monkeypatch.setattr(distil.Objective, "_teach", lambda *_: torch.tensor([[4.0, 0.0]]))
    logits = torch.tensor([[[0.0, 0.0]], [[2.0, 0.0]]])
    label = torch.tensor([0])
    found = objective(manifest, teacher, teacher_weight=0.3, teacher_temperature=2.0)(
        logits, MixedBatch(torch.empty(0), label, label, 1.0)
    )
    ours, theirs = 1 / (1 + math.exp(-0.5)), 1 / (1 + math.exp(-2.0))
    divergence = theirs * math.log(theirs / ours)
    divergence += (1 - theirs) * math.log((1 - theirs) / (1 - ours))
    assert found.item() == pytest.approx(0.7 * softplus(-1) + 0.3 * 4 * divergence)


@pytest.mark.parametrize("size", [8, 6])
def test_teacher_sees_the_images_as_it_normalises_and_sizes_them(
    digits_manifest: Path, manifest: Manifest, teacher: Path, size: int
) -> None:
    pixels = torch.randint(256, (5, 1, size, size), generator=torch.Generator().manual_seed(0))
    made = objective(manifest, teacher)
    assert isinstance(made, distil.Objective)
    taught = made._teach(Normaliser(manifest.mean, manifest.sd, CPU)(pixels.to(torch.uint8)))
    wanted = (pixels / 255 - 0.25) / 0.5
    if size != 8:
        wanted = torch.nn.functional.interpolate(wanted, size=(8, 8), mode="bilinear")
    expected = mean_logits(fresh_net(digits_manifest, seed=5, network=MODERN), [wanted])
    torch.testing.assert_close(taught, expected, rtol=1e-3, atol=1e-4)


def test_a_teacher_that_may_know_the_other_splits_is_named(
    digits_manifest: Path, manifest: Manifest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train_files = manifest.splits["train"]
    other = train_files.model_copy(update={"images_sha256": "ab" * 32})
    net, path = fresh_net(digits_manifest, seed=5, network=MODERN), tmp_path / "other.safetensors"
    for files, warnings in ((train_files, 0), (other, 1)):
        splits = {**manifest.splits, "train": files}
        save_model(path, net, manifest.model_copy(update={"splits": splits}))
        objective(manifest, path)
        assert len(caplog.records) == warnings
    assert "it may know images that this net is judged by" in caplog.text


def test_training_approaches_its_teacher(digits_manifest: Path, teacher: Path) -> None:
    settings = TrainingConfig.parse(
        {
            "objective": "distil", "teacher": str(teacher), "teacher_weight": 1.0, "epochs": 4,
            "learning_rate": 0.02, "mixup_alpha": 1.0,
        },
        "t",
    )  # fmt: skip
    splits = load(digits_manifest)
    trained = train(fresh_net(digits_manifest), splits, settings, 0)
    losses = [line.train_loss for line in trained.history]
    assert losses[-1] < 0.8 * losses[0]


def test_missing_or_foreign_teacher_is_one_line(
    manifest: Manifest, teacher: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="objective distil needs one"):
        objective(manifest, None)
    with pytest.raises(DataError, match="none is missing"):
        objective(manifest, tmp_path / "none")
    other = manifest.model_copy(update={"classes": (*manifest.classes[:-1], "ten")})
    with pytest.raises(ConfigError, match="is of other classes or channels than digits"):
        objective(other, teacher)
