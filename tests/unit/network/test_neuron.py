import copy
import math

import pytest
import torch
from spikingjelly_node import spikingjelly_lif

from spikernel.config import NetworkConfig
from spikernel.network.neuron import NeuronLayer
from spikernel.network.neurons import _blocks, if_soft, lif


def test_trace_by_hand() -> None:
    # tau = 4/3, so v <- v + 0.75 (x - v). Input 1.2 three times: 0.9 (silent),
    # 0.9 + 0.75 * 0.3 = 1.125 (spike, reset to 0), 0.9 (silent). Input 4/3: 1.0, spike at once.
    x = torch.tensor([[1.2, 4 / 3], [1.2, 0.0], [1.2, 0.0]]).unsqueeze(1)  # [T, N, features]
    spikes = lif.Neuron(NetworkConfig())(x)
    assert spikes[:, 0].tolist() == [[0, 1], [1, 0], [0, 0]]


def test_gradient_by_hand() -> None:
    # One step: d spike / d x = surrogate'(v - 1) / tau with v = 0.75 x; at v = 1 the ATan
    # surrogate has slope alpha / 2 = 1, so the gradient is 0.75.
    x = torch.tensor([[[4 / 3]]], requires_grad=True)
    lif.Neuron(NetworkConfig())(x).sum().backward()
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
    ours, theirs = lif.Neuron(settings)(x), spikingjelly_lif(tau, threshold, alpha)(y)
    assert torch.equal(ours, theirs)
    ours.backward(weight)
    theirs.backward(weight)
    torch.testing.assert_close(x.grad, y.grad, rtol=1e-5, atol=1e-6)


def loop_with_learned_tau(x: torch.Tensor, w: torch.Tensor, alpha: float) -> torch.Tensor:
    """Write PLIF as its equations read and leave the gradient to autograd."""
    v, spikes = torch.zeros_like(x[0]), []
    for step in x:
        v = v + (step - v) * torch.sigmoid(w)
        fired = (v >= 1).to(x.dtype)
        # Forward the spike, backward the arctangent's slope.
        smooth = torch.atan(torch.pi / 2 * alpha * (v - 1)) / torch.pi
        spikes.append(fired + (smooth - smooth.detach()))
        v = v * (1 - fired.detach())
    return torch.stack(spikes)


@pytest.mark.parametrize("tau", [1.1, 4 / 3, 2.0, 8.0])
def test_gradient_of_learned_tau_equals_autograd(tau: float) -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(6, 3, 40, generator=generator, dtype=torch.float64).mul(3)
    weight = torch.randn(x.shape, generator=generator, dtype=torch.float64)
    settings = NetworkConfig(tau=tau, learnable_tau=True)
    neuron = lif.Neuron(settings).double()
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    w = neuron.w.detach().clone().requires_grad_()
    ours, literal = neuron(a), loop_with_learned_tau(b, w, settings.surrogate_alpha)
    assert torch.equal(ours, literal.detach())
    assert 0 < ours.mean() < 1
    ours.backward(weight)
    literal.backward(weight)
    torch.testing.assert_close(a.grad, b.grad)
    torch.testing.assert_close(neuron.w.grad, w.grad)
    assert w.grad != 0


def test_learned_tau_equals_spikingjelly() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(5, 4, 3, 6, 6, generator=generator).mul(2)
    neuron = lif.Neuron(NetworkConfig(learnable_tau=True))
    theirs = spikingjelly_lif(4 / 3, 1.0, 2.0, learnable=True)
    assert neuron.w.item() == pytest.approx(theirs.w.item())
    assert neuron.tau == pytest.approx(4 / 3)
    first, second = neuron(x), theirs(x)
    assert torch.equal(first, second)
    weight = torch.randn(x.shape, generator=generator)
    first.backward(weight)
    second.backward(weight)
    torch.testing.assert_close(neuron.w.grad, theirs.w.grad, rtol=1e-4, atol=1e-4)


def test_gradient_of_tau_by_hand() -> None:
    # tau = 2: rate 1/2, w = 0. Input 1 twice: v = 0.5, then 0.75, no spike. With respect to the
    # rate k: v1 = k, v2 = k + (1 - k) k, so dv1/dk = 1 and dv2/dk = 2 - 2k = 1; dk/dw = k (1 - k).
    neuron = lif.Neuron(NetworkConfig(tau=2.0, learnable_tau=True))
    neuron(torch.ones(2, 1, 1)).sum().backward()
    slopes = [1 / (1 + (torch.pi * (v - 1)) ** 2) for v in (0.5, 0.75)]
    assert neuron.w.grad.item() == pytest.approx(sum(slopes) / 4)


def test_layout_does_not_change_the_result() -> None:
    x = torch.randn(4, 2, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    last = x.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, (4, 2))
    neuron = lif.Neuron(NetworkConfig())
    assert torch.equal(neuron(x), neuron(last))
    constant = last[:1].expand(4, -1, -1, -1, -1)
    spikes = neuron(constant)
    assert torch.equal(spikes, neuron(constant.contiguous()))
    assert spikes.flatten(0, 1).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("learnable", [False, True])
