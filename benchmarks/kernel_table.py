"""The file of the table over kernel sizes: its columns, its shards, and how they are joined.

One line is one training. What all of them were made with lies beside the CSV as JSON of the same
name. A shard writes a file of its own beside the table; docs/kernel-cells.md describes the columns.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paired import Results, given

from spikernel import artifacts, tables
from spikernel.errors import ConfigError, TableError

TEXT = ("group", "control", "archid", "kernel_sizes", "device")
WHOLE = ("seed", "depth", "convolutions", "channels", "params", "flop_per_image")
MORE = (*WHOLE[1:], "synops", "test_accuracy_percent", "images_per_second")
NOTED = ("device", "versions", "code")
"""Keys of the JSON that say where the trainings ran, and nothing that they depend on."""

Key = tuple[str, str, int]
"""What a training is known by: archid, control, seed."""


def open_table(path: Path, settings: Mapping[str, Any], environs: Mapping[str, Any]) -> Results:
    """Return the finished trainings of a table that is written here, or that is begun.

    Raises:
        ConfigError: the table was made with other settings.
        TableError: the file is no such table.

    """
    return Results(path, settings, environs, MORE, TEXT, WHOLE)


def key_of(row: Mapping[str, Any]) -> Key:
    """Return what a line is known by."""
    return str(row["archid"]), str(row["control"]), int(row["seed"])


def shard_of(text: str) -> tuple[int, int]:
    """Read `i/n`, the i-th of n shards.

    Raises:
        ConfigError: it is not of that form.

    """
    match = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", text)
    if match is None or int(match[1]) > int(match[2]):
        raise ConfigError(f"--shard must be i/n with i from 1 to n, as in 2/4, got {text}")
    return int(match[1]), int(match[2])


def shard_path(table: Path, shard: tuple[int, int]) -> Path:
    """Return the file of a shard; that of the only one is the table itself."""
    number, shards = shard
    return table if shards == 1 else table.with_stem(f"{table.stem}.shard-{number}-of-{shards}")


def files_of(table: Path) -> list[Path]:
    """Return the files that hold trainings of a table: its own, if it is there, and its shards."""
    own = [table] if table.exists() else []
    return [*own, *sorted(table.parent.glob(f"{table.stem}.shard-*-of-*.csv"))]


def finished(table: Path, settings: Mapping[str, Any]) -> set[Key]:
    """Return what is trained in any file of a table.

    Raises:
        ConfigError: a file was made with other settings.
        TableError: a file is no such table.

    """
    return {key_of(row) for path in files_of(table) for row in open_table(path, settings, {}).rows}


def join(paths: Sequence[Path], output: Path) -> int:
    """Write the lines of several files as one table, sorted, and return how many there are.

    Raises:
        TableError: the files were made with different settings, or differ in a training.

    """
    rows: dict[Key, dict[str, Any]] = {}
    first: dict[str, Any] = artifacts.read_json(paths[0].with_suffix(".json"))
    for path in paths:
        described = artifacts.read_json(path.with_suffix(".json"))
        if _settings(described) != _settings(first):
            raise TableError(f"{path} and {paths[0]} were made with different settings")
        for row in open_table(path, _settings(described), {}).rows:
            if rows.setdefault(key_of(row), row) != row:
                named = " ".join(map(str, key_of(row)))
                raise TableError(f"{path}: {named} is in another file with other results")
    ordered = sorted(rows.values(), key=lambda row: (row["group"], *key_of(row)))
    tables.write_csv(output, ordered)
    artifacts.write_json(output.with_suffix(".json"), first)
    return len(ordered)


def _settings(described: Mapping[str, Any]) -> dict[str, Any]:
    return {key: given(value) for key, value in described.items() if key not in NOTED}
