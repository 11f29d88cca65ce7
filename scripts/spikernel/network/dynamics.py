"""The rule of one time step of spiking neurons: every export takes it from here."""

from dataclasses import dataclass
from typing import Literal

Reset = Literal["zero", "subtract"]


@dataclass(frozen=True, kw_only=True)
class Dynamics:
    """Neurons that integrate their input x and fire; the potential v starts at `initial`.

    At every time step v <- v + (x - v) / tau, or v <- v + x without a leak; a spike where
    v >= threshold; there v <- 0, or v <- v - threshold. A field that is added has a default which
    leaves this as it is, so that an export that does not know it can tell.
    """

    neuron: str
    """Name of the model of neurons, for messages."""
    threshold: float
    tau: float | None
    """Membrane time constant in time steps; None: no leak."""
    reset: Reset
    """`zero`: hard reset; `subtract`: soft reset, which keeps what exceeds the threshold."""
    initial: float = 0.0

    @property
    def equation(self) -> str:
        """The rule in words, without its numbers."""
        charge = "x" if self.tau is None else "(x - v) / tau"
        after = "0" if self.reset == "zero" else "v - threshold"
        return f"v <- v + {charge}, spike where v >= threshold, then v <- {after}"


@dataclass(frozen=True, kw_only=True)
class Levels:
    """Neurons without memory that fire 0 to D spikes at once.

    The number is round(clip(x D / range, 0, D)), ties to even, with x D / range as the product of x
    and D / range; what it stands for is the number divided by D.
    """

    neuron: str
    """Name of the model of neurons, for messages."""
    levels: int
    """D."""
    range: float

    @property
    def equation(self) -> str:
        """The rule in words, without its numbers."""
        return f"round(clip(x / range, 0, 1) * {self.levels}) spikes at once"


Rule = Dynamics | Levels
