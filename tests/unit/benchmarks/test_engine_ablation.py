"""Parts, epochs and a run of two parts on a few digits; their worth is not tested."""

import json
from pathlib import Path
from typing import Any

import engine_ablation as ablation
import pace
import pytest
from pace import epochs_for
from paired import BASE

from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.errors import ConfigError, SpikernelError

TINY = NetworkConfig(macro="compact", channels=4, stages=2, stage_widths=(1, 2), stem_channels=6)


@pytest.fixture
def run(
    own_digits: Path, brief: TrainingConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Any:
    monkeypatch.setattr(ablation, "prepare_cifar10", lambda *_, **__: own_digits)
    monkeypatch.setattr(pace, "PACE_STEPS", 1)

    def run(**changes: Any) -> None:
        given = {
            "minutes": 1e-6, "parts": ["no_lookahead", "with_distillation"], "seeds": [0],
            "network": TINY, "training": brief, "threads": 1,
        }  # fmt: skip
        ablation.main(**{"output": tmp_path / "table.csv", **given, **changes})

    return run


def test_every_part_changes_something() -> None:
    network, training = NetworkConfig(macro="compact"), TrainingConfig(recipe="engine")
    training = training.model_copy(update={"lookahead": True})
    for name, part in ablation.PARTS.items():
        changed = TrainingConfig.parse({**training.model_dump(mode="json"), **part.training}, name)
        built = NetworkConfig.parse({**network.model_dump(mode="json"), **part.network}, name)
        assert (changed, built) != (training, network), name


def test_epochs_by_hand() -> None:
    # 10 minutes, 225 steps of 0.4 s: 6.67 epochs.
    assert epochs_for(10, 225, 0.4, 0.4, None) == 7
    assert epochs_for(10, 225, 0.4, 0.43, 7) == 7  # 7 % slower: noise
    assert epochs_for(10, 225, 0.4, 0.56, 7) == 5
    assert epochs_for(10, 225, 0.4, 0.2, 7) == 14
    assert epochs_for(0.01, 225, 0.4, 0.4, None) == 1


def test_a_stopped_run_goes_on_and_prints_the_table(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[tuple[str, int]] = []
    original = ablation.Bench._train

    def noted(bench: Any, part: str, changes: Any, seed: int, epochs: int) -> Any:
        trained.append((part, seed))
        return original(bench, part, changes, seed, epochs)

    monkeypatch.setattr(ablation.Bench, "_train", noted)
    run()
    assert trained == [(BASE, 0), ("no_lookahead", 0), ("twin", 0), ("with_distillation", 0)]
    run()  # finished
    assert len(trained) == 4
    run(seeds=[0, 1], parts=["no_lookahead"])
    assert trained[4:] == [(BASE, 1), ("no_lookahead", 1)]
    out = capsys.readouterr().out.splitlines()
    assert any(line.startswith("no_lookahead") and line.endswith(" 2") for line in out)
    found = json.loads(out[-1])
    assert found["parts"]["no_lookahead"]["seeds"] == 2
    assert found["epochs"][BASE] == 1
    assert set(found["epochs"]) == {BASE, "no_lookahead", "with_distillation"}
    (kept,) = (tmp_path / "images").glob("*/epochs.json")
    assert json.loads(kept.read_text()) == found["epochs"]
    assert sorted(path.name for path in kept.parent.iterdir()) == [
        "epochs.json", "teacher-0.safetensors"
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="was made with other settings"):
        run(minutes=2.0)
    with pytest.raises(ConfigError, match="unknown part 'no_sleep'"):
        run(parts=["no_sleep"])


def test_epochs_of_another_machine(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ablation, "seconds_per_step", lambda trainers: [1.0] * len(trainers))
    run(pace=True)
    paced = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert paced == {BASE: 1, "no_lookahead": 1, "with_distillation": 1}
    assert not (tmp_path / "table.csv").exists()
    monkeypatch.setattr(ablation, "seconds_per_step", None)  # nothing is measured
    given = tmp_path / "given.json"
    given.write_text(json.dumps({**paced, BASE: 2}))
    run(epochs=given, output=tmp_path / "other.csv", minutes=2.0)
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["epochs"] == {BASE: 2, "no_lookahead": 1, "with_distillation": 1}
    given.write_text(json.dumps({**paced, BASE: 3}))
    with pytest.raises(ConfigError, match="has 3 for 'base', the output was begun with 2"):
        run(epochs=given, output=tmp_path / "other.csv", minutes=2.0)
    given.write_text("{}")
    with pytest.raises(SpikernelError, match="key 'base' is missing"):
        run(epochs=given)
