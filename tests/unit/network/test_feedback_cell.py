import itertools
import random
from collections.abc import Callable

import pytest
import torch
from spikingjelly_node import spikingjelly_lif
from torch import Tensor
from torch.nn import functional as F

from spikernel.config import NetworkConfig
from spikernel.network.activity import measure_activity
from spikernel.network.cells import FeedbackCell, ForwardCell
from spikernel.network.neurons import lif
from spikernel.network.spiking_net import SpikingNet, build_net
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.counts import parameter_count
from spikernel.space.enumeration import draw_cell
from spikernel.space.operations import operation_set
from spikernel.space.patterns import EDGES

CPU = torch.device("cpu")
T, N, C = 4, 2, 3
SETTINGS = NetworkConfig(time_steps=T, channels=C, pool=2, hidden=6, votes=2)
IMAGES = ImageShape(2, 8, 3)
OPERATIONS = operation_set((1, 3, 5), ("zero", "skip", "avg"))


def random_cells(count: int, seed: int = 0) -> list[Cell]:
    generator = random.Random(seed)
    drawn = (draw_cell(OPERATIONS, generator, "feedback") for _ in itertools.count())
    with_both = (cell for cell in drawn if cell.has_feedback and cell.kernel_sizes())
    return list(itertools.islice(with_both, count))


def feedback_cell(cell: Cell, settings: NetworkConfig = SETTINGS) -> FeedbackCell:
    """Return a cell with batch statistics and scales as after some training."""
    torch.manual_seed(1)
    layers = FeedbackCell(cell, C, settings)
    for module in layers.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.3, 0.3)
            module.running_var.uniform_(0.05, 0.3)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, 0.0, 1.5)  # so that all nodes fire
    return layers.eval()


def net(archid: str, **changes: object) -> SpikingNet:
    settings = SETTINGS.model_copy(update=changes)
    return build_net(Architecture(Cell.from_archid(archid), settings, IMAGES), 0, CPU)


def literal(layers: FeedbackCell, cell: Cell, x: Tensor) -> Tensor:
    """Run SNASNet's backward cell as its equations read, with one LIF on each convolution edge."""

    def edge(source: int, target: int) -> Callable[[Tensor], Tensor]:
        names = {(a, b): name for a, b, name in cell.connections()}
        name = names.get((source, target), "zero")
        if name == "zero":
            return torch.zeros_like
        if name == "skip":
            return lambda value: value
        if name == "avg":
            return lambda value: F.avg_pool2d(value, 3, 1, 1)
        kernel, _, own = name.partition("t")
        threshold = float(own) if own else SETTINGS.threshold
        neuron = spikingjelly_lif(SETTINGS.tau, threshold, SETTINGS.surrogate_alpha)
        neuron.step_mode = "s"
        layer = layers.convolutions[f"{source}{target}_{kernel}"]
        return lambda value: layer(neuron(value))

    e01, e02, e03, e12, e13, e23 = (edge(low, high) for low, high in EDGES)
    e10, e20, e30, e21, e31, e32 = (edge(high, low) for low, high in EDGES)
    b0 = b1 = b2 = torch.zeros_like(x[0])
    outputs = []
    for x0 in x:
        x1 = e01(x0 + b0)
        x2 = e02(x0 + b0) + e12(x1 + b1)
        x3 = e03(x0 + b0) + e13(x1 + b1) + e23(x2 + b2)
        b0, b1, b2 = (
            e10(x1 + b1) + e20(x2 + b2) + e30(x3),
            e21(x2 + b2) + e31(x3),
            e32(x3),
        )
        outputs.append(x3)
    return torch.stack(outputs)


CELLS = [
    *random_cells(12),
    Cell.from_archid("k3-k1r-k3-k3-k1r-k1"),
    Cell.from_archid("k3t0.5-k1t1.5r-k3t1.5-k3-k1t0.2r-k1"),
]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.archid)
def test_equals_the_equations(cell: Cell) -> None:
    layers = feedback_cell(cell)
    x = torch.randn(T, N, C, 6, 6, generator=torch.Generator().manual_seed(2)) * 2
    weight = torch.randn(T, N, C, 6, 6, generator=torch.Generator().manual_seed(3))
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    ours, theirs = layers(a), literal(layers, cell, b)
    torch.testing.assert_close(ours, theirs)
    (ours * weight).sum().backward()
    mine = {name: p.grad.clone() for name, p in layers.named_parameters() if p.grad is not None}
    layers.zero_grad()
    (theirs * weight).sum().backward()
    torch.testing.assert_close(a.grad, b.grad, rtol=1e-4, atol=1e-4)
    for name, parameter in layers.named_parameters():
        torch.testing.assert_close(mine[name], parameter.grad, rtol=1e-4, atol=1e-3)