def test_input_that_is_held_equals_the_same_input_at_every_step(
    dtype: torch.dtype, learnable: bool
) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 3, 4, 5, 5, generator=generator).mul(2).to(dtype)
    weight = torch.randn(6, 3, 4, 5, 5, generator=generator).to(dtype)
    neuron, other = (lif.Neuron(NetworkConfig(learnable_tau=learnable)) for _ in range(2))
    held, repeated = x.clone().requires_grad_(), x.repeat(6, 1, 1, 1, 1).requires_grad_()
    first, second = neuron(held, 6), other(repeated)
    assert torch.equal(first, second)
    assert 0 < first.float().mean() < 1
    first.backward(weight)
    second.backward(weight)
    summed = repeated.grad.float().sum(0, keepdim=True).to(dtype)
    tolerance = {torch.float32: 1e-5, torch.bfloat16: 2e-2}[dtype]
    torch.testing.assert_close(held.grad, summed, rtol=tolerance, atol=tolerance)
    if learnable:
        torch.testing.assert_close(neuron.w.grad, other.w.grad)


def test_blocks_of_images_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(3, 7, 2, 4, 4, generator=torch.Generator().manual_seed(0)).mul(2)
    weight = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    found = []
    for elements in (1, 3 * 32, 10**6):  # one image, three, all of the 32 neurons each
        monkeypatch.setattr(_blocks, "BLOCK_ELEMENTS", elements)
        y = x.clone().requires_grad_()
        spikes = lif.Neuron(NetworkConfig())(y)
        spikes.backward(weight)
        assert torch.equal(spikes, lif.Neuron(NetworkConfig())(x))  # without a gradient
        found.append((spikes.detach(), y.grad))
    for spikes, gradient in found[1:]:
        assert torch.equal(spikes, found[0][0])
        assert torch.equal(gradient, found[0][1])


def test_gradient_over_time_by_hand() -> None:
    # Two steps, tau = 4/3, input 0.8 twice: v = 0.6, then 0.75, both silent. d s_t / d v_t =
    # h_t = 1 / (1 + (pi (v_t - 1))^2); d v_2 / d v_1 = 1/4; d v_t / d x_t = 3/4.
    x = torch.full((2, 1, 1), 0.8, requires_grad=True)
    lif.Neuron(NetworkConfig())(x).sum().backward()
    first, second = (1 / (1 + (math.pi * (v - 1)) ** 2) for v in (0.6, 0.75))
    assert x.grad is not None
    assert x.grad.flatten().tolist() == pytest.approx(
        [0.75 * (first + second / 4), 0.75 * second], rel=1e-5
    )


@pytest.mark.parametrize("learnable", [False, True])
def test_fused_path_keeps_channels_last(learnable: bool) -> None:
    # The kernel itself needs a GPU; what surrounds it does not.
    x = torch.randn(4, 2, 3, 5, 5, generator=torch.Generator().manual_seed(0)).mul(2)
    last = x.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, (4, 2))
    neuron = lif.Neuron(NetworkConfig(learnable_tau=learnable))
    for sequence in (last, last[:1].expand(4, -1, -1, -1, -1)):
        spikes = neuron.sequence_fused(sequence, 4)
        assert torch.equal(spikes, neuron(sequence))
        assert spikes.flatten(0, 1).is_contiguous(memory_format=torch.channels_last)


def test_no_state_is_left_behind() -> None:
    neuron = lif.Neuron(NetworkConfig())
    x = torch.full((3, 1, 1), 1.2)
    assert torch.equal(neuron(x), neuron(x))


def check_on_gpu(
    neuron: NeuronLayer, on_gpu: NeuronLayer, x: torch.Tensor, rtol: float, atol: float
) -> None:
    a, b = x.clone().requires_grad_(), x.cuda().requires_grad_()
    first, second = neuron(a), on_gpu(b)
    assert second.dtype == x.dtype
    assert torch.equal(first, second.cpu())
    first.sum().backward()
    second.sum().backward()
    assert a.grad is not None
    assert b.grad is not None
    torch.testing.assert_close(a.grad, b.grad.cpu(), rtol=rtol, atol=atol)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("neuron", [lif.Neuron(NetworkConfig()), if_soft.Neuron(NetworkConfig())])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gpu_path_in_bfloat16_equals_the_cpu(
    neuron: NeuronLayer, layout: torch.memory_format
) -> None:
    x = torch.randn(5, 4, 8, 8, 8, generator=torch.Generator().manual_seed(0)).mul(2)
    x = torch.stack([step.to(memory_format=layout) for step in x.bfloat16()])
    check_on_gpu(neuron, neuron, x, rtol=1e-2, atol=1e-2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("learnable", [False, True])
def test_fused_gpu_path_equals_the_cpu(learnable: bool) -> None:
    x = torch.randn(5, 4, 8, 8, 8, generator=torch.Generator().manual_seed(0)).mul(2)
    neuron = lif.Neuron(NetworkConfig(learnable_tau=learnable))
    on_gpu = copy.deepcopy(neuron).cuda()
    check_on_gpu(neuron, on_gpu, x, rtol=1e-4, atol=1e-5)
    if learnable:
        assert list(on_gpu.state_dict()) == ["w"]
        torch.testing.assert_close(neuron.w.grad, on_gpu.w.grad.cpu(), rtol=1e-4, atol=1e-3)
