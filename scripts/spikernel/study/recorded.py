"""Whether the settings in a provenance record are those of a configuration. No torch."""

from collections.abc import Collection
from typing import Any

from spikernel.config.base import StrictModel
from spikernel.errors import ConfigError
from spikernel.study import own_files


def same(expected: StrictModel, recorded: Any, without: Collection[str] = ()) -> bool:
    """Whether recorded settings are those expected; what was added since has its default.

    Args:
        expected: section of the configuration.
        recorded: what the record holds of it.
        without: keys that are not compared, in either.

    """
    if not isinstance(recorded, dict):
        return False
    compared = {key: value for key, value in recorded.items() if key not in without}
    try:
        found = type(expected).parse(compared, "record")
    except ConfigError:
        return False
    return found.model_dump(exclude={*without}) == expected.model_dump(exclude={*without})


NO_SETTINGS = ("dataset", "source", own_files.KEY)
"""Keys of the record of prepare_data that are none of its `DatasetConfig`."""