def test_wiring_of_feedback_by_hand() -> None:
    # 0 -> 3, 3 -> 1 and 1 -> 0, all skip: v3(t) = v0(t), v1(t) = v3(t - 1) = v0(t - 1), and
    # v0(t) = x(t) + v1(t - 1) = x(t) + v0(t - 2).
    layers = FeedbackCell(Cell.from_archid("skipr-zero-skip-zero-skipr-zero"), C, SETTINGS)
    x = torch.randn(T, N, C, 4, 4)
    torch.testing.assert_close(layers(x), torch.stack([x[0], x[1], x[2] + x[0], x[3] + x[1]]))


def test_feedback_arrives_one_step_later() -> None:
    # The input at the last step changes the last output only.
    layers = feedback_cell(Cell.from_archid("k3-k1r-k3-k3-k1r-k1"))
    x = torch.randn(T, N, C, 6, 6)
    y = x.clone()
    y[-1] += 1
    assert torch.equal(layers(x)[:-1], layers(y)[:-1])
    assert not torch.equal(layers(x)[-1], layers(y)[-1])


def test_without_feedback_edges_it_equals_a_forward_cell() -> None:
    for archid in ("k3-k1-k3-k1-avg-k5", "k3-zero-skip-k3-zero-k1", "k3t0.5-k1t2-k3-k1-avg-k5t1"):
        cell = Cell.from_archid(archid)
        layers = feedback_cell(cell)
        forward = ForwardCell(cell, C, SETTINGS).eval()
        forward.load_state_dict(layers.state_dict())  # also: the names are the same
        x = torch.randn(T, N, C, 6, 6)
        torch.testing.assert_close(layers(x), forward(x))
        torch.testing.assert_close(layers(x[:1], T), forward(x[:1], T))


@pytest.mark.parametrize("learnable", [False, True])
def test_stepped_neurons_equal_the_sequence(learnable: bool) -> None:
    settings = SETTINGS.model_copy(update={"learnable_tau": learnable})
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(5, 2, 3, 4, 4, generator=generator).mul(2).requires_grad_()
    y = x.detach().clone().requires_grad_()
    weight = torch.randn(x.shape, generator=generator)
    sequence = lif.Neuron(settings)
    whole, stepped = sequence(x), []
    neuron, potential = lif.Neuron(settings), None
    for step in y.split(1):
        spikes, potential = neuron.step(step, potential)
        stepped.append(spikes)
    assert torch.equal(whole, torch.cat(stepped))
    whole.backward(weight)
    torch.cat(stepped).backward(weight)
    torch.testing.assert_close(x.grad, y.grad)
    if learnable:
        torch.testing.assert_close(sequence.w.grad, neuron.w.grad, rtol=1e-4, atol=1e-4)


def test_parameter_count_equals_torch() -> None:
    for cell in random_cells(40, seed=1):
        architecture = Architecture(cell, SETTINGS, IMAGES)
        built = build_net(architecture, 0, CPU)
        counted = sum(parameter.numel() for parameter in built.parameters())
        assert parameter_count(architecture).total == counted


def test_weights_belong_to_edge_and_direction() -> None:
    one = net("k3-k1r-k3-k3-zero-k3").state_dict()
    other = net("k3-k1r-k1-k3-k1r-k3").state_dict()
    for place in ("01_k3", "20_k1", "12_k3", "23_k3"):
        name = f"cell2.convolutions.{place}.conv.weight"
        assert torch.equal(one[name], other[name])
    # The same weights as in a forward cell.
    forward = net("k3-zero-k3-k3-zero-k3").state_dict()
    name = "cell1.convolutions.12_k3.conv.weight"
    assert torch.equal(one[name], forward[name])


def test_no_state_is_left_behind() -> None:
    built = net("k3-k1r-k3-k3-k1r-k1").eval()
    images = torch.randn(5, 2, 8, 8)
    names = set(built.state_dict())
    first = built(images)
    built(torch.randn(3, 2, 8, 8))  # another batch size in between
    assert torch.equal(built(images), first)
    assert set(built.state_dict()) == names
    assert first.shape == (T, 5, 3)


