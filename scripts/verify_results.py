"""Compare results with the checksums that each job recorded, for instance after a transfer."""

from pathlib import Path
from typing import Annotated

from spikernel import cli, verification


def main(results: Annotated[Path, "folder of an experiment, or of all"]) -> None:
    """Print how many files were compared; fail with the names of those that are altered."""
    print(f"{verification.verify(results)} files are as their jobs wrote them")


if __name__ == "__main__":
    cli.run(main)
