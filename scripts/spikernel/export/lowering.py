"""From a trained net to a `Program`: what each module of the library does, in typed steps.

A new module needs one function here, registered for its class. A module without one is
refused by name, as is a layer whose parameters no function took up.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from spikernel.errors import ExportError
from spikernel.export.builder import Builder, doubles, norm_constants
from spikernel.export.program import Program
from spikernel.export.steps import Value
from spikernel.network.blocks import ConvNorm, Head, SpikingConvolution, Transition
from spikernel.network.cells import NODES, Edge, FeedbackCell, ForwardCell
from spikernel.network.convolutions import Factors
from spikernel.network.neuron import NeuronLayer
from spikernel.network.spiking_net import SpikingNet
from spikernel.space.operations import AVG

AVERAGE_WINDOW, AVERAGE_PADDING = (3, 3), (1, 1)
"""Of the edge operation `avg`."""


@dataclass
class Lowering:
    """Walks through a net and remembers which of its layers it has taken up."""

    builder: Builder
    taken: set[nn.Module] = field(default_factory=set)

    def lower(self, name: str, module: nn.Module, source: Value) -> Value:
        """Add what a module does to its input; return its output.

        Raises:
            ExportError: the module's class, or what it is made of, cannot be exported.

        """
        if isinstance(module, NeuronLayer):
            return self.fire(name, module, source)
        function = RULES.get(type(module))
        if function is None:
            raise ExportError(
                f"{name}: {type(module).__name__} cannot be exported; known are "
                f"{', '.join(sorted(known.__name__ for known in RULES))}"
            )
        return function(self, name, module, source)

    def fire(self, name: str, module: nn.Module, source: Value) -> Value:
        """Add a layer of neurons by the rule that its model states.

        Raises:
            ExportError: the model states none of its own.

        """
        if not isinstance(module, NeuronLayer) or "dynamics" not in vars(type(module)):
            raise ExportError(
                f"{name}: neurons of class {type(module).__name__} in {type(module).__module__} "
                "state no rule of their own (`dynamics`), so they cannot be exported"
            )
        self.take(module)
        return self.builder.fire(name, source, module.dynamics())

    def take(self, *modules: nn.Module) -> None:
        """Note that the parameters of layers are in the program."""
        self.taken.update(modules)

    def check_complete(self, net: nn.Module) -> None:
        """Refuse a net with a layer that nothing took up."""
        for name, module in net.named_modules():
            if module not in self.taken and any(True for _ in module.parameters(recurse=False)):
                raise ExportError(
                    f"{name}: {type(module).__name__} is not part of the exported net: teach "
                    "spikernel.export.lowering about it"
                )


Rule = Callable[[Lowering, str, Any, Value], Value]
RULES: dict[type[nn.Module], Rule] = {}
"""What to do for each class of module."""


def rule(kind: type[nn.Module]) -> Callable[[Rule], Rule]:
    """Register a function as the rule of a class."""

    def register(function: Rule) -> Rule:
        RULES[kind] = function
        return function

    return register


def lower(
    net: SpikingNet, mean: Sequence[float], sd: Sequence[float], classes: Sequence[str]
) -> Program:
    """Return the program of a trained net.

    Args:
        net: in any mode; batch normalisation is taken as in evaluation.
        mean: of each channel of the images, for pixels in 0..1.
        sd: standard deviation of each channel, for pixels in 0..1.
        classes: their names.

    Raises:
        ExportError: a module cannot be exported, or its shapes do not fit.

    """
    shape = net.architecture.images
    if not len(mean) == len(sd) == shape.channels or len(classes) != shape.classes:
        raise ExportError(
            f"the net reads {shape.channels} channels and has {shape.classes} classes, but there "
            f"are {len(mean)} means, {len(sd)} deviations and {len(classes)} class names"
        )
    image = Value("image", (shape.channels, shape.size, shape.size), "pixels")
    lowering = Lowering(Builder(image, mean, sd))
    value = image
    for name, module in net.named_modules(remove_duplicate=False):
        if name and "." not in name:
            value = lowering.lower(name, module, value)
    lowering.check_complete(net)
    if value.shape != (shape.classes, 1, 1):
        raise ExportError(f"the net ends with shape {value.shape}, not {shape.classes} classes")
    return lowering.builder.program(value, net.architecture.network.time_steps, classes)


@rule(ConvNorm)
def _conv_norm(lowering: Lowering, name: str, module: ConvNorm, source: Value) -> Value:
    """Batch norm behind a maximum is folded where no scale is negative: then the two commute."""
    lowering.take(module.conv, module.norm)
    builder, window = lowering.builder, (module.max_pool, module.max_pool)
    if module.max_pool == 1:
        return builder.convolve(name, source, module.conv, module.norm)
    folded = bool((norm_constants(module.norm)[0] >= 0).all())
    value = builder.convolve(name, source, module.conv, module.norm if folded else None)
    value = builder.largest(f"{name}.pool", value, window)
    return value if folded else builder.affine(f"{name}.norm", value, module.norm)


@rule(Factors)
def _factors(lowering: Lowering, name: str, module: Factors, source: Value) -> Value:
    """Two convolutions in a row, kept apart: merged they would take the memory of a dense one."""
    lowering.take(module.first, module.second, module.norm)
    between = lowering.builder.convolve(f"{name}.first", source, module.first)
    return lowering.builder.convolve(f"{name}.second", between, module.second, module.norm)


@rule(SpikingConvolution)
def _spiking_convolution(
    lowering: Lowering, name: str, module: SpikingConvolution, source: Value
) -> Value:
    spikes = lowering.lower(f"{name}.neuron", module.neuron, source)
    mixed = lowering.lower(f"{name}.mix", module.mix, spikes)
    return lowering.builder.add(f"{name}.output", [mixed, source]) if module.adds_input else mixed


@rule(nn.BatchNorm2d)
def _norm(lowering: Lowering, name: str, module: nn.BatchNorm2d, source: Value) -> Value:
    lowering.take(module)
    return lowering.builder.affine(name, source, module)


def _edge(
    lowering: Lowering,
    prefix: str,
    cell: ForwardCell | FeedbackCell,
    edge: Edge,
    value: Value,
    spikes: Mapping[str, Value],
) -> Value:
    """Add what an edge makes of its source's value or spikes."""
    if edge.neurons is not None:
        name = f"{prefix}.convolutions.{edge.weights}"
        return lowering.lower(name, cell.convolutions[edge.weights], spikes[edge.neurons])
    if edge.operation == AVG:
        return lowering.builder.average(
            f"{prefix}.{edge.weights}", value, AVERAGE_WINDOW, (1, 1), AVERAGE_PADDING
        )
    return value


