"""Whether the images of a user's own folder are still those that were prepared. No torch."""

from pathlib import Path

from spikernel import provenance, registry
from spikernel.config import DatasetConfig
from spikernel.data import locate
from spikernel.data.files import names_and_sizes

KEY = "names_and_sizes"
"""Of the record of prepare_data: what it found, see `found`."""


def found(name: str, settings: DatasetConfig, data_dir: Path) -> str | None:
    """Return a digest of the names and sizes of a data set's images, the same wherever they lie.

    None where the folder is not there, or the images are published ones, which have checksums.
    """
    if not registry.literal("reader", settings.kind, "OWN_IMAGES", False):
        return None
    folder = locate.own_folder(name, settings, data_dir)
    return names_and_sizes(folder) if folder.is_dir() else None


def found_or_recorded(
    name: str, settings: DatasetConfig, data_dir: Path, record: Path
) -> str | None:
    """Return what `found` does; where the folder is not there, what was found when it was.

    Results that came without their images, by `dvc pull` for instance, are so not made again.

    Args:
        name: of the data set.
        settings: its section of the configuration.
        data_dir: folder of all data sets.
        record: provenance.json of prepare_data.

    """
    now = found(name, settings, data_dir)
    if now is None and record.exists():
        now = provenance.read(record, "settings")["settings"].get(KEY)
    return now
