"""Cells as layers: a forward cell runs all time steps at once, a feedback cell one by one.

A node's spikes are computed once and shared by all convolutions that leave it. The input of a
cell may have a time dimension of 1 when it is the same at every time step.
"""

from collections import defaultdict

import torch
from torch import Tensor, nn

from spikernel.config import NetworkConfig
from spikernel.network.blocks import average_neighbours, over_time, total
from spikernel.network.convolutions import edge_convolution
from spikernel.network.lif_sequence import LIFSequence
from spikernel.network.neuron import LIF
from spikernel.space import AVG, Cell, convolution
from spikernel.space.macro import adds_input

NODES = range(4)


class SteppedLIF(LIF):
    """LIF neurons whose input at a time step depends on their spikes at the step before.

    `step` is the neuron; the caller carries the potential, so the module keeps no state. Once
    all steps are done, a call with their joined spikes hands these on unchanged: forward hooks
    thus see the whole sequence [T, N, ...] once, as they do with any `LIF`.
    """

    def step(self, x: Tensor, potential: Tensor) -> tuple[Tensor, Tensor]:
        """Return the spikes of one time step, and the potential after it.

        Args:
            x: input, [1, N, ...].
            potential: as the step before left it, [1, N, ...]; 0 at rest.

        """
        rate = self.rate
        if isinstance(rate, Tensor):
            rate = rate.to(x.dtype)
        charged = torch.lerp(potential, x, rate)
        # With rate = 1 neurons at rest are charged to just their input, and fire by it.
        spikes: Tensor = LIFSequence.apply(charged, 1.0, self.threshold, self.alpha)
        # No gradient through the reset: the condition is a constant. (`masked_fill` would lose
        # the channels-last layout.)
        return spikes, torch.where(spikes.detach().bool(), 0.0, charged)

    def forward(self, x: Tensor) -> Tensor:
        """Hand on the spikes [T, N, ...] of all time steps."""
        return x


class _CellLayers(nn.Module):
    """Neurons and convolutions of a cell, and what its edges do."""

    neuron_type: type[LIF]

    def __init__(self, cell: Cell, channels: int, settings: NetworkConfig) -> None:
        super().__init__()
        self.time_steps = settings.time_steps
        self.adds_input = adds_input(settings, cell)
        self.connections = cell.connections()
        self.neurons = nn.ModuleDict(
            {
                str(node): self.neuron_type(settings, calls=leaving)
                for node, leaving in cell.firing_nodes().items()
            }
        )
        # Keys name edge and operation, so that equal edges of two cells get equal weights.
        self.convolutions = nn.ModuleDict(
            {
                f"{source}{target}_{name}": edge_convolution(found, channels)
                for source, target, name in self.connections
                if (found := convolution(name)) is not None
            }
        )

    def _edge(self, value: Tensor, spikes: Tensor | None, key: str, name: str) -> Tensor:
        """Return what an edge makes of its source's value or spikes, [T, N, C, H, W]."""
        if key in self.convolutions:
            assert spikes is not None, "every source of a convolution has neurons"
            return over_time(self.convolutions[key], spikes)
        return over_time(average_neighbours, value) if name == AVG else value


class ForwardCell(_CellLayers):
    """A forward cell: node j is the sum of its incoming edges; the output is node 3.

    With `residual`, the output is node 3 + node 0, see `NetworkConfig`.

    Batch normalisation is over time and batch together. Edges without neurons work once on
    what is the same at every time step.
    """

    neuron_type = LIF

    def forward(self, x: Tensor) -> Tensor:
        """[T or 1, N, C, H, W] -> [T, N, C, H, W]."""
        nodes = {0: x}
        spikes = {0: self._fire(0, x)}
        for node in NODES[1:]:
            arrived = [
                self._edge(nodes[source], spikes[source], f"{source}{node}_{name}", name)
                for source, target, name in self.connections
                if target == node
            ]
            if arrived:  # a node off every path from input to output has no edges
                nodes[node] = total(arrived)
                spikes[node] = self._fire(node, nodes[node])
        output = nodes[3] + x if self.adds_input else nodes[3]
        return output.expand(self.time_steps, *output.shape[1:])

    def _fire(self, node: int, x: Tensor) -> Tensor | None:
        if str(node) not in self.neurons:
            return None
        fired: Tensor = self.neurons[str(node)](x.expand(self.time_steps, *x.shape[1:]))
        return fired


class FeedbackCell(_CellLayers):
    """A cell with feedback edges, SNASNet's "backward" cell (Kim et al., ECCV 2022).

    Edge ij works on v_i(t), and the value of node j at time step t is

        v_j(t) = sum over i < j of e_ij(v_i(t)) + sum over i > j of e_ij(v_i(t - 1))

    plus the cell's input for j = 0; no feedback has arrived at the first step. The output is
    node 3, with `residual` plus the cell's input. So it is in SNASNet's published code: v_j is its
    x_j plus the feedback computed at the end of the step before from what the nodes held then,
    their own feedback included.

    Batch normalisation is over the batch of each time step alone, as there, since later steps
    are not known yet. The last step's feedback, which nothing reads, is left out; there it is
    computed, and enters the running statistics of its batch normalisation.
    """

    neuron_type = SteppedLIF

    def forward(self, x: Tensor) -> Tensor:
        """[T or 1, N, C, H, W] -> [T, N, C, H, W]."""
        steps = x.expand(self.time_steps, *x.shape[1:]).split(1)
        silence = torch.zeros_like(steps[0])
        potentials = dict.fromkeys(self.neurons, silence)
        fired: dict[str, list[Tensor]] = {node: [] for node in self.neurons}
        outputs = []
        feedback: dict[int, list[Tensor]] = defaultdict(list)
        for time, step in enumerate(steps, start=1):
            arrived, feedback = feedback, defaultdict(list)
            arrived[0].append(step)
            for node in NODES:
                # Nothing may have arrived yet where only feedback leads.
                value = total(arrived[node]) if arrived[node] else silence
                spikes, name = None, str(node)
                if name in self.neurons:
                    neuron = self.neurons[name]
                    assert isinstance(neuron, SteppedLIF)
                    spikes, potentials[name] = neuron.step(value, potentials[name])
                    fired[name].append(spikes)
                for target, operation in self._leaving(node):
                    key = f"{node}{target}_{operation}"
                    if target > node:
                        arrived[target].append(self._edge(value, spikes, key, operation))
                    elif time < self.time_steps:
                        feedback[target].append(self._edge(value, spikes, key, operation))
            outputs.append(value)
        for name, neuron in self.neurons.items():
            neuron(_joined(fired[name]))  # for forward hooks
        return _joined(outputs) + x if self.adds_input else _joined(outputs)

    def _leaving(self, node: int) -> list[tuple[int, str]]:
        return [(target, name) for source, target, name in self.connections if source == node]


def cell_layers(cell: Cell, channels: int, settings: NetworkConfig) -> ForwardCell | FeedbackCell:
    """Return the layers of a cell of either kind."""
    kind = FeedbackCell if cell.has_feedback else ForwardCell
    return kind(cell, channels, settings)


def _joined(steps: list[Tensor]) -> Tensor:
    """Join time steps [1, N, ...] to [T, N, ...]; folded, since that keeps channels-last."""
    return torch.cat([step.flatten(0, 1) for step in steps]).unflatten(0, (len(steps), -1))
