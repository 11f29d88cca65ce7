"""What each layer of a net does and holds: operations, spikes, neurons, state, parameters."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import torch
from torch import Tensor, nn

from spikernel.network.cells import FeedbackCell
from spikernel.network.energy import ENERGY
from spikernel.network.neuron import NeuronLayer
from spikernel.network.synapses import connections_used, dense_connections

STATE_BYTES = 4
"""Bytes of one state variable (a membrane potential): fp32, in the nets and in the C code."""


@dataclass(frozen=True)
class LayerCosts:
    """One row of `layers.csv`; operations are per image, over all time steps."""

    layer: str
    kind: str
    """`conv`, `linear`, `norm`, a model of neurons (`lif`), or `feedback` (values a cell keeps for
    the next step)."""
    firing_rate: float | None
    """Spikes per neuron and time step, or binary step; empty for layers without neurons."""
    dense_ops: float
    """Synaptic operations if every input were nonzero."""
    macs: float
    acs: float
    energy_pj: float
    """Compute energy in fp32 at 45 nm, without memory traffic."""
    neurons: int
    state_bytes: int
    """Memory carried from one time step to the next, in fp32."""
    params: int
    """Parameters, those of a frozen layer included."""

    def row(self) -> dict[str, Any]:
        """Return the row's columns."""
        return asdict(self)


@dataclass
class _Tally:
    """Sums of one layer; they stay on the device until the end."""

    acs: Tensor | float = 0.0
    macs: Tensor | float = 0.0
    dense: int = 0
    spikes: Tensor | float = 0.0
    sites: int = 0
    neurons: int = 0
    state: int = 0


@dataclass
class LayerMeter:
    """Counts in every layer of a net while images run through it.

    As a context manager it installs forward hooks and removes them. Nothing is copied to the
    host before `costs`.
    """

    net: nn.Module
    _tallies: dict[str, _Tally] = field(default_factory=dict)
    _handles: list[Any] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Install the hooks."""
        for name, module in self.net.named_modules():
            hook = self._hook(name, module)
            if hook is not None:
                self._tallies[name] = _Tally()
                self._handles.append(module.register_forward_hook(hook))
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the hooks."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def firing_rate(self) -> float:
        """Return the spikes per neuron and time step over all neurons."""
        spikes = sum(float(tally.spikes) for tally in self._tallies.values())
        sites = sum(tally.sites for tally in self._tallies.values())
        return spikes / sites if sites else 0.0

    def costs(self, images: int) -> tuple[LayerCosts, ...]:
        """Return one entry per layer that does, holds or learns something, in the net's order."""
        found = []
        for name, module in self.net.named_modules():
            tally = self._tallies.get(name, _Tally())
            params = sum(p.numel() for p in module.parameters(recurse=False))
            if name not in self._tallies and not params:
                continue
            macs, acs = float(tally.macs) / images, float(tally.acs) / images
            found.append(
                LayerCosts(
                    layer=name,
                    kind=_kind(module),
                    firing_rate=float(tally.spikes) / tally.sites if tally.sites else None,
                    dense_ops=tally.dense / images,
                    macs=macs,
                    acs=acs,
                    energy_pj=ENERGY["fp32"].total_pj(macs, acs),
                    neurons=tally.neurons,
                    state_bytes=tally.state,
                    params=params,
                )
            )
        return tuple(found)

    def _hook(self, name: str, module: nn.Module) -> Callable[..., None] | None:
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            return lambda layer, inputs, _: self._synapses(self._tallies[name], layer, inputs[0])
        if isinstance(module, NeuronLayer):
            return lambda layer, _, spikes: self._neurons(self._tallies[name], layer, spikes)
        if isinstance(module, FeedbackCell):
            return lambda cell, _, values: self._feedback(self._tallies[name], cell, values)
        return None

    @staticmethod
    def _synapses(tally: _Tally, module: nn.Conv2d | nn.Linear, x: Tensor) -> None:
        tally.dense += dense_connections(module, x.shape)
        binary = ((x == 0) | (x == 1)).all()
        used = connections_used(module, x)
        tally.acs += torch.where(binary, used, 0.0)
        tally.macs += torch.where(binary, 0.0, used)

    @staticmethod
    def _neurons(tally: _Tally, layer: NeuronLayer, spikes: Tensor) -> None:
        """Count spikes [T, N, ...]."""
        tally.neurons = spikes.shape[2:].numel()
        tally.state = tally.neurons * layer.states * STATE_BYTES
        tally.spikes += spikes.sum(dtype=torch.float64)
        tally.sites += spikes.numel()

    @staticmethod
    def _feedback(tally: _Tally, cell: FeedbackCell, values: Tensor) -> None:
        """Count what arrives at nodes at the next step; values are the output [T, N, C, H, W]."""
        targets = {edge.target for edge in cell.edges if edge.target < edge.source}
        tally.state = len(targets) * values.shape[2:].numel() * STATE_BYTES


def _kind(module: nn.Module) -> str:
    if isinstance(module, NeuronLayer):
        return module.model
    kinds: tuple[tuple[type[nn.Module], str], ...] = (
        (nn.Conv2d, "conv"),
        (nn.Linear, "linear"),
        (FeedbackCell, "feedback"),
        (nn.BatchNorm2d, "norm"),
    )
    for kind, text in kinds:
        if isinstance(module, kind):
            return text
    return type(module).__name__.lower()
