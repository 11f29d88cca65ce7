"""What a layer of spiking neurons is to the rest of a net, whatever model they follow.

A model is a part of kind "neuron", see `spikernel.network.neurons`. A call starts from rest and
leaves no state behind, so no sequence can leak into the next.

Shapes: T time steps, N batch.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from spikernel import registry
from spikernel.config import NetworkConfig
from spikernel.errors import ConfigError, ExportError
from spikernel.network.dynamics import Rule


class NeuronLayer(nn.Module):
    """A layer of neurons: [T, N, ...] real-valued input to [T, N, ...] spikes in {0, 1}.

    A model must define `step`, or `sequence` where it has no state. It may define `sequence` to be
    faster than one step after another, and `dynamics`, without which it cannot be exported. Where
    it has parameters or buffers it must define `reset_parameters`, since its net is made without
    values. What it computes depends on its input and its tensors alone, because a CUDA graph
    records a step once. If it draws random numbers, or counts steps, it says so: by an attribute
    `generator` (None at first), which a training sets, and by `graphable = False`.

    Attributes:
        calls: how many layers of the published network this one stands for. A node's spikes are
            computed once although each convolution edge that leaves the node has its own
            neurons there, all of which fire alike.
        threshold: potential at which they fire; by default that of the net.
        alpha: steepness of the arctangent surrogate gradient.
        levels: most spikes of a neuron at a time step. Where it is D > 1, the output is k / D for k
            spikes, and the model defines `unroll`.
        states: numbers that a neuron carries from one time step to the next.
        graphable: whether a CUDA graph may record what it does.

    """

    levels = 1
    states = 1
    graphable = True

    def __init__(
        self, settings: NetworkConfig, calls: int = 1, threshold: float | None = None
    ) -> None:
        super().__init__()
        self.calls = calls
        self.threshold = settings.threshold if threshold is None else threshold
        self.alpha = settings.surrogate_alpha

    @property
    def model(self) -> str:
        """Name by which a configuration chooses these neurons."""
        return type(self).__module__.rpartition(".")[2]

    def reset_parameters(self) -> None:
        """Fill the layer's own parameters, of which most models have none."""

    def dynamics(self) -> Rule:
        """Return the rule of a time step, for the exports.

        A subclass of a model states its own rule: it is not taken for its parent.

        Raises:
            ExportError: the model states none.

        """
        raise ExportError(f"neurons '{self.model}' state no rule that could be exported")

    def step(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """Return the spikes of one time step, and the state after it.

        Args:
            x: input, [1, N, ...].
            state: as the step before left it; None at rest.

        """
        if type(self).sequence is NeuronLayer.sequence:
            raise NotImplementedError(f"neurons '{self.model}' define neither step nor sequence")
        return self.sequence(x, 1), x.new_empty(0)

    def sequence(self, x: Tensor, time_steps: int) -> Tensor:
        """Return the spikes [T, N, ...] of [T, N, ...], or of [1, N, ...] that is held."""
        state, fired = None, []
        for now in x.expand(time_steps, *x.shape[1:]).split(1):
            spikes, state = self.step(now, state)
            fired.append(spikes)
        return joined(fired)

    def unroll(self, spikes: Tensor) -> Tensor:
        """Return what the layer fires in one time step as binary spikes, [D, N, ...]."""
        if self.levels > 1:
            raise NotImplementedError(f"neurons '{self.model}' have levels, but no unroll")
        return spikes

    def forward(self, x: Tensor, time_steps: int | None = None, *, fired: bool = False) -> Tensor:
        """Return the spikes of a sequence that starts from rest.

        Args:
            x: [T, N, ...], or [1, N, ...] with `time_steps` for what is held that long.
            time_steps: T; default: that of x.
            fired: x holds the spikes that `step` made, which are handed on, so that forward hooks
                see the whole sequence once, as they do otherwise.

        """
        return x if fired else self.sequence(x, time_steps or len(x))


def make_neuron(
    settings: NetworkConfig, calls: int = 1, threshold: float | None = None
) -> NeuronLayer:
    """Return a layer of the neurons that the settings name, see `NeuronLayer`.

    Raises:
        ConfigError: they fire several spikes at once at several time steps, which no simulation of
            binary spikes here stands for.

    """
    part = registry.load("neuron", settings.neuron)
    made: NeuronLayer = part.Neuron(settings, calls, threshold)
    if made.levels > 1 and settings.time_steps != 1:
        raise ConfigError(
            f"neurons '{settings.neuron}' fire several spikes at once, which is simulated for one "
            "time step only: set time_steps to 1"
        )
    return made


def joined(steps: Sequence[Tensor]) -> Tensor:
    """Join time steps [1, N, ...] to [T, N, ...]; folded, since that keeps channels-last."""
    return torch.cat([step.flatten(0, 1) for step in steps]).unflatten(0, (len(steps), -1))
