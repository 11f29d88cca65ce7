"""Weights from a seed and their own name, so that equal parts of two nets are equal.

Each weight has its own generator, seeded by (seed, name). Two architectures that share
an edge operation in the same place therefore share its weights exactly (common random
numbers), and adding an edge changes no other weight.
"""

import hashlib
import math
from collections.abc import MutableMapping

import torch
from torch import Tensor, nn

from spikernel.network.neuron import NeuronLayer

WeightBank = MutableMapping[str, Tensor]
"""Initial weights by name, kept between nets that are built from one seed."""


def _generator(seed: int, name: str) -> torch.Generator:
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def _initial_weight(
    module: nn.Conv2d | nn.Linear, linear_init: str, seed: int, name: str
) -> Tensor:
    values = torch.empty(module.weight.shape)
    generator = _generator(seed, name)
    if isinstance(module, nn.Conv2d):
        return nn.init.kaiming_uniform_(values, a=2, generator=generator)
    deviation = 0.01 if linear_init == "snasnet" else math.sqrt(2 / module.in_features)
    return values.normal_(0, deviation, generator=generator)


@torch.no_grad()
def initialise(net: nn.Module, linear_init: str, seed: int, bank: WeightBank | None = None) -> None:
    """Fill every parameter and buffer.

    As in SNASNet's published code: convolutions Kaiming-uniform with a = 2, batch norm 1 and
    0, biases 0. Weights of linear layers are normal, see `NetworkConfig.linear_init`. Neurons
    fill their own.

    Args:
        net: the net, on its device; its values may be uninitialised memory.
        linear_init: `scaled` or `snasnet`.
        seed: same seed, same weights, on every device.
        bank: where weights are looked up before they are drawn, and kept once drawn. It must
            serve one seed, one macro-structure and one device.

    Raises:
        TypeError: nothing fills the values of a module.

    """
    for prefix, module in net.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            name = f"{prefix}.weight"
            known = bank.get(name) if bank is not None else None
            if known is None:
                known = _initial_weight(module, linear_init, seed, name).to(module.weight.device)
                if bank is not None:
                    bank[name] = known
            module.weight.copy_(known)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, (nn.BatchNorm2d, NeuronLayer)):
            module.reset_parameters()
            if isinstance(module, NeuronLayer):
                _check_filled(prefix, module)
        elif _own(module):
            raise TypeError(f"{prefix}: nothing fills the values of {type(module).__name__}")


def _own(module: nn.Module) -> list[Tensor]:
    """Return the parameters and buffers of a module, without those of the modules in it."""
    return [*module.parameters(recurse=False), *module.buffers(recurse=False)]


def _check_filled(prefix: str, module: NeuronLayer) -> None:
    if type(module).reset_parameters is NeuronLayer.reset_parameters and _own(module):
        raise TypeError(f"{prefix}: {type(module).__name__} must define reset_parameters")
