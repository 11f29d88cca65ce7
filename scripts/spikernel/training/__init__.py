"""Training and evaluation of one net; the training itself is in `loop`.

The export uses what is named here, and has no part of the loop in its environment.
"""

from spikernel.training.checkpoint import Preprocessing, load_model, save_model
from spikernel.training.evaluate import accuracy_percent, normalised_batches, to_device

__all__ = [
    "Preprocessing",
    "accuracy_percent",
    "load_model",
    "normalised_batches",
    "save_model",
    "to_device",
]
