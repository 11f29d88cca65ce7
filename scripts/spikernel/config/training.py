"""Settings of a training run, and the named recipes that give their defaults."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from spikernel import registry
from spikernel.config.base import PartOf, StrictModel
from spikernel.config.phases import PhaseConfig
from spikernel.config.problems import fault

RECIPES: dict[str, dict[str, Any]] = {
    # SNASNet's published loop: SGD, cosine, cross-entropy of the time mean, crop and flip.
    "reference": {},
    # What the best small SNNs add: see docs/method.md for each part's source.
    "modern": {
        "batch_size": 128,
        "optimizer": "adamw",
        "learning_rate": 0.003,
        "weight_decay": 0.02,
        "final_lr_fraction": 0.0,
        "schedule_interval": "step",
        "warmup_fraction": 0.05,
        "decay_norm": False,
        "objective": "tet",
        "label_smoothing": 0.1,
        "erase_probability": 0.25,
        "cutmix_alpha": 1.0,
        "mixup_alpha": 0.2,
        "mix_probability": 0.5,
        "ema_decay": 0.999,
        "mixed_precision": True,
    },
    # airbench94_muon (Jordan, 2024), for spiking nets on CPUs: see docs/training.md.
    "engine": {
        "batch_size": 200,
        "optimizer": "muon",
        "learning_rate": 0.12,
        "norm_learning_rate": 0.5,
        "head_learning_rate": 0.5,
        "renormalise": True,
        "schedule": "linear",
        "final_lr_fraction": 0.0,
        "schedule_interval": "step",
        "momentum": 0.85,
        "nesterov": True,
        "decay_norm": False,
        "label_smoothing": 0.1,
        "crop_padding": 2,
        "crop_fill": "reflect",
        "flip": "alternating",
        "mixed_precision": True,
        "cpu_bfloat16": "auto",
    },
}
"""Recipe name -> the fields in which it differs from the defaults below."""


class TrainingConfig(StrictModel):
    """How one net is trained. Fields that are not given come from the recipe."""

    recipe: Literal["reference", "modern", "engine"] = "reference"
    """Named defaults: `reference` is SNASNet's, `modern` is what the best small SNNs use, `engine`
    is made for few epochs on a CPU."""
    epochs: int = Field(default=300, ge=1)
    """Passes over the training split; the last one is reported, never the best one."""
    phases: tuple[PhaseConfig, ...] = ()
    """Phases of the training, one after the other, with settings of their own. `epochs` is then
    their sum and need not be given. Default: one phase."""
    batch_size: int = Field(default=64, ge=1)
    """Images per step."""
    optimizer: Literal["sgd", "adamw", "muon"] = "sgd"
    """Optimiser. `muon`: orthogonalised momentum for the weights of convolutions (Jordan et al.,
    2024), SGD for all others."""
    learning_rate: float = Field(default=0.1, gt=0)
    """Peak learning rate; it falls to `final_lr_fraction` of it."""
    norm_learning_rate: float | None = Field(default=None, gt=0)
    """That of norms, biases and learned time constants; default: `learning_rate`."""
    head_learning_rate: float | None = Field(default=None, gt=0)
    """That of the weights of linear layers; default: `learning_rate`."""
    schedule: Literal["cosine", "linear"] = "cosine"
    """How the learning rate falls: along half a cosine or a straight line."""
    final_lr_fraction: float = Field(default=0.01, ge=0, le=1)
    """Share of the peak that the learning rate ends at."""
    schedule_interval: Literal["epoch", "step"] = "epoch"
    """How often the learning rate changes."""
    momentum: float = Field(default=0.9, ge=0, lt=1)
    """SGD momentum, or AdamW's first beta."""
    muon_momentum: float = Field(default=0.6, ge=0, lt=1)
    """Nesterov momentum of the weights that Muon orthogonalises."""
    renormalise: bool = False
    """Scale the weights of every convolution to the norm sqrt(number of filters) after every step
    (Muon). It is for convolutions that batch norm follows at once."""
    nesterov: bool = False
    """Nesterov momentum (SGD)."""
    weight_decay: float = Field(default=5e-4, ge=0)
    """Decay of the weights."""
    decay_norm: bool = True
    """Also decay the parameters of batch normalisation and biases."""
    warmup_fraction: float = Field(default=0.0, ge=0, lt=1)
    """Share of the run in which the learning rate rises linearly to its peak."""
    gradient_clip: float | None = Field(default=None, gt=0)
    """Largest norm of the gradient."""
    objective: Annotated[str, PartOf("objective")] = "mean"
    """What is minimised. `mean`: cross-entropy of the outputs' time mean. `tet`: mean over time of
    the cross-entropies (Deng et al., ICLR 2022). `distil`: `mean`, and the divergence from the
    outputs of a `teacher` (Hinton et al., 2015)."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Share of the target spread over all classes."""
    crop_padding: int | None = Field(default=None, ge=0)
    """Random crop after padding by this many pixels; default: an eighth of the image's side."""
    crop_fill: Literal["black", "reflect"] = "black"
    """What the padding is: black, or the image mirrored at its border."""
    flip: Literal["random", "alternating", "none"] = "random"
    """Mirror images left to right: half of them, drawn anew each time; each in every second epoch
    (Jordan, 2024); or none, where left and right carry meaning."""
    cutout: int = Field(default=0, ge=0)
    """Side in pixels of a square that is blanked in every image (DeVries & Taylor, 2017); 0: none.
    """
    erase_probability: float = Field(default=0.0, ge=0, le=1)
    """Share of the images in which a random rectangle is blanked."""
    mixup_alpha: float = Field(default=0.0, ge=0)
    """Beta parameter of mixup; 0 switches it off."""
    cutmix_alpha: float = Field(default=0.0, ge=0)
    """Beta parameter of cutmix; 0 switches it off."""
    mix_probability: float = Field(default=1.0, ge=0, le=1)
    """Share of the batches that are mixed at all, by mixup and cutmix in turn at random."""
    ema_decay: float = Field(default=0.0, ge=0, lt=1)
    """Decay per step of the moving average of the weights that is evaluated; 0: none. It grows
    to this value over the first steps, so that short runs may use it too."""
    lookahead: bool = False
    """Lookahead (Zhang et al., NeurIPS 2019) instead of the moving average: every 5 steps slow
    weights move towards the fast ones, which start again from there; less so late in the run, as
    in airbench. The slow weights are evaluated."""
    mixed_precision: bool = False
    """bfloat16 autocast on a GPU; `cpu_bfloat16` says what a CPU does."""
    cpu_bfloat16: bool | Literal["auto"] = False
    """bfloat16 autocast on a CPU: faster where it has instructions for it (`lscpu` lists
    avx512_bf16 or amx_bf16), slower elsewhere, and rounded differently. `auto`: where it has them.
    """
    initial_weights: str | None = None
    """Released weights (model.safetensors) of the same net, from which the training starts, or of
    the same net with fewer channels, which are copied so that the wider net begins with the same
    outputs (Chen et al., ICLR 2016); default: weights drawn from the seed."""
    teacher: str | None = None
    """Released weights (model.safetensors) of a net of the same classes, for objective `distil`."""
    teacher_weight: float = Field(default=0.5, ge=0, le=1)
    """Share of the teacher in the loss; the labels have the rest."""
    teacher_temperature: float = Field(default=4.0, gt=0)
    """Temperature at which the outputs of net and teacher are compared."""
    tensorboard: bool = False
    """Also write TensorBoard event files, one per epoch, to the folder tensorboard beside the
    metrics."""

    def weights(self) -> dict[str, str]:
        """Return key -> path of the released weights that a training reads besides the data."""
        named = {"initial_weights": self.initial_weights, "teacher": self.teacher}
        return {key: path for key, path in named.items() if path is not None}

    def misfits(self, size: int) -> Iterator[tuple[str, str]]:
        """Yield key and reason of what does not suit images of `size` pixels a side."""
        if self.crop_fill == "reflect" and (self.crop_padding or 0) >= size:
            yield (
                "crop_padding",
                f"{self.crop_padding} cannot be filled by the reflection of images of {size} "
                "pixels a side: lower it",
            )
        if self.cutout > size:
            yield (
                "cutout",
                f"{self.cutout} is larger than the images of {size} pixels a side: lower it",
            )

    def preset(self) -> Mapping[str, Any]:
        """Return the fields that the recipe fills in."""
        return RECIPES[self.recipe]

    @model_validator(mode="after")
    def _check(self) -> Self:
        total = sum(phase.epochs for phase in self.phases)
        if self.phases and "epochs" in self.model_fields_set and self.epochs != total:
            raise fault(
                f"epochs is {self.epochs}, but the phases have {total}: leave epochs out, or give "
                "their sum",
                "epochs",
            )
        if self.phases:
            object.__setattr__(self, "epochs", total)  # the model is frozen from here on
        by_rates = any(phase.gradient == "rate" for phase in self.phases)
        if by_rates and self._objective_has("READS_STEPS"):
            raise ValueError(
                f"objective {self.objective} looks at every time step, of which gradient: rate "
                "knows the mean alone: choose another objective"
            )
        if self.teacher is not None and not self.uses_teacher:
            raise fault(
                f"a teacher is of no use to objective {self.objective}: "
                "set objective: distil, or leave the teacher out",
                "teacher",
            )
        if self.lookahead and self.ema_decay > 0:
            raise fault(
                "lookahead and ema_decay both choose the weights to keep: set one", "lookahead"
            )
        return self

    @property
    def uses_teacher(self) -> bool:
        """Whether the objective learns from a teacher."""
        return self._objective_has("USES_TEACHER")

    def _objective_has(self, mark: str) -> bool:
        return bool(registry.literal("objective", self.objective, mark, False))

    @model_validator(mode="before")
    @classmethod
    def _fill_from_recipe(cls, data: Any) -> Any:
        if isinstance(data, dict):
            recipe = data.get("recipe", "reference")
            if isinstance(recipe, str) and recipe in RECIPES:
                return {**RECIPES[recipe], **data}
        return data
