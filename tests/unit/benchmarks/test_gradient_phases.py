"""A run on a few digits, with what is compared checked by hand; its worth is not tested."""

import json
from pathlib import Path
from typing import Any

import gradient_phases as phases
import paired
import pytest
from paired import BASE

from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.errors import ConfigError

TINY = NetworkConfig(
    macro="compact", channels=4, stages=2, stage_widths=(1, 2), stem_channels=6, neuron="if_soft",
    time_steps=3, threshold=2, levels=3, level_range=1,
)  # fmt: skip


@pytest.fixture
def run(
    own_digits: Path, brief: TrainingConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Any:
    monkeypatch.setattr(phases, "prepare_cifar10", lambda *_, **__: own_digits)

    def run(**changes: Any) -> None:
        given = {"epochs": 2, "seeds": [0], "network": TINY, "training": brief, "threads": 1}
        phases.main(tmp_path / "table.csv", **{**given, **changes})

    return run


def test_both_gradients_start_from_the_converted_weights(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[tuple[str, str | None]] = []
    original = phases.Bench._train

    def noted(bench: Any, part: str, changes: Any, *rest: Any) -> Any:
        trained.append((part, changes.get("initial_weights")))
        return original(bench, part, changes, *rest)

    monkeypatch.setattr(phases.Bench, "_train", noted)
    run()
    (weights,) = (tmp_path / "images").glob("*/integer-0.safetensors")
    assert trained == [(BASE, None), ("time", str(weights)), ("rate", str(weights))]
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["parts"]
    assert set(found) == {"converted", "time", "rate"}
    run()  # finished
    assert len(trained) == 3
    with pytest.raises(ConfigError, match="was made with other settings"):
        run(learning_rate=0.1)


def test_the_base_is_judged_in_one_pass_and_the_rest_by_binary_steps(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[tuple[str, int]] = []

    def note(module: Any) -> None:
        original = module.accuracy_percent

        def noted(net: Any, *rest: Any) -> float:
            network = net.architecture.network
            judged.append((network.neuron, network.time_steps))
            return original(net, *rest)

        monkeypatch.setattr(module, "accuracy_percent", noted)

    note(paired)
    note(phases)
    run()
    assert judged == [("integer", 1), ("if_soft", 3), ("if_soft", 3), ("if_soft", 3)]
