"""Training and evaluation of one net."""

from spikernel.training.checkpoint import Preprocessing, load_model, save_model
from spikernel.training.evaluate import accuracy_percent, normalised_batches, to_device
from spikernel.training.loop import Trained, train
from spikernel.training.progress import EpochRecord

__all__ = [
    "EpochRecord",
    "Preprocessing",
    "Trained",
    "accuracy_percent",
    "load_model",
    "normalised_batches",
    "save_model",
    "to_device",
    "train",
]
