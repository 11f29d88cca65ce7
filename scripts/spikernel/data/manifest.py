"""The manifest: a small file that says what the arrays of a prepared data set hold."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from spikernel import artifacts
from spikernel.config.base import StrictModel
from spikernel.errors import ConfigError, DataError

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
"""Names of the splits of every prepared data set."""

# A bare name: whatever the manifest says, nothing outside its own folder is opened.
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

Origin = Literal["folder", "archive", "download", "library"]


class Source(StrictModel):
    """Something the images were read from."""

    file: str
    """File or folder relative to the data folder, or the name of a library's loader."""
    sha256: Sha256
    """Hash of the file; for a folder of images, of the list of the hashes of its files."""
    origin: Origin
    """How it came: as an unpacked folder, an archive put there, a download, or a library."""


class SplitFiles(StrictModel):
    """The two arrays of one split, as files beside the manifest."""

    images: FileName
    """File of the images: uint8, (count, channels, image_size, image_size)."""
    labels: FileName
    """File of the labels: int64, (count,)."""
    count: int = Field(ge=1)
    """Number of images."""
    per_class: tuple[int, ...]
    """Number of images of each class, in the order of `classes`."""
    images_sha256: Sha256
    """Hash of the file of the images."""
    labels_sha256: Sha256
    """Hash of the file of the labels."""


class Manifest(StrictModel):
    """A prepared data set."""

    dataset: str
    """Name of the data set in the experiment."""
    kind: str
    """Format it was read from."""
    classes: tuple[str, ...] = Field(min_length=2)
    """Names of the classes; a label is an index into them."""
    channels: int = Field(ge=1)
    """Colour channels of an image."""
    image_size: int = Field(ge=1)
    """Side of an image in pixels."""
    mean: tuple[float, ...]
    """Mean of each channel over the training split, for pixels in 0..1."""
    sd: tuple[Annotated[float, Field(gt=0)], ...]
    """Standard deviation of each channel over the pixels of the training split, for pixels in
    0..1; at least one grey level (1/255), so that it can be divided by."""
    split_seed: int
    """Seed of the split."""
    splits: dict[SplitName, SplitFiles]
    """The arrays of train, validation and test."""
    source: tuple[Source, ...]
    """What the images were read from."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if set(self.splits) != set(SPLITS):
            raise ValueError(f"splits must be {', '.join(SPLITS)}, got {', '.join(self.splits)}")
        for name, split in self.splits.items():
            if len(split.per_class) != len(self.classes) or sum(split.per_class) != split.count:
                raise ValueError(f"per_class of {name} contradicts count or classes")
        if not len(self.mean) == len(self.sd) == self.channels:
            raise ValueError("mean and sd must hold one value per channel")
        return self


def read(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        SpikernelError: the file is missing or is not JSON.
        DataError: it is not a manifest.
    """
    try:
        return Manifest.parse(artifacts.read_json(path), str(path))
    except ConfigError as error:
        raise DataError(f"{error}; run prepare_data again") from None
