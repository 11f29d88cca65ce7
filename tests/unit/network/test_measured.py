"""How a net runs where its results are measured: exactly, without gradients, its mode put back."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from toy import fresh_net, load

from spikernel.export.interpret import Interpreter
from spikernel.export.lowering import lower
from spikernel.export.program_accuracy import logits
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import binary_logits, mean_logits
from spikernel.network.activity import measure_activity
from spikernel.network.spiking_net import SpikingNet

CPU = torch.device("cpu")


def tf32() -> bool:
    return bool(torch.backends.cudnn.allow_tf32)


def lowered(net: SpikingNet) -> Any:
    """Return the program of a net of the digits."""
    return lower(net, [0.5], [0.5], [str(digit) for digit in range(10)])


WAYS: dict[str, Callable[[SpikingNet, torch.Tensor], Any]] = {
    "logits": lambda net, pixels: mean_logits(net, [pixels / 255]),
    "binary": lambda net, pixels: binary_logits(net, pixels, Normaliser([0.5], [0.5], CPU)),
    "activity": lambda net, pixels: measure_activity(net, [pixels / 255]),
    "program": lambda net, pixels: logits(lowered(net), pixels),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_measured_is_not_rounded(
    way: str, digits_manifest: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flag of cuDNN can be watched on a CPU, which it does not change."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    seen: list[tuple[bool, bool]] = []
    original = Interpreter.logits

    def watched(self: Interpreter, pixels: torch.Tensor) -> torch.Tensor:
        seen.append((tf32(), False))
        return original(self, pixels)

    monkeypatch.setattr(Interpreter, "logits", watched)
    net = fresh_net(digits_manifest).train()
    net.register_forward_pre_hook(lambda *_: seen.append((tf32(), torch.is_grad_enabled())))
    pixels = torch.from_numpy(load(digits_manifest)[1].images[:4].copy())
    WAYS[way](net, pixels)
    assert seen
    assert all(now == (False, False) for now in seen)
    assert tf32()
    assert net.training


@pytest.mark.parametrize("way", ["logits", "binary", "activity"])
def test_the_mode_is_put_back_after_an_error(way: str, digits_manifest: Any) -> None:
    net = fresh_net(digits_manifest).train()
    with pytest.raises(RuntimeError):
        WAYS[way](net, torch.zeros(2, 3, 8, 8, dtype=torch.uint8))  # three channels, not one
    assert net.training
