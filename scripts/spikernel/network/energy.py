"""Compute energy of synaptic operations at 45 nm, for several number formats.

Energies of single operations at 45 nm and 0.9 V (Horowitz, "Computing's energy problem", ISSCC
2014), in pJ:

    add   int8 0.03   int32 0.1   fp16 0.4   fp32 0.9
    mult  int8 0.2    int32 3.1   fp16 1.1   fp32 3.7

A MAC is one multiplication and one addition of the accumulator, an AC that addition alone. For
int8 weights the accumulator has 32 bits, as in the exported C code: sums of 8-bit products do
not fit 8 bits. The numbers leave out memory traffic, which often dominates.
"""

from dataclasses import dataclass

from spikernel.space.counts import Precision


@dataclass(frozen=True)
class OperationEnergy:
    """Energy of one synaptic operation in pJ."""

    mac_pj: float
    ac_pj: float

    def total_pj(self, macs: float, acs: float) -> float:
        """Return the energy of a number of operations in pJ."""
        return macs * self.mac_pj + acs * self.ac_pj


ENERGY: dict[Precision, OperationEnergy] = {
    "fp32": OperationEnergy(mac_pj=3.7 + 0.9, ac_pj=0.9),
    "fp16": OperationEnergy(mac_pj=1.1 + 0.4, ac_pj=0.4),
    "int8": OperationEnergy(mac_pj=0.2 + 0.1, ac_pj=0.1),
}
"""Presets by number format of the weights; `fp32` is the field's convention, 4.6 and 0.9 pJ."""
