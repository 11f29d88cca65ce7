"""Step 3 with finalists: the ranking of a search by what its finalists reached. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd

from spikernel import artifacts, provenance
from spikernel.errors import TableError
from spikernel.search.finalists import Evidence, evidence, ranking
from spikernel.study import finalists
from spikernel.study.finalists import Part, Settings
from spikernel.tables import records, to_csv


@dataclass(frozen=True, kw_only=True)
class Inputs(finalists.Inputs):
    """Files read, with the parts of all rungs."""

    search: Annotated[Path, "search.json of nas_search"]


@dataclass(frozen=True)
class Outputs:
    """Files written, all in one folder."""

    ranked: Annotated[Path, "candidates.csv to write: ranked, every cell, with the evidence"]
    search_record: Annotated[Path, "search.json to write: that of the search, and its finalists"]


def run(inputs: Inputs, outputs: Outputs, settings: Settings) -> None:
    """Rank a search by the last rung reached, the validation accuracy there, then by score.

    Raises:
        TableError: the parts are damaged, of another search, or not all there.
        TrainingError: every finalist of the first rung diverged.

    """
    provenance.check([inputs.manifest, inputs.candidates, inputs.search])
    rungs = finalists.read_parts(inputs, settings)
    epochs = settings.training.rungs
    if len(rungs) != len(epochs):
        raise TableError(f"the files have {len(rungs)} of {len(epochs)} rungs: give those of all")
    reached = [finalists.accuracies(parts) for parts in rungs]
    finalists.check_learned(reached[0], 1)
    found = evidence(reached)
    table = rank_table(finalists.read_candidates(inputs.candidates), found, epochs)
    summary = _summary(artifacts.read_object(inputs.search), table, rungs, settings)
    artifacts.write_text(outputs.ranked, to_csv(table))
    artifacts.write_json(outputs.search_record, summary)
    provenance.write(
        outputs.search_record.with_name(provenance.RECORD),
        step="finalist_ranking",
        settings={
            "finalists": settings.finalists,
            "network": settings.network.changes(),
            "training": settings.training.changes(),
        },
        inputs=provenance.paths_of(inputs),
        outputs=provenance.paths_of(outputs),
        seconds=summary["finalist_seconds"],
        device=rungs[0][0].device,
    )


def rank_table(
    candidates: pd.DataFrame, found: Mapping[str, Evidence], epochs: tuple[int, ...]
) -> pd.DataFrame:
    """Return candidates.csv in the order of the new ranks, and what each rank rests on.

    Args:
        candidates: those of the search, ranked by score; its ranks become `score_rank`.
        found: evidence of the finalists; cells without it are ranked by score, behind them.
        epochs: of each rung.

    """
    names = ranking({item.archid: item.score_rank for item in finalists.scored(candidates)}, found)
    place = {name: rank for rank, name in enumerate(names, start=1)}
    reached = pd.DataFrame(
        [(name, epochs[item.rung - 1], item.val_accuracy_percent) for name, item in found.items()],
        columns=["archid", "finalist_epochs", "val_accuracy_percent"],
    )
    table = candidates.assign(
        rank=candidates["archid"].map(place), score_rank=candidates["rank"]
    ).merge(reached, on="archid", how="left")
    by_accuracy = table["finalist_epochs"].notna().map({True: "val_accuracy", False: "score"})
    table.insert(len(candidates.columns), "evidence", by_accuracy.where(table["rank"].notna(), ""))
    table = table.astype(dict.fromkeys(("rank", "score_rank", "finalist_epochs"), "Int64"))
    return table.sort_values("rank", kind="stable", na_position="last", ignore_index=True)


def _summary(
    search: dict[str, Any], table: pd.DataFrame, rungs: list[list[Part]], settings: Settings
) -> dict[str, Any]:
    """Return search.json: `best_score` and `seconds` stay those of the search by score."""
    trainings = [[item for part in parts for item in part.trainings] for parts in rungs]
    columns = ["rank", "archid", "score_rank", "finalist_epochs", "val_accuracy_percent"]
    ranked = table[table["evidence"] == "val_accuracy"][columns]
    return {
        **search,
        "best_archid": str(table["archid"].iloc[0]),
        "finalist_seconds": sum(item.seconds for done in trainings for item in done),
        "rungs": [
            {
                "epochs": epochs,
                "finalists": len(parts[0].members),
                "trainings": len(done),
                "diverged": sum(item.val_accuracy_percent is None for item in done),
            }
            for epochs, parts, done in zip(settings.training.rungs, rungs, trainings, strict=True)
        ],
        "finalists": records(ranked),
    }