def _node_spikes(
    lowering: Lowering, prefix: str, cell: ForwardCell | FeedbackCell, node: int, value: Value
) -> dict[str, Value]:
    """Add the layers of neurons that read a node; return their spikes by name."""
    return {
        name: lowering.fire(f"{prefix}.neurons.{name}", cell.neurons[name], value)
        for name in cell.readers[node]
    }


@rule(ForwardCell)
def _forward_cell(lowering: Lowering, name: str, cell: ForwardCell, source: Value) -> Value:
    values = {0: source}
    spikes = _node_spikes(lowering, name, cell, 0, source)
    for node in NODES[1:]:
        arrived = [
            _edge(lowering, name, cell, edge, values[edge.source], spikes)
            for edge in cell.edges
            if edge.target == node
        ]
        if arrived:
            values[node] = lowering.builder.add(f"{name}.node{node}", arrived)
            spikes |= _node_spikes(lowering, name, cell, node, values[node])
    return _output(lowering, name, cell, values[3], source)


@rule(FeedbackCell)
def _feedback_cell(lowering: Lowering, name: str, cell: FeedbackCell, source: Value) -> Value:
    """Feedback that arrives at a node is summed and kept for the next time step."""
    builder = lowering.builder
    targets = sorted({edge.target for edge in cell.edges if edge.target < edge.source})
    before = {node: builder.delayed(f"{name}.feedback{node}", source.shape) for node in targets}
    arrived: dict[int, list[Value]] = defaultdict(list)
    feedback: dict[int, list[Value]] = defaultdict(list)
    for node, value in before.items():
        arrived[node].append(value)
    arrived[0].append(source)
    value = source
    for node in NODES:
        leaving = [edge for edge in cell.edges if edge.source == node]
        if not arrived[node]:
            if leaving or node == NODES[-1]:
                raise ExportError(f"{name}: nothing arrives at node {node}: clean the cell first")
            continue
        value = builder.add(f"{name}.node{node}", arrived[node])
        spikes = _node_spikes(lowering, name, cell, node, value)
        for edge in leaving:
            where = arrived if edge.target > node else feedback
            where[edge.target].append(_edge(lowering, name, cell, edge, value, spikes))
    for node in targets:
        builder.remember(before[node], builder.add(f"{name}.kept{node}", feedback[node]))
    return _output(lowering, name, cell, value, source)


def _output(
    lowering: Lowering, name: str, cell: ForwardCell | FeedbackCell, value: Value, source: Value
) -> Value:
    """Add a cell's input to its last node, where the net has residual cells."""
    return lowering.builder.add(f"{name}.output", [value, source]) if cell.adds_input else value


def _entry(lowering: Lowering, name: str, norm: nn.BatchNorm2d | None, source: Value) -> Value:
    """Add the batch norm before the neurons of a transition or of the head, if there is one."""
    return source if norm is None else lowering.lower(f"{name}.norm", norm, source)


@rule(Transition)
def _transition(lowering: Lowering, name: str, module: Transition, source: Value) -> Value:
    value = _entry(lowering, name, module.norm, source)
    value = lowering.lower(f"{name}.neuron", module.neuron, value)
    value = lowering.lower(f"{name}.widen", module.widen, value)
    if module.pool == 1:
        return value
    window = (module.pool, module.pool)
    return lowering.builder.average(f"{name}.pool", value, window, window)


@rule(Head)
def _head(lowering: Lowering, name: str, module: Head, source: Value) -> Value:
    """Voting is a mean of neighbouring outputs, so it is folded into their weights."""
    builder = lowering.builder
    value = _entry(lowering, name, module.norm, source)
    value = lowering.lower(f"{name}.neuron", module.neuron, value)
    window = value.shape[1:] if module.pool is None else (module.pool, module.pool)
    value = builder.average(f"{name}.pool", value, window, window)
    if module.hidden is not None:
        weight = doubles(module.hidden.weight)
        value = builder.linear(f"{name}.hidden", value, weight, np.zeros(len(weight)))
        lowering.take(module.hidden)
        value = lowering.lower(f"{name}.hidden_neuron", module.hidden_neuron, value)
    weight = doubles(module.outputs.weight)
    votes = weight.reshape(-1, module.votes, weight.shape[1]).mean(1)
    bias = doubles(module.outputs.bias).reshape(-1, module.votes).mean(1)
    lowering.take(module.outputs)
    return builder.linear(f"{name}.outputs", value, votes, bias)
