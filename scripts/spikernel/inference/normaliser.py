"""How an image becomes the input of a net."""

from collections.abc import Sequence

import torch
from torch import Tensor


class Normaliser:
    """uint8 images [N, C, H, W] to float with mean 0 and standard deviation 1 per channel.

    Args:
        mean: of each channel, of values from 0 to 1.
        sd: standard deviation of each channel.
        device: where the images are.

    """

    def __init__(self, mean: Sequence[float], sd: Sequence[float], device: torch.device) -> None:
        self.mean, self.sd = (
            torch.tensor(values, device=device).view(1, -1, 1, 1) for values in (mean, sd)
        )

    def __call__(self, images: Tensor) -> Tensor:
        """Return value / 255, minus the mean, by the standard deviation."""
        return (images.float() / 255 - self.mean) / self.sd
