"""Settings of one data set of an experiment."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from spikernel import registry
from spikernel.config.base import PartOf, Seed, StrictModel


class DatasetConfig(StrictModel):
    """Which images an experiment uses, and how they are split."""

    kind: Annotated[str, PartOf("reader")]
    """Format of the data; for the built-in data sets it follows from the name."""
    folder: str | None = None
    """Folder under `data_dir`; default: the name of the data set. `imagefolder` expects train/
    and val/ or test/ in it, each with one folder of images per class."""
    image_size: int | None = Field(default=None, ge=4, le=512)
    """Side in pixels; required for `imagefolder`, whose images are resized to it, and only
    there."""
    validation_fraction: float = Field(default=0.1, gt=0, lt=0.9)
    """Share of the training images kept aside, per class, for every choice that is made."""
    split_seed: Seed = 0
    """Seed of the split (and of the subset, if any)."""
    train_images: int | None = Field(default=None, ge=2)
    """Use a stratified subset of this many training images (before the validation split)."""
    test_images: int | None = Field(default=None, ge=1)
    """Use a stratified subset of this many test images."""
    accept_altered: bool = False
    """Take an unpacked `tinyimagenet` that is not the published one, with a warning instead of an
    error; only there."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        published = registry.literal("reader", self.kind, "FOLDER_SHA256", None)
        if self.accept_altered and published is None:
            raise ValueError(f"accept_altered has no meaning for kind {self.kind}: remove it")
        return self


class DatasetEntry(DatasetConfig):
    """A data set of an experiment, with its overrides of other sections."""

    network: dict[str, Any] = Field(default_factory=dict)
    """Overrides of the `network` section for this data set; one that names `macro` replaces it."""
    train_final: dict[str, Any] = Field(default_factory=dict)
    """Overrides of `train_final/training` for this data set; one with `recipe` replaces it."""
    kernel_impact: dict[str, Any] = Field(default_factory=dict)
    """Overrides of `kernel_impact/training` for this data set; one with `recipe` replaces it."""
