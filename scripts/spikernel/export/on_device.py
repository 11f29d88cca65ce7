"""What a model takes on a processor: it is built for it, and run where there is an emulator."""

import shlex
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from spikernel.errors import ExportError
from spikernel.export import compiler, device


def measured(place: Path, target: device.Target, reference: Tensor) -> dict[str, Any]:
    """Return what a model takes on a processor, or why that is not known.

    The tools for a processor are an extra: where one fails, `refused` holds its words.

    Args:
        place: folder of its files; the images lie beside it.
        target: the processor; it is emulated where its emulator is on this machine.
        reference: logits of the Python model for the first images, [N, classes].

    Raises:
        ExportError: the model gives another class than expected.

    """
    result: dict[str, Any] = {
        "compiler": target.compiler[0],
        "options": shlex.join([*target.compiler[1:], *device.FLAGS]),
    }
    try:
        result["compiler"] = compiler.describe(target.compiler)
        program = device.build(place, target, len(reference))
        sizes = compiler.read_sizes(program, [target.size])
        result |= {"flash_bytes": sizes.flash_bytes, "static_ram_bytes": sizes.ram_bytes}
        if not target.runs:
            return result
        emulator = device.describe(target)
        ran = device.run(program, target, reference.shape[1])
    except device.WrongClassError:
        raise
    except ExportError as error:
        return {**result, "refused": str(error)}
    same = ran.logits.argmax(1) == reference.argmax(1).numpy()
    return {
        **result,
        "emulator": emulator,
        "stack_bytes": ran.stack_bytes,
        "ram_bytes": sizes.ram_bytes + ran.stack_bytes,
        "instructions_per_image": ran.instructions_per_image,
        "images": len(same),
        "same_class": int(same.sum()),
        "equal_to_the_bit": bool(np.array_equal(ran.logits, reference.numpy())),
    }
