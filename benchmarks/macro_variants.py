"""The macro-structures that benchmarks/macro_ablation.py compares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spikernel.config import NetworkConfig
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.counts import at_parameters, parameter_count
from spikernel.space.operations import conv, kernel_size

CELLS = ("k3-zero-skip-k3-zero-k3", "k3-k3-k3-zero-skip-k3", "k3-zero-k1-k3-avg-k3")
"""A chain beside a direct skip; a wide cell without one; a mixed one."""

SMALL: dict[str, Any] = {
    "time_steps": 2, "cells_per_stage": 1,
}  # fmt: skip
"""Few time steps and cells, but maps as large as in the nets that count."""
CHANNELS = 12
CLASSIFIER: dict[str, Any] = {"head": "fc", "pool": 4, "hidden": 128, "votes": 4, "dropout": 0.2}
"""config/cifar10_smoke.yaml's, for maps of twice the side."""
MODERN = "modern"


@dataclass(frozen=True)
class Variant:
    """A macro-structure: settings on top of a preset, and kernel sizes that are replaced."""

    macro: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[int, int] = field(default_factory=dict)

    def architecture(self, archid: str, images: ImageShape, channels: int) -> Architecture:
        """Return the net of a cell of dense convolutions.

        Its convolutions are of the type that the macro-structure has for their size.
        """
        given = {"macro": self.macro, **SMALL, "channels": channels, **self.changes}
        network = NetworkConfig.parse(given, "variant")
        names = [
            name
            if (size := kernel_size(name)) is None
            else conv(self.sizes.get(size, size), network.convolutions)
            for name in archid.split("-")
        ]
        return Architecture(Cell.from_archid("-".join(names)), network, images)


VARIANTS: dict[str, Variant] = {
    "snasnet": Variant("snasnet", CLASSIFIER),
    "snasnet-depthwise": Variant("snasnet", {**CLASSIFIER, "convolutions": "depthwise"}),
    MODERN: Variant(MODERN),
    "fc-head": Variant(MODERN, CLASSIFIER),
    "two-stages": Variant(MODERN, {"stages": 2}),
    "two-cells-per-stage": Variant(MODERN, {"cells_per_stage": 2}),
    "stem-1": Variant(MODERN, {"stem_convolutions": 1}),
    "stem-3": Variant(MODERN, {"stem_convolutions": 3}),
    "no-residual": Variant(MODERN, {"residual": False}),
    "fixed-tau": Variant(MODERN, {"learnable_tau": False}),
    "strided": Variant(MODERN, {"downsampling": "stride"}),
    "dense": Variant(MODERN, {"convolutions": "dense"}),
    "factorised": Variant(MODERN, {"convolutions": "factorised"}),
    "5x5": Variant(MODERN, sizes={3: 5}),
    "7x7": Variant(MODERN, sizes={3: 7}),
    "early-transition": Variant(MODERN, {"early_transition": True}),
    "max-pooling": Variant(MODERN, {"pooling": "max"}),
    "no-entry-norm": Variant(MODERN, {"entry_norm": False}),
    "fixed-scale": Variant(MODERN, {"norm_scale": "fixed"}),
}
"""SNASNet's two, `modern`, and `modern` with one part off or in another form."""


def equal_parameters(variant: str, archid: str, images: ImageShape, channels: int) -> Architecture:
    """Return a variant's net at the parameters of the `snasnet` net of that cell and width."""
    budget = parameter_count(VARIANTS["snasnet"].architecture(archid, images, channels)).total
    return at_parameters(VARIANTS[variant].architecture(archid, images, channels), budget)
