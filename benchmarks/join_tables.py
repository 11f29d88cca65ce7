"""Join the shards of a table over kernel sizes, see `kernel_cells.py`, into one file."""

from pathlib import Path
from typing import Annotated

import common  # noqa: F401  (puts the library on the path)
from kernel_table import files_of, join

from spikernel import cli
from spikernel.errors import ConfigError


def main(
    output: Annotated[Path, "CSV to write; its JSON is that of the first file"],
    tables: Annotated[
        list[Path] | None, "files to join; default: what it holds and the shards beside it"
    ] = None,
) -> None:
    """Write the joined table."""
    found = files_of(output) if tables is None else tables
    if found in ([], [output]):
        raise ConfigError(f"{output}: there are no shards beside it: name --tables")
    print(f"{join(found, output)} trainings of {len(found)} files: {output}")


if __name__ == "__main__":
    cli.run(main)
