"""Scripts called with bad input, cut short or on a full disk, without starting Python each time.

This process imports the library once. Every call is a fork of it: it may change folders, limits
and streams, be killed, or end in a defect, and leaves nothing behind but its files.
"""

import importlib
import inspect
import logging
import os
import select
import shlex
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest

from spikernel import cli

OWN_MAIN = ("cells", "verify_results")
"""Scripts that hold their function themselves; all others call `run` of the step of their name."""
DEFECT = 70
LONGEST_SECONDS = 1800.0
"""So long that only what hangs is killed: a step may take minutes on a machine that is busy."""


@dataclass(frozen=True)
class Ending:
    """How a call ended: its exit status, or minus the signal, and all that it said."""

    status: int
    text: str
    seconds: float


@dataclass(frozen=True)
class Row:
    """One bad input, and what must be said about it."""

    name: str
    command: str
    """Script and arguments, as in a shell."""
    expected: str
    """What a line must hold."""
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    """Files to write before, by path from the working directory."""
    make: Callable[[Path], None] | None = None
    """What else has to be done in the working directory before."""


def rows(table: Sequence[Row]) -> pytest.MarkDecorator:
    """Let a test run once for each row of a table."""
    assert len({row.name for row in table}) == len(table)
    return pytest.mark.parametrize("row", table, ids=lambda row: row.name.replace(" ", "-"))


def check(row: Row, folder: Path) -> None:
    """Call a row's command in a folder, and see that it says what is wrong, and no more."""
    for name, content in row.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    if row.make is not None:
        row.make(folder)
    script, *arguments = shlex.split(row.command)
    ending = call(script, arguments, folder)
    assert ending.status == cli.EXIT_BAD_INPUT, ending.text
    assert row.expected in ending.text
    assert "error: " in ending.text
    assert "Traceback" not in ending.text


def call(
    script: str,
    arguments: Sequence[str],
    folder: Path,
    *,
    before: Callable[[], object] = lambda: None,
    kill_after: float = LONGEST_SECONDS,
) -> Ending:
    """Run a script in a fork of this process.

    Args:
        script: its name, without `.py`.
        arguments: of its command line.
        folder: to run in.
        before: called in the fork first, for instance to set a limit.
        kill_after: seconds after which the fork is killed, with all that it started.

    """
    main = _main(script)
    reading, writing = os.pipe()
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be(main, list(arguments), folder, writing, before)
    # Here too: it may have to be killed before it comes to that.
    with suppress(ProcessLookupError, PermissionError):
        os.setpgid(child, child)
    os.close(writing)
    said = b""
    while True:
        left = max(0.0, started + kill_after - time.perf_counter())
        if not select.select([reading], [], [], left)[0]:
            os.killpg(child, signal.SIGKILL)
            break
        part = os.read(reading, 1 << 16)
        if not part:
            break
        said += part
    os.close(reading)
    _, status = os.waitpid(child, 0)
    seconds = time.perf_counter() - started
    return Ending(os.waitstatus_to_exitcode(status), said.decode(errors="replace"), seconds)


def _be(
    main: Callable[..., None],
    arguments: list[str],
    folder: Path,
    writing: int,
    before: Callable[[], object],
) -> NoReturn:
    status = DEFECT
    try:
        os.setpgid(0, 0)
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        os.close(writing)
        sys.stdout, sys.stderr = (os.fdopen(stream, "w", closefd=False) for stream in (1, 2))
        logging.getLogger().handlers.clear()  # those of pytest; the script sets its own
        os.chdir(folder)
        os.environ["PATH"] = ""  # no compiler, emulator or git: the same happens everywhere
        before()
        cli.run(main, arguments)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else DEFECT
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


@cache
def _main(script: str) -> Callable[..., None]:
    module: Any = importlib.import_module(
        script if script in OWN_MAIN else f"spikernel.study.{script}"
    )
    main: Callable[..., None] = module.main if script in OWN_MAIN else module.run
    assert inspect.isfunction(main)
    return main
