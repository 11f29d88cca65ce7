"""Whether two runs of a step gave the same, but for what shows how long something took."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd


def same(path: Path, other: Path) -> bool:
    """Whether two files hold the same."""
    if any(part in path.name for part in TIMED):
        sizes = path.stat().st_size, other.stat().st_size
        return min(sizes) > SHARE * max(sizes)
    read = READERS.get(path.suffix, Path.read_bytes)
    return bool(read(path) == read(other))


TIMED = ("report.html", "summary.md", "search_cost", "model.zip")
"""Parts of the names of files that show how long something took, in a few digits of each."""
SHARE = 0.9


def _untimed(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    timed = ("second", "finished", "inputs", "outputs", "source", "sha256", "crc32")
    return {key: value for key, value in pairs if not any(part in key for part in timed)}


def _json(path: Path) -> Any:
    return json.loads(path.read_text(), object_pairs_hook=_untimed)


def _csv(path: Path) -> list[list[str]]:
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    found: list[list[str]] = table[[c for c in table if "second" not in c]].to_numpy().tolist()
    return found


def _part(path: Path) -> list[Any]:
    """Return what a part of a search, or a rung of finalists, holds line by line."""
    lines = path.read_text().splitlines()
    return [json.loads(line, object_pairs_hook=_untimed) for line in lines]


READERS: dict[str, Callable[[Path], Any]] = {".json": _json, ".csv": _csv, ".jsonl": _part}
