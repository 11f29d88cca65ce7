"""Score of the first cell alone, for all cells of a kernel set at once.

Under shared weights and images, what happens inside the first cell is shared too: node 1 has
one value per operation on edge 01, node 2 one per choice on the edges 01, 02 and 12. The
kernel matrices of those nodes' spikes are computed once each; the kernel of a cell is then a
weighted sum of three of them, one per node, with the number of convolutions that leave the
node as weight. All cells over {zero, skip, avg, k1, k3} take 12 convolutions for the edges
01, 02 and 12, instead of about 25,000.

This is exact for the first cell and blind to the rest of the net: to where convolutions on
the edges 03, 13 and 23 differ in size, to the second cell and to the head. It is meant as a
filter before the exact score, see docs/search.md for what it loses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from spikernel.config import NetworkConfig
from spikernel.network.blocks import (
    Transition,
    average_neighbours,
    over_time,
    run_stem,
    stem_layers,
    total,
)
from spikernel.network.convolutions import edge_convolution
from spikernel.network.initialisation import initialise
from spikernel.network.neuron import NeuronLayer, make_neuron
from spikernel.search.sahd import Alpha, layer_kernel, log_determinants
from spikernel.space.architecture import ImageShape
from spikernel.space.cell import Cell
from spikernel.space.macro import parts
from spikernel.space.operations import SKIP, ZERO, Convolution, convolution
from spikernel.space.patterns import EDGES

CHUNK = 64
"""Kernel matrices whose determinants are taken at once."""

Choice = tuple[str, ...]
"""Operations that a node's value depends on: none for node 0, and those below."""

_EDGES: dict[int, tuple[tuple[int, int], ...]] = {0: (), 1: ((0, 1),), 3: ((0, 1), (0, 2), (1, 2))}
_NODE = {0: 0, 1: 1, 3: 2}
"""Edges and node of a choice, by how many operations it names."""


Fired = tuple[Choice, float | None]
"""Spikes that a first cell can hold: of a node value, under a threshold (None: the net's)."""


@dataclass(frozen=True)
class Groups:
    """What the first cell's kernel depends on: its spikes, and how many convolutions read them."""

    terms: tuple[tuple[Fired, int], ...]

    @classmethod
    def of(cls, cell: Cell) -> "Groups":
        """Return the group of a cleaned forward cell with at least one convolution."""
        named = dict(zip(EDGES, cell.operations, strict=True))
        first = named[0, 1]
        # Without the edge 12, node 2 does not depend on node 1.
        second = (first if named[1, 2] != ZERO else ZERO, named[0, 2], named[1, 2])
        choices: dict[int, Choice] = {0: (), 1: (first,), 2: second}
        return cls(
            tuple(
                ((choices[layer.node], layer.threshold), leaving)
                for layer, leaving in cell.neurons().items()
            )
        )


class _Supernet(nn.Module):
    """Stem and every convolution of the first cell, with the names they have in any net."""

    def __init__(
        self,
        network: NetworkConfig,
        images: ImageShape,
        edges: Mapping[str, Convolution],
        thresholds: Sequence[float | None],
    ) -> None:
        super().__init__()
        around = parts(network, images.channels, images.size)
        layers = stem_layers(around, network)
        for name, layer in layers.items():
            self.add_module(name, layer)
        if network.early_transition:
            part = next(part for part in around if part.kind == "transition")
            layers[part.name] = Transition(part, network)
            self.add_module(part.name, layers[part.name])
        self.stem_order = tuple(layers.values())
        self.neurons = nn.ModuleList(make_neuron(network, threshold=value) for value in thresholds)
        # Registered below cell1 first: weights are named, and so seeded, by that path.
        self.cell1 = nn.Module()
        channels = next(part.channels for part in around if part.kind == "cell")
        self.convolutions = nn.ModuleDict(
            {key: edge_convolution(edges[key], channels) for key in sorted(edges)}
        )
        self.cell1.convolutions = self.convolutions


