"""Integrate-and-fire neurons with a soft reset, against the equations and SpikingJelly."""

import pytest
import torch
from spikingjelly_node import spikingjelly_if

from spikernel.config import NetworkConfig
from spikernel.network.neuron import make_neuron
from spikernel.network.neurons import if_soft

SETTINGS = NetworkConfig(neuron="if_soft")


def test_trace_by_hand() -> None:
    # v = 0.5 at rest, threshold 1. Input 0.75, 0.75, 0: 1.25 (spike, 0.25 left), 1.0 (spike, 0
    # left), 0. Input 2.5 once: 3.0, 2.0, 1.0: a spike at every step from what is left.
    x = torch.tensor([[0.75, 2.5], [0.75, 0.0], [0.0, 0.0]]).unsqueeze(1)
    assert make_neuron(SETTINGS)(x)[:, 0].tolist() == [[1, 1], [1, 1], [0, 1]]


def test_number_of_spikes_is_the_rounded_sum() -> None:
    # Summed input s between 0 and T thresholds: after T steps floor(s / threshold + 1 / 2) spikes.
    x = torch.rand(1, 1, 1000, generator=torch.Generator().manual_seed(0)).mul(0.7)
    spikes = make_neuron(SETTINGS, threshold=0.7)(x, 8)
    assert torch.equal(spikes.sum(0), (8 * x[0].double() / 0.7 + 0.5).floor().float())


@pytest.mark.parametrize("threshold", [1.0, 0.6])
@pytest.mark.parametrize("path", ["sequence", "sequence_fused", "step"])
def test_equals_spikingjelly(threshold: float, path: str) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(6, 4, 3, 5, 5, generator=generator).mul(2).requires_grad_()
    y = x.detach().clone().requires_grad_()
    weight = torch.randn(x.shape, generator=generator)
    neuron = if_soft.Neuron(SETTINGS, threshold=threshold)
    theirs = spikingjelly_if(threshold, SETTINGS.surrogate_alpha)
    theirs.v = torch.full(x.shape[1:], threshold / 2)
    if path == "step":
        state, fired = None, []
        for now in x.split(1):
            spikes, state = neuron.step(now, state)
            fired.append(spikes)
        ours = torch.cat(fired)
    else:
        ours = getattr(neuron, path)(x, 6)
    expected = theirs(y)
    assert torch.equal(ours, expected)
    assert 0 < ours.mean() < 1
    ours.backward(weight)
    expected.backward(weight)
    torch.testing.assert_close(x.grad, y.grad, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_input_that_is_held(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 3, 4, 5, 5, generator=generator).to(dtype)
    weight = torch.randn(6, 3, 4, 5, 5, generator=generator).to(dtype)
    neuron = make_neuron(SETTINGS)
    held, repeated = x.clone().requires_grad_(), x.repeat(6, 1, 1, 1, 1).requires_grad_()
    first, second = neuron(held, 6), neuron(repeated)
    assert torch.equal(first, second)
    assert torch.equal(first.float(), neuron(x.float(), 6))  # potentials are float32 in both
    first.backward(weight)
    second.backward(weight)
    summed = repeated.grad.float().sum(0, keepdim=True).to(dtype)
    tolerance = {torch.float32: 1e-5, torch.bfloat16: 2e-2}[dtype]
    torch.testing.assert_close(held.grad, summed, rtol=tolerance, atol=tolerance)