def test_neuron_hooks_see_each_sequence_once() -> None:
    built = net("k3-k1r-k3-k3-k1r-k1")
    seen: dict[int, list[Tensor]] = {}
    for place, neuron in enumerate(built.cell1.neurons.values()):
        neuron.register_forward_hook(
            lambda _module, _inputs, spikes, place=place: seen.setdefault(place, []).append(spikes)
        )
    built(torch.randn(N, 2, 8, 8))
    # Edges that leave node 0: 01, 03; node 1: 12; node 2: 20, 23; node 3: 31.
    assert [neuron.calls for neuron in built.cell1.neurons.values()] == [2, 1, 2, 1]
    assert [[tuple(spikes.shape) for spikes in calls] for calls in seen.values()] == [
        [(T, N, C, 8, 8)]
    ] * 4
    assert all(set(spikes.unique().tolist()) <= {0.0, 1.0} for [spikes] in seen.values())


def test_channels_last_is_kept() -> None:
    built = net("k3-k1r-k3-k3-k1r-k1")
    kept = []
    for module in built.cell1.convolutions.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(
                lambda _module, inputs, _: kept.append(
                    inputs[0].is_contiguous(memory_format=torch.channels_last)
                )
            )
    output = built.cell1(torch.randn(N, C, 8, 8).to(memory_format=torch.channels_last)[None], T)
    assert len(kept) == 4 * T + 2 * (T - 1)
    assert all(kept)
    assert output.flatten(0, 1).is_contiguous(memory_format=torch.channels_last)


def test_gradients_flow_back_through_time() -> None:
    torch.manual_seed(0)
    layers = feedback_cell(Cell.from_archid("k3-k1r-k3-k3-k1r-k1"))
    x = torch.randn(T, N, C, 6, 6, requires_grad=True)
    # The last output depends on the first input, and on feedback of steps before the last.
    layers(x)[-1].square().sum().backward()
    assert x.grad is not None
    for gradient in (x.grad[0], *(parameter.grad for parameter in layers.parameters())):
        assert gradient is not None
        assert torch.isfinite(gradient).all()
        assert gradient.abs().max() > 0


def test_training_two_steps_lowers_the_loss() -> None:
    torch.manual_seed(0)
    built = net("k3-k1r-k3-k3-k1r-k1", head="gap", channels=8).train()
    images, labels = torch.randn(12, 2, 8, 8), torch.arange(12) % 3
    optimiser = torch.optim.SGD(built.parameters(), lr=0.1)
    losses = []
    for _ in range(3):
        loss = F.cross_entropy(built(images).mean(0), labels)
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[2] < losses[0]


def test_one_time_step_and_reduced_precision() -> None:
    images = torch.randn(3, 2, 8, 8)
    # With one step no feedback ever arrives.
    single = net("k3-k1r-k3-k3-k1r-k1", time_steps=1).eval()
    forward = net("k3-zero-k3-k3-zero-k1", time_steps=1).eval()
    torch.testing.assert_close(single(images), forward(images))
    with torch.autocast("cpu", torch.bfloat16):
        logits = net("k3-k1r-avg-zero-k1-skipr").train()(images)
    logits.sum().backward()
    assert torch.isfinite(logits).all()


def test_activity_by_hand() -> None:
    """One forward and one feedback 1x1 convolution, on an input at which all neurons fire."""
    settings = NetworkConfig(time_steps=3, channels=2, head="gap", votes=1)
    cell = Cell.from_archid("k1-zero-skip-zero-k1r-zero")
    assert cell.connections() == [(0, 1, "k1"), (0, 3, "skip"), (3, 1, "k1")]
    built = build_net(Architecture(cell, settings, ImageShape(1, 4, 3)), 0, CPU)
    with torch.no_grad():
        built.stem.norm.bias.fill_(10.0)
    activity = measure_activity(built, [torch.full((2, 1, 4, 4), 0.001)])
    # x3 = x0 at every step, and both drive their neurons at every step.
    for name in ("cell1.neurons.0", "cell1.neurons.3"):
        assert activity.layer_rates[name] == 1.0
    # Dense operations per image: stem 100 windows (see test_activity) x 2 outputs. Cell 1 at
    # 4x4 pixels: 01 runs 3 times, 31 twice (the last step's feedback is not computed), 2 inputs
    # x 16 pixels x 2 outputs each. Cell 2 at 2x2 pixels: 4 inputs x 4 pixels x 4 outputs.
    # Transition 2 inputs x 100 windows x 4 outputs x 3 steps; classifier 4 x 3 x 3.
    cells = (3 + 2) * (2 * 16 * 2) + (3 + 2) * (4 * 4 * 4)
    assert activity.dense_synops == 200 + cells + 2400 + 36
    # Spikes: all of cell 1; what the transition passes on depends on its weights.
    assert activity.effective_acs >= (3 + 2) * (2 * 16 * 2)
