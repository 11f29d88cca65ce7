"""Distillation from a teacher of the same classes (Hinton et al., 2015, arXiv:1503.02531).

The teacher sees the very images that the net is trained on, so that nothing has to be stored and
augmentation counts (Beyer et al., CVPR 2022).
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from spikernel.config import TrainingConfig
from spikernel.data.manifest import Manifest
from spikernel.errors import ConfigError
from spikernel.inference.normaliser import Normaliser
from spikernel.training.known_weights import load_known
from spikernel.training.mixing import MixedBatch
from spikernel.training.precision import in_bfloat16

USES_TEACHER = True


class Objective:
    """(1 - w) cross-entropy + w t^2 KL(teacher || net), of time means at temperature t.

    Raises:
        ConfigError: there is no teacher, or it is of other classes or channels.
        DataError: its file is missing or damaged.

    """

    def __init__(self, settings: TrainingConfig, manifest: Manifest, device: torch.device) -> None:
        if settings.teacher is None:
            raise ConfigError("training/teacher: objective distil needs one: name released weights")
        self._settings = settings
        self._teacher, preprocessing = load_known("teacher", settings.teacher, manifest, device)
        self._size = self._teacher.architecture.images.size
        self._ours = Normaliser(manifest.mean, manifest.sd, device)
        self._theirs = Normaliser(preprocessing.mean, preprocessing.sd, device)
        self._bfloat16 = in_bfloat16(settings, device)

    def __call__(self, logits: Tensor, batch: MixedBatch) -> Tensor:
        """Return the loss of a batch."""
        settings, outputs = self._settings, logits.mean(0)
        labels = batch.weigh(
            lambda labels: F.cross_entropy(
                outputs, labels, label_smoothing=settings.label_smoothing
            )
        )
        heat = settings.teacher_temperature
        divergence = F.kl_div(
            F.log_softmax(outputs / heat, 1),
            F.log_softmax(self._teach(batch.images) / heat, 1),
            reduction="batchmean",
            log_target=True,
        )
        share = settings.teacher_weight
        return (1 - share) * labels + share * heat**2 * divergence

    @torch.no_grad()
    def _teach(self, images: Tensor) -> Tensor:
        """Return the teacher's time means [N, K] for the net's images, whatever their size."""
        pixels = images * self._ours.sd + self._ours.mean
        wanted = (pixels - self._theirs.mean) / self._theirs.sd
        if images.shape[2] != self._size:
            wanted = F.interpolate(wanted, size=(self._size, self._size), mode="bilinear")
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self._bfloat16):
            outputs: Tensor = self._teacher(wanted)
        return outputs.float().mean(0)
