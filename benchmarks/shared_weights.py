"""A supernet: one net whose cells hold every operation on every edge, and run one cell at a time.

Every batch of its training runs another cell, drawn as a search draws cells (single path one-shot,
Guo et al., ECCV 2020), the same in all stages, and only the weights that were run make a step. A
weight has the name that it has in the net of a single cell, and so the same initial value.
"""

import random
from collections.abc import Sequence

import common  # noqa: F401  (puts the library on the path)
import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from spikernel.config import NetworkConfig
from spikernel.data.splits import Split, places_of
from spikernel.inference.normaliser import Normaliser
from spikernel.network.cells import NODES, Edge, ForwardCell
from spikernel.network.convolutions import edge_convolution
from spikernel.network.initialisation import initialise
from spikernel.network.neuron import make_neuron
from spikernel.network.spiking_net import SpikingNet
from spikernel.network.whitening import IMAGES, whiten
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell, Neurons
from spikernel.space.enumeration import draw_cell
from spikernel.space.macro import Part, adds_input
from spikernel.space.operations import convolution
from spikernel.space.patterns import EDGES


def cell_of_batch(operations: Sequence[str], seed: int, batch: int) -> Cell:
    """Return the cell that a supernet trains with a batch, counted from 0."""
    return draw_cell(operations, random.Random(f"{seed} {batch}"))


class SuperCell(ForwardCell):
    """A forward cell with the layers of all operations; it runs the cell that it was told to."""

    def __init__(self, operations: Sequence[str], part: Part, architecture: Architecture) -> None:
        super().__init__(architecture.cell, part.channels, architecture.network)
        self._settings = architecture.network
        for node in NODES[:-1]:
            self.neurons[Neurons(node).name] = make_neuron(self._settings)
        for source, target in EDGES:
            for operation in operations:
                found = convolution(operation)
                if found is not None:
                    name = Edge.of(source, target, operation).weights
                    self.convolutions[name] = edge_convolution(found, part.channels)

    def run_as(self, cell: Cell) -> None:
        """Take the edges of a cell."""
        self.adds_input = adds_input(self._settings, cell)
        self.edges = [Edge.of(*connection) for connection in cell.connections()]
        self.readers = {
            node: [layer.name for layer in cell.neurons() if layer.node == node] for node in NODES
        }


class Supernet(SpikingNet):
    """The net of all cells over a set of operations; see `make_supernet`.

    Attributes:
        batches: how many were trained on; a state that is restored goes on with the same cells.

    """

    batches: Tensor

    def __init__(self, architecture: Architecture, operations: Sequence[str], seed: int) -> None:
        # Before the layers are made, which need them.
        self._operations, self._seed, self._pinned = tuple(operations), seed, False
        super().__init__(architecture)
        self.register_buffer("batches", torch.zeros((), dtype=torch.long))

    def _layers(self, part: Part) -> nn.Module:
        if part.kind == "cell":
            return SuperCell(self._operations, part, self.architecture)
        return super()._layers(part)

    def run_as(self, cell: Cell) -> None:
        """Run this cell from now on, whatever is trained."""
        self._pinned = True
        self._take(cell)

    def _take(self, cell: Cell) -> None:
        for module in self.modules():
            if isinstance(module, SuperCell):
                module.run_as(cell)

    def forward(self, images: Tensor, time_steps: int | None = None) -> Tensor:
        """Images [N, C, H, W] to logits [T, N, classes], in training of the next cell."""
        if self.training and not self._pinned:
            self._take(cell_of_batch(self._operations, self._seed, int(self.batches)))
            self.batches += 1
        return super().forward(images, time_steps)


def make_supernet(
    network: NetworkConfig, images: ImageShape, operations: Sequence[str], seed: int, train: Split
) -> Supernet:
    """Return a supernet with its initial weights, on the CPU.

    Args:
        network: macro-structure around the cells, whose neurons have no weights of their own.
        images: shape of the images.
        operations: of every edge; convolutions have the net's threshold.
        seed: of the weights and of the cells that are drawn.
        train: images that a whitened stem follows from.

    """
    largest = max(operations, key=lambda name: getattr(convolution(name), "size", 0))
    # Bounds what any cell needs; it is run before the first one is drawn.
    architecture = Architecture(Cell((largest,) * len(EDGES)), network, images)
    net = Supernet(architecture, operations, seed)
    torch.nn.utils.convert_conv2d_weight_memory_format(net, torch.channels_last)
    initialise(net, network.linear_init, seed)
    if network.stem_weights == "whitened":
        normalise = Normaliser(train.manifest.mean, train.manifest.sd, torch.device("cpu"))
        some = train.images[places_of(train.labels, IMAGES)]
        whiten(net, torch.from_numpy(np.array(some)), normalise)
    return net


def inherit(net: Supernet, cell: Cell, batches: Sequence[Tensor]) -> None:
    """Let a supernet run a cell, with running statistics of batch norms that are this cell's.

    Args:
        net: the supernet.
        cell: the one to run.
        batches: normalised training images [N, C, H, W]; the mean over them counts.

    """
    net.run_as(cell)
    update_bn(batches, net)
