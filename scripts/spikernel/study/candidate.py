"""What is trained: a cell, and the search that it comes from."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from spikernel import artifacts, provenance
from spikernel.config import NetworkConfig, kernel_set_name
from spikernel.errors import ConfigError, TableError
from spikernel.space.cell import Cell
from spikernel.tables import read_csv


@dataclass(frozen=True)
class Candidate:
    """What is trained: a cell, and the search it comes from, if any."""

    cell: Cell
    kernel_set: str
    kernel_sizes: list[int]
    rank: int | None
    channels: int | None = None
    """Of its net, where the search chose them; None: those of the network."""
    sources: tuple[Path, ...] = ()
    dataset: str | None = None
    """That it was searched on; None where it was given by hand."""

    def within(self, network: NetworkConfig) -> NetworkConfig:
        """Return the macro-structure around the cell, with the channels that the search chose."""
        return network if self.channels is None else network.at(self.channels)

    @classmethod
    def of_search(cls, candidates_path: Path, search_path: Path, rank: int) -> "Candidate":
        """Return the candidate of a rank of a search.

        Raises:
            TableError: the search has no candidate of that rank, or the files are of two searches.

        """
        cell, channels = read_candidate(candidates_path, rank)
        keys = ("dataset", "kernel_set", "kernel_sizes", "best_archid")
        search = artifacts.read_object(search_path, *keys)
        best = read_candidate(candidates_path, 1)[0].archid
        if best != search["best_archid"]:
            raise TableError(
                f"{candidates_path} and {search_path} are of two searches: their best cells are "
                f"{best} and {search['best_archid']}"
            )
        foreign = set(cell.kernel_sizes()) - set(search["kernel_sizes"])
        if foreign or not provenance.made_together(candidates_path, search_path):
            raise TableError(
                f"{candidates_path} and {search_path} are of two searches, though their best cells "
                f"are the same: give those of kernel set {search['kernel_set']}"
            )
        sources = (candidates_path, search_path)
        kernel_set, sizes = search["kernel_set"], search["kernel_sizes"]
        return cls(cell, kernel_set, sizes, rank, channels, sources, search["dataset"])

    @classmethod
    def by_hand(cls, archid: str) -> "Candidate":
        """Return the cell of an archid, named by the kernel sizes in it.

        Raises:
            ConfigError: the text names no cell.

        """
        cell = Cell.from_archid(archid)
        sizes = sorted(set(cell.kernel_sizes()))
        return cls(cell, kernel_set_name(tuple(sizes)), sizes, None)


def read_candidate(path: Path, rank: int) -> tuple[Cell, int | None]:
    """Return the cell of a rank in `candidates.csv`, and its channels where the search chose them.

    Raises:
        TableError: no candidate has that rank, or its archid names no cell.

    """
    table: pd.DataFrame = read_csv(
        path, text=("archid",), optional_numbers=("rank", "channels"), may_lack=("channels",)
    )
    found = table[table["rank"] == rank]
    if found.empty:
        raise TableError(
            f"{path}: no candidate of rank {rank}, only {int(table['rank'].notna().sum())} are "
            "ranked: lower train_final/ranks or widen the search"
        )
    try:
        channels = found["channels"].iloc[0]
        cell = Cell.from_archid(str(found["archid"].iloc[0]))
        return cell, None if pd.isna(channels) else int(channels)
    except ConfigError as error:
        raise TableError(f"{path}: {error}") from None
