"""The contract of a reader: where the images of one kind of data set come from."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from spikernel import registry
from spikernel.config import DatasetConfig
from spikernel.errors import ConfigError

if TYPE_CHECKING:
    from spikernel.data.collection import Collection


class Reader(Protocol):
    """What every module of `data/readers` defines.

    Two more numbers are looked up where the kind fixes them: CLASSES and TRAIN_IMAGES (with those
    to validate on). With them, budgets are checked exactly, and mini-batches of a search, before
    any data is there. OWN_IMAGES says that they are files of the user's, so that other files are
    prepared anew; published ones have checksums.

    Its size is read where a configuration is checked. That environment has numpy, but none of the
    packages that read images: they are imported inside the functions.
    """

    CHANNELS: int
    IMAGE_SIZE: int | None
    """Side of the square images in pixels; None: what the settings say, which must say it."""

    def read(self, name: str, settings: DatasetConfig, data_dir: Path) -> "Collection":
        """Return all images of a data set.

        Args:
            name: of the data set, and of its folder unless the settings say otherwise.
            settings: of the data set.
            data_dir: folder that holds the data sets, or receives what is downloaded.

        Raises:
            DataError: a file is missing, truncated, altered or unreadable.
        """


def channels_of(kind: str) -> int:
    """Return the channels of the images of a kind, without importing its reader.

    Raises:
        ConfigError: its file does not say.

    """
    channels = registry.literal("reader", kind, "CHANNELS", None)
    if not isinstance(channels, int):
        raise ConfigError(f"the reader of kind {kind} must assign CHANNELS, of its images")
    return channels


def reader(kind: str) -> Reader:
    """Return the reader of a kind.

    Raises:
        ConfigError: there is no such kind.
    """
    return cast(Reader, registry.load("reader", kind))
