"""Step 3: search the cells of one kernel set under a budget, without training."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from spikernel import artifacts, provenance
from spikernel.config import DesignConfig, NetworkConfig, SearchConfig, kernel_set_name
from spikernel.data.splits import load_split
from spikernel.errors import ConfigError, SpikernelError
from spikernel.search.engine import evaluate
from spikernel.search.journal import Evaluation
from spikernel.search.scorer import Scorer, draw_batches
from spikernel.search.strategies import Plan, plan
from spikernel.space import (
    EDGES,
    Architecture,
    Cell,
    ImageShape,
    memory_mb,
    parameter_count,
)
from spikernel.study.inputs import Machine, image_shape, state_path
from spikernel.study.kernel_set_design import read_kernel_sizes
from spikernel.tables import to_csv

EDGE_COLUMNS = tuple(f"edge_{low}{high}" for low, high in EDGES)


@dataclass(frozen=True)
class Subject:
    """Which kernel set is searched, for which macro-structure."""

    kernel_set: str
    kernel_sizes: tuple[int, ...]
    network: NetworkConfig


def choose_subject(
    kernel_sets: Path | None,
    name: str | None,
    kernel_sizes: Sequence[int] | None,
    network: NetworkConfig,
) -> Subject:
    """Return the set of a `kernel_sets.json`, or the one given by its sizes.

    Raises:
        ConfigError: neither or both were given, or a size is not odd and positive.
        TableError: the file has no set of that name.

    """
    if kernel_sizes and kernel_sets is None and name is None:
        baseline = DesignConfig.parse({"baseline": kernel_sizes}, "kernel_sizes").baseline
        return Subject(kernel_set_name(baseline), baseline, network)
    if kernel_sets is None or name is None or kernel_sizes:
        raise ConfigError("give either --kernel-sizes, or both --kernel-sets and --kernel-set")
    return Subject(name, read_kernel_sizes(kernel_sets, name), network)


def run(
    manifest_path: Path,
    subject: Subject,
    settings: SearchConfig,
    machine: Machine,
    candidates_path: Path,
    search_path: Path,
) -> None:
    """Search and write `candidates.csv` (ranked) and `search.json`.

    Raises:
        BudgetError: no cell meets the budget.
        SpikernelError: no candidate has a finite score.

    """
    watch = provenance.Stopwatch()
    split = load_split(manifest_path, "train")
    images = image_shape(split.manifest)
    chosen = plan(settings, subject.kernel_sizes, subject.network, images)
    batches = draw_batches(split, settings, machine.device)
    scorer = Scorer(batches, settings.score, settings.seed, machine.device)
    described = {
        "kernel_set": subject.kernel_set,
        "kernel_sizes": list(subject.kernel_sizes),
        "network": subject.network.model_dump(mode="json"),
        "search": settings.model_dump(mode="json"),
        "threads": machine.threads,
    }
    fingerprint = {
        **described,
        "data": artifacts.file_hash(manifest_path),
        "code": provenance.code_hash(),
        "device": str(machine),
    }
    journal = state_path(candidates_path)
    planning_seconds = watch.seconds()
    evaluations = evaluate(
        chosen.cells,
        lambda cell: scorer.score(Architecture(cell, subject.network, images)),
        journal,
        fingerprint,
    )
    table = rank_table(evaluations, subject.network, images)
    if not table["rank"].notna().any():
        raise SpikernelError(
            f"none of the {len(table)} candidates of {subject.kernel_set} has a finite score: "
            "raise nas_search/batch_size or network/channels"
        )
    seconds = planning_seconds + sum(item.seconds for item in evaluations)
    artifacts.write_text(candidates_path, to_csv(table))
    artifacts.write_json(
        search_path,
        _summary(split.manifest.dataset, subject, settings, chosen, table, seconds, str(machine)),
    )
    provenance.write(
        search_path.with_name("provenance.json"),
        step="nas_search",
        settings=described,
        inputs=[manifest_path],
        outputs=[candidates_path, search_path],
        seconds=seconds,
        device=str(machine),
    )
    journal.unlink(missing_ok=True)


def rank_table(
    evaluations: Sequence[Evaluation], network: NetworkConfig, images: ImageShape
) -> pd.DataFrame:
    """Return the candidates, best first; a score that is not finite has no rank and comes last.

    Equal scores are ordered by fewer parameters, then by archid.
    """
    ordered = sorted(
        ((item, Cell.from_archid(item.archid)) for item in evaluations),
        key=lambda pair: _order(pair[0], _params(pair[1], network, images)),
    )
    rows = []
    for place, (item, cell) in enumerate(ordered, start=1):
        params = _params(cell, network, images)
        rows.append(
            {
                "archid": item.archid,
                **dict(zip(EDGE_COLUMNS, cell.operations, strict=True)),
                "params": params,
                "memory_mb_fp32": memory_mb(params, "fp32"),
                "score": item.score,
                "rank": place if math.isfinite(item.score) else None,
                "seconds": round(item.seconds, 6),
            }
        )
    return pd.DataFrame(rows).astype({"rank": "Int64"})


def _params(cell: Cell, network: NetworkConfig, images: ImageShape) -> int:
    return parameter_count(Architecture(cell, network, images)).total


def _order(item: Evaluation, params: int) -> tuple[bool, float, int, str]:
    finite = math.isfinite(item.score)
    return not finite, -item.score if finite else 0.0, params, item.archid


def _summary(
    dataset: str,
    subject: Subject,
    settings: SearchConfig,
    chosen: Plan,
    table: pd.DataFrame,
    seconds: float,
    device: str,
) -> dict[str, object]:
    finite = table[table["rank"].notna()]
    return {
        "dataset": dataset,
        "kernel_set": subject.kernel_set,
        "kernel_sizes": list(subject.kernel_sizes),
        "strategy": settings.strategy,
        "evaluated": chosen.evaluated,
        "distinct": len(chosen.cells),
        "not_finite": int(len(table) - len(finite)),
        "score": settings.score,
        "best_archid": str(finite["archid"].iloc[0]),
        "best_score": float(finite["score"].iloc[0]),
        "seconds": seconds,
        "device": device,
        "budget": settings.budget.model_dump(mode="json"),
    }