class FirstCell:
    """Scores cells by the SAHD of their first cell, on normalised mini-batches [B, C, H, W]."""

    def __init__(
        self,
        network: NetworkConfig,
        images: ImageShape,
        batches: list[Tensor],
        alpha: Alpha,
        seed: int,
    ) -> None:
        self._network = network
        self._codes = network.time_steps * make_neuron(network).levels
        self._images = images
        self._batches = batches
        self._alpha = alpha
        self._seed = seed
        self._device = batches[0].device

    @torch.no_grad()
    def scores(self, cells: Sequence[Cell]) -> list[float]:
        """Return log |det K| of each cell's first cell, the mean over the mini-batches.

        Args:
            cells: canonical forward cells, each with at least one convolution.
        """
        groups = [Groups.of(cell) for cell in cells]
        distinct = list(dict.fromkeys(groups))
        sums = torch.zeros(len(distinct), dtype=torch.float64, device=self._device)
        for batch in self._batches:
            kernels = self._kernels(batch, distinct)
            sums += self._log_determinants(distinct, kernels)
        # One copy to the host for all cells.
        values = (sums / len(self._batches)).tolist()
        by_group = dict(zip(distinct, values, strict=True))
        return [by_group[group] for group in groups]

    def _log_determinants(self, groups: list[Groups], kernels: dict[Fired, Tensor]) -> Tensor:
        parts = []
        for start in range(0, len(groups), CHUNK):
            chunk = groups[start : start + CHUNK]
            parts.append(log_determinants([self._mean(group, kernels) for group in chunk]))
        return torch.cat(parts)

    def _mean(self, group: Groups, kernels: dict[Fired, Tensor]) -> Tensor:
        weighted = [kernels[fired] * weight for fired, weight in group.terms]
        calls = sum(weight for _, weight in group.terms)
        return torch.stack(weighted).sum(0) / (calls * self._codes)

    def _kernels(self, batch: Tensor, groups: list[Groups]) -> dict[Fired, Tensor]:
        """Return the summed kernel [B, B] of all spikes that some group needs."""
        needed = {fired for group in groups for fired, _ in group.terms}
        nodes = _NodeValues(self._network, self._images, needed, self._seed, batch)

        # Choices that share their edge 12 follow each other, so that it is computed once.
        def place(fired: Fired) -> tuple[object, ...]:
            choice, threshold = fired
            return len(choice), choice[:1], choice[2:], choice, threshold or 0.0

        order = sorted(needed, key=place)
        return {fired: layer_kernel(nodes.codes(fired), self._alpha) for fired in order}


class _NodeValues:
    """Values and spikes of the nodes of the first cell on one mini-batch."""

    def __init__(
        self,
        network: NetworkConfig,
        images: ImageShape,
        needed: set[Fired],
        seed: int,
        batch: Tensor,
    ) -> None:
        edges: dict[str, Convolution] = {}
        thresholds = {threshold for _, threshold in needed}
        for choice, _ in needed:
            for (source, target), name in _edges(choice):
                found = convolution(name)
                if found is not None:
                    edges[f"{source}{target}_{found.kernel}"] = found
                    thresholds.add(found.threshold)
        ordered = sorted(thresholds, key=lambda value: value or 0.0)
        with torch.device("meta"):
            net = _Supernet(network, images, edges, ordered)
        net.to_empty(device=batch.device)
        torch.nn.utils.convert_conv2d_weight_memory_format(net, torch.channels_last)
        initialise(net, network.linear_init, seed)
        net.train()
        self._convolutions = net.convolutions
        layers = [cast(NeuronLayer, layer) for layer in net.neurons]
        self._neurons = dict(zip(ordered, layers, strict=True))
        self._time_steps = network.time_steps
        self._values: dict[Choice, Tensor] = {
            (): run_stem(net.stem_order, batch, network.time_steps)
        }
        self._latest: tuple[Choice, Tensor] | None = None
        self._spikes: dict[Fired, Tensor] = {}
        self._edge_values: dict[tuple[Choice, str], Tensor] = {}

    def fire(self, fired: Fired) -> Tensor:
        """Return the spikes [T, B, C, H, W] of a node value under a threshold."""
        if fired in self._spikes:
            return self._spikes[fired]
        choice, threshold = fired
        value = self._value(choice)
        spikes: Tensor = self._neurons[threshold](value, self._time_steps)
        if _NODE[len(choice)] != 2:  # node 2 is read once: keep no copy
            self._spikes[fired] = spikes
        return spikes

    def codes(self, fired: Fired) -> Tensor:
        """Return the same as binary codes, of which neurons with levels have several."""
        return self._neurons[fired[1]].unroll(self.fire(fired))

    def _value(self, choice: Choice) -> Tensor:
        if choice in self._values:
            return self._values[choice]
        if self._latest is not None and self._latest[0] == choice:
            return self._latest[1]
        arrived = [
            self._edge(source, target, name, choice)
            for (source, target), name in _edges(choice)
            if target == _NODE[len(choice)] and name != ZERO
        ]
        value = total(arrived)
        if _NODE[len(choice)] == 2:  # only the latest: there may be hundreds
            self._latest = (choice, value)
        else:
            self._values[choice] = value
        return value

    def _edge(self, source: int, target: int, name: str, choice: Choice) -> Tensor:
        origin: Choice = () if source == 0 else (choice[0],)
        value = self._value(origin)
        if name == SKIP:
            return value
        key = (origin, f"{source}{target}_{name}")
        if key in self._edge_values:
            return self._edge_values[key]
        if source != 0:  # only the latest edge 12 is kept: there may be dozens
            self._edge_values = {k: v for k, v in self._edge_values.items() if not k[0]}
        found = convolution(name)
        if found is None:
            result = over_time(average_neighbours, value)
        else:
            layer = self._convolutions[f"{source}{target}_{found.kernel}"]
            result = over_time(layer, self.fire((origin, found.threshold)))
        self._edge_values[key] = result
        return result


def _edges(choice: Choice) -> list[tuple[tuple[int, int], str]]:
    return list(zip(_EDGES[len(choice)], choice, strict=True))
