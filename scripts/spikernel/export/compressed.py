"""Weights of a released net in fewer bytes: half precision, or int8 with a scale per filter.

Filters and the matrices of linear layers are compressed. Biases, norms and their statistics stay
float32: they are few, and variances can leave the range of half precision. `load_model` of
`spikernel.inference.released` reads what is written here.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from spikernel.export.quantise import quantise_weights
from spikernel.inference.released import SCALE

ReleasePrecision = Literal["fp16", "int8"]


def compressed(tensors: Mapping[str, Tensor], precision: ReleasePrecision) -> dict[str, Tensor]:
    """Return a net's tensors with its weights in a number format.

    An int8 weight [O, ...] comes with the scale of each output channel, float32 [O], under its own
    name and `SCALE`.
    """
    found: dict[str, Tensor] = {}
    for name, value in tensors.items():
        if value.ndim < 2:
            found[name] = value
        elif precision == "fp16":
            found[name] = value.half()
        else:
            filters = value.reshape(*value.shape, *(1,) * (4 - value.ndim))
            weights = quantise_weights(filters.cpu().numpy())
            found[name] = torch.from_numpy(weights.values).reshape(value.shape)
            found[name + SCALE] = torch.from_numpy(weights.scale)
    return found
