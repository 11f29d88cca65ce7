"""Settings of the macro-structure around the cells and of its neurons, and its named presets."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from spikernel import registry
from spikernel.config.base import KernelSize, PartOf, StrictModel
from spikernel.config.problems import fault

ConvolutionType = Literal["dense", "depthwise", "factorised"]

# Only the branch that was meant is tried, so that an error message is about that one.
Convolutions = Annotated[
    Annotated[ConvolutionType, Tag("type")]
    | Annotated[dict[KernelSize, ConvolutionType], Tag("by size")],
    Discriminator(lambda given: "by size" if isinstance(given, dict) else "type"),
]

MOST = 1_000_000
"""Channels or neurons of a layer: far more than any memory holds, so a slip of the finger."""

Repeats = Annotated[int, Field(ge=1, le=1000)]

MACROS: dict[str, dict[str, Any]] = {
    # SNASNet's (Kim et al., ECCV 2022): two cells and a large classifier.
    "snasnet": {},
    # The parameters go into convolutions: see docs/method.md for each part's source and price.
    "modern": {
        "time_steps": 4,
        "channels": 64,
        "stages": 3,
        "cells_per_stage": 2,
        "stem_convolutions": 2,
        "residual": True,
        "convolutions": "depthwise",
        "head": "gap",
        "votes": 1,
        "dropout": 0.0,
        "learnable_tau": True,
    },
    # For accuracy per operation: pools early, trains in one pass (after airbench, Jordan 2024).
    "compact": {
        "time_steps": 1,
        "channels": 64,
        "stages": 3,
        "stage_widths": (1, 4, 4),
        "stem_channels": 24,
        "stem_weights": "whitened",
        "early_transition": True,
        "pooling": "max",
        "entry_norm": False,
        "norm_scale": "fixed",
        "head": "gap",
        "votes": 1,
        "dropout": 0.0,
        "neuron": "integer",
        "levels": 5,
        "level_range": 2.5,
    },
}
"""Macro-structure name -> the fields in which it differs from the defaults below."""


class NetworkConfig(StrictModel):
    """What surrounds the cells, and their neurons. Fields not given come from the `macro`.

    The defaults are SNASNet's CIFAR10 values, but for three: no net with the original head fits
    10 M parameters, hence `channels` 128 instead of 256, `pool` 4 instead of 2, and with them
    `linear_init`.
    """

    macro: Literal["snasnet", "modern", "compact"] = "snasnet"
    """Named defaults: `snasnet` has two cells and a hidden layer, `modern` spends its parameters on
    convolutions, `compact` its operations too. Every part can be set by itself."""
    time_steps: int = Field(default=5, ge=1, le=64)
    """T, how often the image is presented."""
    channels: int = Field(default=128, ge=1, le=MOST)
    """C, channels of the stem and the first stage."""
    stages: int = Field(default=2, ge=1, le=6)
    """Stages of cells; between two of them the maps are halved and the channels grow."""
    stage_widths: tuple[Annotated[float, Field(gt=0, le=1000)], ...] | None = None
    """Channels of each stage as multiples of `channels`; default: each stage has twice as many as
    the one before, [1, 2, 4, ...]."""
    cells_per_stage: Repeats | tuple[Repeats, ...] = 1
    """How often the cell is repeated in every stage (one number), or in each (a list)."""
    stem_convolutions: int = Field(default=1, ge=1, le=4)
    """3x3 convolutions before the first cell. The first reads the image, once per image; each
    further one has neurons before it and runs at every time step."""
    stem_stride: int = Field(default=1, ge=1, le=4)
    """Stride of the first convolution of the stem; SNASNet uses 2 for 64x64 images."""
    stem_channels: int | None = Field(default=None, ge=1, le=MOST)
    """Channels of the stem; default: those of the first stage. Others need `early_transition`."""
    stem_weights: Literal["learned", "whitened"] = "learned"
    """`whitened`: the first convolution is not trained. Half of its filters are the principal
    components of 3x3 patches of the training images, each scaled to variance 1, the others their
    negatives (Jordan, 2024), so `stem_channels` is even."""
    early_transition: bool = False
    """A transition before the first stage, too, so that no cell works on maps of full size."""
    residual: bool = False
    """Add the input of every cell, and of every spiking convolution of the stem, to its output
    (real values, as MS-ResNet's shortcut). A cell whose edge 03 is a skip does so already."""
    downsampling: Literal["pool", "stride"] = "pool"
    """How maps are halved between stages: `pool` averages 2x2 behind the convolution, `stride`
    takes the convolution at every second pixel, for a quarter of its operations."""
    pooling: Literal["average", "max"] = "average"
    """How `pool` halves maps. `max` takes the largest of 2x2 values between convolution and batch
    norm; where the norm's scale is positive, as with `norm_scale: fixed`, that is an OR of the
    spikes behind it."""
    entry_norm: bool = True
    """Batch norm before the neurons of transitions and of the head, which else read the sum of a
    cell's edges as it is."""
    norm_scale: Literal["learned", "fixed"] = "learned"
    """Whether batch norm learns a scale, or only a shift."""
    convolutions: Convolutions = "dense"
    """Type of the cells' convolutions: one for all sizes above 1, or by size, for instance
    {7: depthwise}, where a size that is not named is `dense`. `depthwise`: 1x1, then k x k within
    each channel. `factorised`: 1 x k, then k x 1."""
    head: Literal["fc", "gap"] = "fc"
    """`fc`: average pooling, hidden layer of neurons, voting outputs. `gap`: global average
    pooling and voting outputs."""
    pool: int = Field(default=4, ge=1)
    """Window and stride of the average pooling before the `fc` head."""
    hidden: int = Field(default=1024, ge=1, le=MOST)
    """H, neurons of the hidden layer of the `fc` head."""
    votes: int = Field(default=10, ge=1, le=MOST)
    """Output neurons per class, averaged into one logit."""
    dropout: float = Field(default=0.5, ge=0, lt=1)
    """Probability before the head; one mask holds for all time steps."""
    neuron: Annotated[str, PartOf("neuron")] = "lif"
    """Model of the neurons; each is a file in `scripts/spikernel/network/neurons`. `lif`: leaky
    integrate-and-fire, hard reset. `if_soft`: no leak, soft reset, for more time steps. `integer`:
    up to `levels` spikes at once and no memory, so `time_steps` must be 1."""
    tau: float = Field(default=4 / 3, gt=1)
    """Membrane time constant in time steps; where it is learned, what it starts from."""
    learnable_tau: bool = False
    """Learn one membrane time constant per layer of `lif` neurons (PLIF, Fang et al., ICCV
    2021)."""
    threshold: float = Field(default=1.0, gt=0)
    """Membrane potential at which a neuron fires."""
    levels: int = Field(default=4, ge=1, le=255)
    """D, most spikes that an `integer` neuron fires at once; as a binary net each layer runs D
    steps."""
    level_range: float = Field(default=2.0, gt=0)
    """Input, in units of `threshold`, from which on an `integer` neuron fires D spikes."""
    surrogate_alpha: float = Field(default=2.0, gt=0)
    """Steepness of the arctangent surrogate gradient."""
    linear_init: Literal["scaled", "snasnet"] = "scaled"
    """Initial weights of the head's linear layers. `scaled`: standard deviation
    sqrt(2 / inputs) (He et al., ICCV 2015), fires at every width. `snasnet`: 0.01, made for the
    16,384 inputs of its published heads; narrower heads stay silent with it."""

    def preset(self) -> Mapping[str, Any]:
        """Return the fields that the macro-structure fills in."""
        return MACROS[self.macro]

    def at(self, channels: int) -> Self:
        """Return the macro-structure with other channels in its first stage."""
        return self.model_copy(update={"channels": channels})

    @model_validator(mode="before")
    @classmethod
    def _fill_from_macro(cls, data: Any) -> Any:
        if isinstance(data, dict):
            macro = data.get("macro", "snasnet")
            if isinstance(macro, str) and macro in MACROS:
                return {**MACROS[macro], **data}
        return data

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("stage_widths", "cells_per_stage"):
            given = getattr(self, name)
            if isinstance(given, tuple) and len(given) != self.stages:
                raise fault(
                    f"{name} lists {len(given)} stages, but stages is {self.stages}: give one "
                    "number for each stage",
                    name,
                )
        steps = registry.literal("neuron", self.neuron, "TIME_STEPS", None)
        if steps not in (None, self.time_steps):
            raise fault(
                f"neurons '{self.neuron}' have no memory from one time step to the next: set "
                f"time_steps to {steps}",
                "time_steps",
            )
        by_size = self.convolutions if isinstance(self.convolutions, dict) else {}
        if by_size.get(1, "dense") != "dense":
            raise fault("a 1x1 convolution is dense: remove size 1", "convolutions")
        return self
