"""Step 3: search the cells of one kernel set under a budget, without training."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pandas as pd

from spikernel import artifacts, provenance
from spikernel.errors import SpikernelError
from spikernel.search.journal import Evaluation
from spikernel.search.strategies import Space, rank_order
from spikernel.space.cell import Cell
from spikernel.space.counts import memory_mb
from spikernel.space.patterns import EDGES
from spikernel.study import search_job
from spikernel.study.inputs import Machine, state_path
from spikernel.study.search_job import Outcome, SearchJob, Settings, merge_parts
from spikernel.tables import to_csv

EDGE_COLUMNS = tuple(f"edge_{low}{high}" for low, high in EDGES)


@dataclass(frozen=True)
class Inputs(search_job.Inputs):
    """Files read."""

    parts: Annotated[list[Path], "files of nas_search_shard to merge"] = field(default_factory=list)


@dataclass(frozen=True)
class Outputs:
    """Files written."""

    candidates: Annotated[Path, "candidates.csv to write: ranked, every cell"]
    search_record: Annotated[Path, "search.json to write: what was searched, its cost"]


def run(inputs: Inputs, outputs: Outputs, settings: Settings, machine: Machine) -> None:
    """Search, or merge the parts of a search, and write `candidates.csv` and `search.json`.

    Raises:
        BudgetError: no cell meets the budget.
        SpikernelError: no candidate has a finite score.
    """
    provenance.check(provenance.paths_of(inputs))
    job = SearchJob(inputs, settings, machine)
    journal = state_path(outputs.candidates)
    outcome = merge_parts(inputs.parts, job) if inputs.parts else job.run(journal)
    table = rank_table(outcome.evaluations, job.space, outcome.screened.prefilter)
    if not table["rank"].notna().any():
        raise SpikernelError(
            f"none of the {len(outcome.evaluations)} candidates of {job.subject.kernel_set} has a "
            "finite score (its neurons do not tell all images of a batch apart): raise "
            "network/channels, lower nas_search/batch_size, or remove images that are there twice"
        )
    artifacts.write_text(outputs.candidates, to_csv(table))
    artifacts.write_json(outputs.search_record, _summary(job, outcome, table, str(machine)))
    provenance.write(
        outputs.search_record.with_name(provenance.RECORD),
        step="nas_search",
        settings=job.described,
        parts=job.parts,
        inputs=provenance.paths_of(inputs),
        outputs=provenance.paths_of(outputs),
        seconds=outcome.seconds,
        device=str(machine),
    )
    journal.unlink(missing_ok=True)


def rank_table(
    evaluations: Sequence[Evaluation], space: Space, prefilter: Mapping[str, float]
) -> pd.DataFrame:
    """Return the candidates, best first; a score that is not finite has no rank and comes last.

    Equal scores are in the order of `rank_order`. Where cells fill the budget, `channels` says how
    many each has. Cells that only the prefilter saw stand at the end without score and rank, by
    their prefilter score.
    """
    scored = [(item, Cell.from_archid(item.archid)) for item in evaluations]
    scored.sort(key=lambda pair: rank_order(pair[0].score, pair[1], space))
    rows: list[dict[str, object]] = [
        {
            **_row(cell, space),
            "score": item.score,
            "rank": place if math.isfinite(item.score) else None,
            "seconds": round(item.seconds, 6),
            "prefilter_score": prefilter.get(item.archid),
        }
        for place, (item, cell) in enumerate(scored, start=1)
    ]
    unscored = set(prefilter) - {item.archid for item in evaluations}
    rest = [(prefilter[name], Cell.from_archid(name)) for name in unscored]
    rest.sort(key=lambda pair: rank_order(pair[0], pair[1], space))
    rows += [{**_row(cell, space), "prefilter_score": score} for score, cell in rest]
    columns = ["archid", *EDGE_COLUMNS, "params", "memory_mb_fp32", "score", "rank", "seconds"]
    columns += ["prefilter_score"] * bool(prefilter) + ["channels"] * space.budget.fill
    return pd.DataFrame(rows, columns=columns).astype({"rank": "Int64"})


def _row(cell: Cell, space: Space) -> dict[str, object]:
    params = space.params(cell)
    return {
        "archid": cell.archid,
        **dict(zip(EDGE_COLUMNS, cell.archid.split("-"), strict=True)),
        "params": params,
        "memory_mb_fp32": memory_mb(params, "fp32"),
        "channels": space.channels(cell),
    }


def _summary(
    job: SearchJob, outcome: Outcome, table: pd.DataFrame, device: str
) -> dict[str, object]:
    ranked = table[table["rank"].notna()]
    return {
        "dataset": job.dataset,
        "kernel_set": job.subject.kernel_set,
        "kernel_sizes": list(job.subject.kernel_sizes),
        "strategy": job.settings.strategy,
        "evaluated": outcome.screened.evaluated,
        "distinct": outcome.screened.distinct,
        "scored": len(outcome.evaluations),
        "not_finite": len(outcome.evaluations) - len(ranked),
        "score": job.settings.score,
        "best_archid": str(ranked["archid"].iloc[0]),
        "best_score": float(ranked["score"].iloc[0]),
        "seconds": outcome.seconds,
        "device": device,
        "budget": job.settings.budget.model_dump(mode="json"),
    }
