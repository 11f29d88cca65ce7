"""Settings of the macro-structure around the cells and of its neurons."""

from typing import Literal

from pydantic import Field

from spikernel.config.base import StrictModel


class NetworkConfig(StrictModel):
    """Macro-structure of SNASNet (Kim et al., ECCV 2022); the defaults are its CIFAR10 values.

    Three things differ on purpose: no net with the original head fits 10 M parameters, hence
    `channels` 128 instead of 256 and `pool` 4 instead of 2, and with it `linear_init`.
    """

    time_steps: int = Field(default=5, ge=1, le=64)
    """T, how often the image is presented."""
    channels: int = Field(default=128, ge=1)
    """C, channels of the stem and the first cell; the second cell has 2C."""
    stem_stride: int = Field(default=1, ge=1, le=4)
    """Stride of the stem convolution; SNASNet uses 2 for 64x64 images."""
    head: Literal["fc", "gap"] = "fc"
    """`fc`: average pooling, hidden layer of LIF neurons, voting outputs. `gap`: global average
    pooling and voting outputs."""
    pool: int = Field(default=4, ge=1)
    """Window and stride of the average pooling before the `fc` head."""
    hidden: int = Field(default=1024, ge=1)
    """H, neurons of the hidden layer of the `fc` head."""
    votes: int = Field(default=10, ge=1)
    """Output neurons per class, averaged into one logit."""
    dropout: float = Field(default=0.5, ge=0, lt=1)
    """Probability before the head; one mask holds for all time steps."""
    tau: float = Field(default=4 / 3, gt=1)
    """Membrane time constant in time steps."""
    threshold: float = Field(default=1.0, gt=0)
    """Membrane potential at which a neuron fires."""
    surrogate_alpha: float = Field(default=2.0, gt=0)
    """Steepness of the arctangent surrogate gradient."""
    linear_init: Literal["scaled", "snasnet"] = "scaled"
    """Initial weights of the head's linear layers. `scaled`: standard deviation
    sqrt(2 / inputs) (He et al., ICCV 2015), fires at every width. `snasnet`: 0.01, made for the
    16,384 inputs of its published heads; narrower heads stay silent with it."""
