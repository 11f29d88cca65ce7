"""Spiking nets in torch: neurons, cells, macro-structure, activity counters.

Shapes: T time steps, N batch, C channels, H and W pixels. Sequences are [T, N, C, H, W].
"""

from spikernel.network.activity import Activity, measure_activity, static_costs
from spikernel.network.device import choose_device, describe_device
from spikernel.network.initialisation import WeightBank
from spikernel.network.layers import LayerCosts
from spikernel.network.neurobench import neurobench_metrics
from spikernel.network.neuron import LIF
from spikernel.network.spiking_net import SpikingNet, build_net

__all__ = [
    "LIF",
    "Activity",
    "LayerCosts",
    "SpikingNet",
    "WeightBank",
    "build_net",
    "choose_device",
    "describe_device",
    "measure_activity",
    "neurobench_metrics",
    "static_costs",
]
