"""Step 3 in parallel: one part of a search."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from spikernel import provenance
from spikernel.errors import ConfigError
from spikernel.study import search_job
from spikernel.study.inputs import Machine, state_path
from spikernel.study.search_job import Inputs, SearchJob, write_part


@dataclass(frozen=True, kw_only=True)
class Settings(search_job.Settings):
    """Which part of which search."""

    shard: Annotated[int, "which part, from 0; nas_search/shards says how many there are"]


@dataclass(frozen=True)
class Outputs:
    """The file written."""

    part: Annotated[Path, "file to write, for --parts of nas_search.py"]


def run(inputs: Inputs, outputs: Outputs, settings: Settings, machine: Machine) -> None:
    """Score every `shards`-th cell, beginning with `shard`, and write them for merging.

    Raises:
        ConfigError: there is no such shard.
    """
    shard, shards = settings.shard, settings.search.shards
    if not 0 <= shard < shards:
        raise ConfigError(f"shard {shard} is not one of 0..{shards - 1}: set nas_search/shards")
    provenance.check(provenance.paths_of(inputs))
    job = SearchJob(inputs, settings, machine)
    journal = state_path(outputs.part)
    screened = job.screen()
    part = job.evaluate(screened.cells[shard::shards], journal)
    write_part(outputs.part, job, screened, part)
    journal.unlink(missing_ok=True)
