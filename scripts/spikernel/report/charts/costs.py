"""The costs of a trade-off: memory, parameters, synaptic operations, energy."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from spikernel.report.tables import formats, published
from spikernel.space.counts import BYTES

_ON_DEVICE = {
    formats.FLASH: "Flash in kB (constants of the int8 model)",
    formats.RAM: "RAM in kB (static memory of the int8 model)",
}


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What the x-axis of a trade-off figure shows."""

    name: str
    """Name of its column in the CSV file."""
    title: str
    """Title of the axis, with the unit."""
    measured: str
    """Column of the models, divided by `divisor`."""
    divisor: float = 1.0
    precision: str = "fp32"
    """Number format of the weights whose accuracy belongs to this cost."""
    per_million: float | None = None
    """Cost of a million parameters, for published results; None where parameters do not fix it."""

    @property
    def bound(self) -> float | None:
        """The SpiKernel paper's bound on parameters in this cost's unit."""
        if self.per_million is None:
            return None
        return published.PARAMETER_BOUND / 1e6 * self.per_million


def memory(precision: str) -> Cost:
    """Return the cost 'memory of the weights in MB' at a number format, or flash or RAM in kB."""
    if precision in _ON_DEVICE:
        return Cost(
            name=f"{precision}_kb",
            title=_ON_DEVICE[precision],
            measured=formats.largest_bytes(precision),
            divisor=1e3,
            precision=precision,
        )
    return Cost(
        name="memory_mb",
        title=f"Memory of the weights in MB ({precision})",
        measured=f"memory_mb_{precision}",
        precision=precision,
        per_million=BYTES[precision],
    )


PARAMETERS = Cost(
    name="params_m", title="Parameters in millions", measured="params", divisor=1e6, per_million=1
)
"""The cost 'number of trainable parameters'."""

SYNOPS = Cost(
    name="synops_m",
    title="Synaptic operations per image in millions (ACs + MACs)",
    measured="effective_synops_mean",
    divisor=1e6,
)
"""The cost 'effective synaptic operations', those that a nonzero input causes."""

ENERGY = Cost(
    name="energy_uj",
    title="Compute energy per image in µJ (45 nm, no memory traffic)",
    measured="energy_pj_mean",
    divisor=1e6,
)
"""The cost 'compute energy'."""


def of_figures(precision: str) -> dict[str, Cost]:
    """Return the name of each static trade-off figure and what its x-axis shows."""
    return {
        "accuracy_vs_memory": memory(precision),
        "accuracy_vs_parameters": PARAMETERS,
        "accuracy_vs_synops": SYNOPS,
        "accuracy_vs_energy": ENERGY,
    }


def budgeted(means: pd.DataFrame) -> tuple[str, ...]:
    """Return what a budget may limit: flash and RAM where known, then each number format."""
    return (*formats.on_device(means), "int8", "fp16", "fp32")


def of_page(precision: str, budgets: Sequence[str]) -> dict[str, Cost]:
    """Return every cost that a reader of the page may choose; that of the budgets is first."""
    first = sorted(budgets, key=lambda name: name != precision)
    return {
        **{f"memory_{name}": memory(name) for name in first},
        "parameters": PARAMETERS,
        "synops": SYNOPS,
        "energy": ENERGY,
    }
