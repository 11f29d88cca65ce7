"""bfloat16 autocast: on the CPU, and what a training does on a GPU alone, done on the CPU.

SpikingJelly's operators take their CPU implementation here, with the arguments and the types
that they get on a GPU.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from toy import ARCHID, FEEDBACK, MODERN, NETWORK, fresh_net, load

from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.network.neurons import lif
from spikernel.training.progress import Progress
from spikernel.training.trainer import make_trainer


@pytest.mark.parametrize(
    "path", [lif.Neuron.sequence_fused, lif.Neuron.sequence], ids=["gpu", "cpu"]
)
@pytest.mark.parametrize("learnable", [False, True])
def test_neurons_take_bfloat16(path: Callable[..., torch.Tensor], learnable: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    rounded = torch.randn(5, 4, 3, 6, 6, generator=generator).mul(2).bfloat16()
    neuron = lif.Neuron(NetworkConfig(learnable_tau=learnable))
    half, single = rounded.clone().requires_grad_(), rounded.float().requires_grad_()
    fired, exact = path(neuron, half, 5), neuron(single)
    assert fired.dtype == torch.bfloat16
    # Potentials are float32 in both, so the spikes are equal although the input is rounded.
    assert torch.equal(fired.float(), exact)
    weight = torch.randn(exact.shape, generator=generator).bfloat16()
    gradients = []
    for spikes, weights in ((fired, weight), (exact, weight.float())):
        neuron.zero_grad()
        spikes.backward(weights)
        gradients.append(neuron.w.grad if neuron.w is not None else None)
    assert half.grad is not None
    assert single.grad is not None
    torch.testing.assert_close(half.grad.float(), single.grad, rtol=1e-2, atol=1e-3)
    if learnable:
        torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("gpu_path", [True, False], ids=["gpu", "cpu"])
@pytest.mark.parametrize(
    ("network", "archid"),
    [(NETWORK, ARCHID), (MODERN, ARCHID), (MODERN, FEEDBACK)],
    ids=["snasnet", "modern", "feedback"],
)
def test_training_under_autocast_learns_as_in_float32(
    digits_manifest: Path,
    monkeypatch: pytest.MonkeyPatch,
    network: NetworkConfig,
    archid: str,
    gpu_path: bool,
) -> None:
    def losses(in_bfloat16: bool) -> torch.Tensor:
        settings = TrainingConfig.model_validate(
            {
                "recipe": "modern", "epochs": 4, "batch_size": 32, "learning_rate": 0.01,
                "cpu_bfloat16": in_bfloat16,
            }
        )  # fmt: skip
        net = fresh_net(digits_manifest, network=network, archid=archid)
        trainer = make_trainer(net, load(digits_manifest), settings, 0)
        with monkeypatch.context() as patch:
            if in_bfloat16 and gpu_path:
                patch.setattr(lif.Neuron, "sequence", lif.Neuron.sequence_fused)
            found = [
                trainer.train_epoch(trainer.begin_epoch(epoch), Progress([1] * 4, 1))
                for epoch in range(1, 5)
            ]
        assert all(parameter.dtype == torch.float32 for parameter in net.parameters())
        return torch.cat(found)

    plain, mixed = losses(in_bfloat16=False), losses(in_bfloat16=True)
    assert not torch.equal(plain, mixed)
    # bfloat16 keeps 8 bits: the first loss is equal to a few parts in a thousand.
    torch.testing.assert_close(mixed[0], plain[0], rtol=0.05, atol=0.0)
    assert mixed[-6:].mean() < mixed[:6].mean()
    torch.testing.assert_close(mixed[-6:].mean(), plain[-6:].mean(), rtol=0.15, atol=0.0)
