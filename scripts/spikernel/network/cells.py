"""Cells as layers: a forward cell runs all time steps at once, a feedback cell one by one.

A node's spikes are computed once per threshold and shared by all convolutions that leave it. The
input of a cell may have a time dimension of 1 when it is the same at every time step.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from spikernel.config import NetworkConfig
from spikernel.network.blocks import average_neighbours, over_time, total
from spikernel.network.convolutions import edge_convolution
from spikernel.network.neuron import NeuronLayer, joined, make_neuron
from spikernel.space.cell import Cell, Neurons
from spikernel.space.macro import adds_input
from spikernel.space.operations import AVG, convolution

NODES = range(4)


@dataclass(frozen=True)
class Edge:
    """An edge of a cell, and the names of the layers that it uses there."""

    source: int
    target: int
    operation: str
    neurons: str | None
    """Layer of neurons whose spikes it convolves; None for an edge that has no convolution."""
    weights: str
    """Edge and operation, without its threshold: equal edges of two cells get equal weights."""

    @classmethod
    def of(cls, source: int, target: int, operation: str) -> Self:
        """Return the edge of a connection."""
        found = convolution(operation)
        neurons = None if found is None else Neurons(source, found.threshold).name
        kernel = operation if found is None else found.kernel
        return cls(source, target, operation, neurons, f"{source}{target}_{kernel}")


class _CellLayers(nn.Module):
    """Neurons and convolutions of a cell, and what its edges do."""

    def __init__(self, cell: Cell, channels: int, settings: NetworkConfig) -> None:
        super().__init__()
        self.adds_input = adds_input(settings, cell)
        self.edges = [Edge.of(*connection) for connection in cell.connections()]
        self.neurons = nn.ModuleDict(
            {
                layer.name: make_neuron(settings, leaving, layer.threshold)
                for layer, leaving in cell.neurons().items()
            }
        )
        self.readers = {
            node: [layer.name for layer in cell.neurons() if layer.node == node] for node in NODES
        }
        self.convolutions = nn.ModuleDict(
            {
                edge.weights: edge_convolution(found, channels)
                for edge in self.edges
                if (found := convolution(edge.operation)) is not None
            }
        )

    def _edge(self, edge: Edge, value: Tensor, spikes: Mapping[str, Tensor]) -> Tensor:
        """Return what an edge makes of its source's value or spikes, [T, N, C, H, W]."""
        if edge.neurons is not None:
            return over_time(self.convolutions[edge.weights], spikes[edge.neurons])
        return over_time(average_neighbours, value) if edge.operation == AVG else value


class ForwardCell(_CellLayers):
    """A forward cell: node j is the sum of its incoming edges; the output is node 3.

    With `residual`, the output is node 3 + node 0, see `NetworkConfig`.

    Batch normalisation is over time and batch together. Edges without neurons work once on
    what is the same at every time step.
    """

    def forward(self, x: Tensor, time_steps: int | None = None) -> Tensor:
        """[T or 1, N, C, H, W] -> [T, N, C, H, W]."""
        count = time_steps or len(x)
        nodes = {0: x}
        spikes = self._fire(0, x, count)
        for node in NODES[1:]:
            arrived = [
                self._edge(edge, nodes[edge.source], spikes)
                for edge in self.edges
                if edge.target == node
            ]
            if arrived:  # a node off every path from input to output has no edges
                nodes[node] = total(arrived)
                spikes |= self._fire(node, nodes[node], count)
        output = nodes[3] + x if self.adds_input else nodes[3]
        return output.expand(count, *output.shape[1:])

    def _fire(self, node: int, x: Tensor, time_steps: int) -> dict[str, Tensor]:
        """Return the spikes [T, N, C, H, W] of each layer of neurons that reads a node."""
        return {name: self.neurons[name](x, time_steps) for name in self.readers[node]}


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

    def forward(self, x: Tensor, time_steps: int | None = None) -> Tensor:
        """[T or 1, N, C, H, W] -> [T, N, C, H, W]."""
        steps = x.expand(time_steps or len(x), *x.shape[1:]).split(1)
        silence = torch.zeros_like(steps[0])
        states: dict[str, Tensor | None] = dict.fromkeys(self.neurons)
        fired: dict[str, list[Tensor]] = {node: [] for node in self.neurons}
        outputs = []
        feedback: dict[int, list[Tensor]] = defaultdict(list)
        for time, step in enumerate(steps, start=1):
            arrived, feedback = feedback, defaultdict(list)
            arrived[0].append(step)
            for node in NODES:
                # Nothing may have arrived yet where only feedback leads.
                value = total(arrived[node]) if arrived[node] else silence
                spikes = {}
                for name in self.readers[node]:
                    neuron = self.neurons[name]
                    assert isinstance(neuron, NeuronLayer)
                    spikes[name], states[name] = neuron.step(value, states[name])
                    fired[name].append(spikes[name])
                for edge in self.edges:
                    if edge.source == node and edge.target > node:
                        arrived[edge.target].append(self._edge(edge, value, spikes))
                    elif edge.source == node and time < len(steps):
                        feedback[edge.target].append(self._edge(edge, value, spikes))
            outputs.append(value)
        for name, neuron in self.neurons.items():
            neuron(joined(fired[name]), fired=True)  # for forward hooks
        return joined(outputs) + x if self.adds_input else joined(outputs)


def cell_layers(cell: Cell, channels: int, settings: NetworkConfig) -> ForwardCell | FeedbackCell:
    """Return the layers of a cell of either kind."""
    kind = FeedbackCell if cell.has_feedback else ForwardCell
    return kind(cell, channels, settings)
