"""What a device gets from a trained net: exact memory, and the accuracy with int8 weights."""

import logging
from typing import Any

from torch import Tensor

from spikernel.data.manifest import Manifest
from spikernel.errors import ExportError
from spikernel.export.evaluate import accuracy_percent
from spikernel.export.lowering import lower
from spikernel.export.memory import plan
from spikernel.export.quantise import quantise
from spikernel.network import SpikingNet

LOG = logging.getLogger(__name__)


def deployed(
    net: SpikingNet,
    manifest: Manifest,
    validation: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
) -> dict[str, Any]:
    """Return what a device gets: exact memory, and the accuracy with int8 weights.

    `fp32_bytes` and `int8_bytes` are the constants of the exported net, whose batch
    normalisation and votes are folded; `activation_bytes` is the peak of the values that are
    alive at once. Where the net cannot be exported, all are None and `not_exported` says why.

    Args:
        net: the trained net.
        manifest: of its data set.
        validation: uint8 images [N, C, H, W] and labels [N].
        test: the same of the test split.

    """
    names = (
        "int8_val_accuracy_percent",
        "int8_test_accuracy_percent",
        "fp32_bytes",
        "int8_bytes",
        "activation_bytes",
    )
    try:
        program = lower(net, manifest.mean, manifest.sd, manifest.classes)
    except ExportError as error:
        LOG.warning("int8 is not measured: %s", error)
        return {**dict.fromkeys(names), "not_exported": str(error)}
    int8 = quantise(program)
    values = (
        accuracy_percent(int8, *validation),
        accuracy_percent(int8, *test),
        program.parameter_bytes,
        int8.parameter_bytes,
        plan(int8).activation_bytes,
    )
    return {**dict(zip(names, values, strict=True)), "not_exported": None}
