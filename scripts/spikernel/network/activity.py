"""Firing rates, synaptic operations and compute energy, measured on real images.

Definitions follow NeuroBench: a layer whose inputs are all in {0, 1} does one accumulate (AC)
per nonzero input and outgoing connection; any other layer does multiply-accumulates (MAC).
Biases, pooling and normalisation are not counted. The stem's first convolution runs once per
image; all other layers run once per time step. Average pooling before the classifier makes its
inputs fractional, so that layer counts MACs; so does the second factor of a depthwise separable
or factorised convolution, which reads what the first made of the spikes. Energies are those of
`spikernel.network.energy`.

A net of integer neurons is measured as the binary net that it stands for, whose neurons fire in D
steps, see `spikernel.network.unrolled`: level k counts as k spikes. Between images it carries no
state, and within one the layer at work adds up its input as any layer does.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor

from spikernel.network.energy import ENERGY
from spikernel.network.layers import LayerCosts, LayerMeter
from spikernel.network.measured import evaluated
from spikernel.network.spiking_net import SpikingNet
from spikernel.network.unrolled import unrolled
from spikernel.space.counts import Precision


@dataclass(frozen=True)
class Activity:
    """Activity of a net, per image, averaged over the images seen.

    Attributes:
        firing_rate: spikes per neuron and time step, over all neurons of the net.
        layers: what every layer does and holds, in the order of the net.

    """

    firing_rate: float
    layers: tuple[LayerCosts, ...]

    @property
    def effective_acs(self) -> float:
        """Accumulates caused by spikes, per image."""
        return sum(layer.acs for layer in self.layers)

    @property
    def effective_macs(self) -> float:
        """Multiply-accumulates of nonzero inputs that are not spikes, per image."""
        return sum(layer.macs for layer in self.layers)

    @property
    def dense_synops(self) -> float:
        """Operations if every input were nonzero, per image."""
        return sum(layer.dense_ops for layer in self.layers)

    @property
    def neurons(self) -> int:
        """Neurons of the net."""
        return sum(layer.neurons for layer in self.layers)

    @property
    def state_bytes(self) -> int:
        """Memory of what the net carries from one time step to the next, in fp32."""
        return sum(layer.state_bytes for layer in self.layers)

    @property
    def layer_rates(self) -> dict[str, float]:
        """Firing rate of each layer of neurons by its name."""
        return {
            layer.layer: layer.firing_rate for layer in self.layers if layer.firing_rate is not None
        }

    @property
    def costs(self) -> dict[str, float]:
        """What the net does per image, by the names that results have."""
        return {
            "firing_rate": self.firing_rate,
            "effective_acs": self.effective_acs,
            "effective_macs": self.effective_macs,
            "dense_synops": self.dense_synops,
            "energy_pj": self.energy_pj(),
        }

    def energy_pj(self, precision: Precision = "fp32") -> float:
        """Return the compute energy per image in pJ, by the 45 nm convention."""
        return ENERGY[precision].total_pj(self.effective_macs, self.effective_acs)


def measure_activity(net: SpikingNet, batches: Iterable[Tensor]) -> Activity:
    """Run images [N, C, H, W] through a net in evaluation mode and count what happens.

    Args:
        net: as trained, in any mode.
        batches: of normalised images.

    Raises:
        ValueError: there are no images.

    """
    images = 0
    with evaluated(net), unrolled(net) as steps, LayerMeter(net) as meter:
        for batch in batches:
            net(batch, steps)
            images += len(batch)
    if images == 0:
        raise ValueError("activity needs at least one image")
    return Activity(meter.firing_rate(), meter.costs(images))
