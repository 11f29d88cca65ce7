import pytest
import torch

from spikernel.config import NetworkConfig
from spikernel.network import LIF
from spikernel.network.neuron import spikingjelly_lif


def test_trace_by_hand() -> None:
    # tau = 4/3, so v <- v + 0.75 (x - v). Input 1.2 three times: 0.9 (silent),
    # 0.9 + 0.75 * 0.3 = 1.125 (spike, reset to 0), 0.9 (silent). Input 4/3: 1.0, spike at once.
    x = torch.tensor([[1.2, 4 / 3], [1.2, 0.0], [1.2, 0.0]]).unsqueeze(1)  # [T, N, features]
    spikes = LIF(NetworkConfig())(x)
    assert spikes[:, 0].tolist() == [[0, 1], [1, 0], [0, 0]]


def test_gradient_by_hand() -> None:
    # One step: d spike / d x = surrogate'(v - 1) / tau with v = 0.75 x; at v = 1 the ATan
    # surrogate has slope alpha / 2 = 1, so the gradient is 0.75.
    x = torch.tensor([[[4 / 3]]], requires_grad=True)
    LIF(NetworkConfig())(x).sum().backward()
    assert x.grad is not None
    assert x.grad.item() == pytest.approx(0.75)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("tau", "threshold", "alpha"), [(4 / 3, 1.0, 2.0), (2.0, 0.5, 4.0)])
def test_equals_spikingjelly(seed: int, tau: float, threshold: float, alpha: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(5, 4, 3, 6, 6, generator=generator).mul(2).requires_grad_()
    y = x.detach().clone().requires_grad_()
    weight = torch.randn(x.shape, generator=generator)
    settings = NetworkConfig(tau=tau, threshold=threshold, surrogate_alpha=alpha)
    ours, theirs = LIF(settings)(x), spikingjelly_lif(tau, threshold, alpha)(y)
    assert torch.equal(ours, theirs)
    ours.backward(weight)
    theirs.backward(weight)
    torch.testing.assert_close(x.grad, y.grad, rtol=1e-5, atol=1e-6)


def test_layout_does_not_change_the_result() -> None:
    x = torch.randn(4, 2, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    last = x.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, (4, 2))
    neuron = LIF(NetworkConfig())
    assert torch.equal(neuron(x), neuron(last))
    constant = last[:1].expand(4, -1, -1, -1, -1)
    spikes = neuron(constant)
    assert torch.equal(spikes, neuron(constant.contiguous()))
    assert spikes.flatten(0, 1).is_contiguous(memory_format=torch.channels_last)


def test_no_state_is_left_behind() -> None:
    neuron = LIF(NetworkConfig())
    x = torch.full((3, 1, 1), 1.2)
    assert torch.equal(neuron(x), neuron(x))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_fused_gpu_path_equals_the_cpu() -> None:
    x = torch.randn(5, 4, 8, 8, 8, generator=torch.Generator().manual_seed(0)).mul(2)
    a, b = x.clone().requires_grad_(), x.cuda().requires_grad_()
    neuron = LIF(NetworkConfig())
    first, second = neuron(a), neuron(b)
    assert torch.equal(first, second.cpu())
    first.sum().backward()
    second.sum().backward()
    assert a.grad is not None
    assert b.grad is not None
    torch.testing.assert_close(a.grad, b.grad.cpu(), rtol=1e-4, atol=1e-5)
