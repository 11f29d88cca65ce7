"""What a device gets from a trained net: exact memory, and the accuracy with int8 weights."""

import logging
from typing import Any

import torch
from torch import Tensor

from spikernel.data.manifest import Manifest
from spikernel.data.splits import places_of
from spikernel.errors import ExportError
from spikernel.export.lowering import lower
from spikernel.export.memory_plan import plan
from spikernel.export.program import Program
from spikernel.export.program_accuracy import BATCH, accuracy_percent, logits, most_turned
from spikernel.export.quantise import quantise
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import mean_logits
from spikernel.network.spiking_net import SpikingNet

LOG = logging.getLogger(__name__)
LEAST_AGREEMENT = 0.95
"""Share of the images on which a net and its program must give the same class. Rounding turns
fewer, and a rule of the lowering that leaves something out turns more."""


def deployed(
    net: SpikingNet,
    manifest: Manifest,
    validation: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
) -> tuple[dict[str, Any], Tensor | None]:
    """Return what a device gets: exact memory and the accuracy with int8 weights; its predictions.

    `fp32_bytes` and `int8_bytes` are the constants of the exported net, whose batch
    normalisation and votes are folded; `activation_bytes` is the peak of the values that are
    alive at once, `ram_bytes` all static memory of the C code, both of the int8 net. Where the net
    cannot be exported, all are None and `not_exported` says why. The predictions are the classes
    [N] of the test images with int8 weights.

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
        "ram_bytes",
    )
    try:
        program = lower(net, manifest.mean, manifest.sd, manifest.classes)
        places = torch.from_numpy(places_of(test[1].numpy(force=True), BATCH))
        check_agreement(net, program, manifest, test[0][places])
        int8 = quantise(program)
    except ExportError as error:
        LOG.warning("int8 is not measured: %s", error)
        return {**dict.fromkeys(names), "not_exported": str(error)}, None
    predicted = logits(int8, test[0]).argmax(1)
    memory = plan(int8)
    values = (
        accuracy_percent(int8, *validation),
        100 * float((predicted == test[1]).double().mean()),
        program.parameter_bytes,
        int8.parameter_bytes,
        memory.activation_bytes,
        memory.ram_bytes,
    )
    return {**dict(zip(names, values, strict=True)), "not_exported": None}, predicted


def check_agreement(net: SpikingNet, program: Program, manifest: Manifest, images: Tensor) -> None:
    """Refuse a program that does not compute what its net computes.

    Args:
        net: the trained net.
        program: what it was lowered to.
        manifest: of its data set.
        images: uint8 [N, C, H, W].

    Raises:
        ExportError: their classes differ on more images than rounding explains.

    """
    normalise = Normaliser(manifest.mean, manifest.sd, images.device)
    expected = mean_logits(net, [normalise(images)]).argmax(1)
    turned = int((logits(program, images).argmax(1) != expected).sum())
    if turned > most_turned(len(images), LEAST_AGREEMENT):
        raise ExportError(
            f"the lowered net gives another class than the net on {turned} of {len(images)} "
            "images: a rule in spikernel.export.lowering is out of step"
        )
