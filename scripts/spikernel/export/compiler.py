"""Compiles exported C files on this machine, runs them, and reads their sizes."""

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikernel.errors import ExportError

FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off")
COUNT = "-DSPK_COUNT_SYNOPS"


@dataclass(frozen=True)
class Sizes:
    """What the linker would place, in bytes."""

    flash_bytes: int
    """Code and constants."""
    ram_bytes: int
    """Static variables."""


def find_compiler() -> list[str] | None:
    """Return the command of the C compiler: `$CC`, `cc` or `gcc`; None where there is none."""
    named = shlex.split(os.environ.get("CC", ""))
    for command in (named, ["cc"], ["gcc"]):
        if command and shutil.which(command[0]):
            return command
    return None


def describe(compiler: Sequence[str]) -> str:
    """Return the compiler's version and the machine it compiles for, on one line."""
    version = run([*compiler, "--version"]).splitlines()[0]
    return f"{version}, for {run([*compiler, '-dumpmachine']).strip()}"


@contextmanager
def workspace() -> Iterator[Path]:
    """Yield a folder to compile in, which is gone afterwards.

    Raises:
        ExportError: the system refuses it, or a file in it.

    """
    try:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise ExportError(
            f"there is no room to compile in: {where}{error.strerror or error}: free some, or name "
            "another folder for temporary files in the environment variable TMPDIR"
        ) from None


def write_sources(folder: Path, files: Mapping[str, str]) -> None:
    """Write C files to a folder, which is made."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def build(folder: Path, compiler: Sequence[str]) -> Path:
    """Compile the program that classifies a file of images; return its path in `folder`.

    It counts synaptic operations, which changes nothing else.

    Raises:
        ExportError: the compiler refuses; its first message is shown.

    """
    program = folder / "classify"
    sources = [str(folder / "main.c"), str(folder / "model.c")]
    run([*compiler, *FLAGS, "-O3", COUNT, "-o", str(program), *sources])
    return program


def sizes(folder: Path, compiler: Sequence[str]) -> Sizes | None:
    """Return flash and RAM of the model compiled for size; None where `size` is not there."""
    command = shlex.split(os.environ.get("SIZE", "")) or ["size"]
    if not shutil.which(command[0]):
        return None
    made = folder / "model.o"
    run([*compiler, *FLAGS, "-Os", "-c", "-o", str(made), str(folder / "model.c")])
    found = read_sizes(made, command)
    made.unlink()
    return found


def read_sizes(made: Path, command: Sequence[str] = ("size",)) -> Sizes:
    """Return flash and RAM of a compiled file, as the tool `size` reads them.

    Raises:
        ExportError: the tool is not there, or prints no sizes.

    """
    printed = run([*command, "-B", str(made)])
    try:
        text, data, bss = (int(number) for number in printed.splitlines()[1].split()[:3])
    except (IndexError, ValueError):
        raise ExportError(f"{command[0]} printed no sizes of {made.name}") from None
    return Sizes(flash_bytes=text + data, ram_bytes=data + bss)


@dataclass(frozen=True)
class Answers:
    """What a compiled model says about N images."""

    classes: NDArray[np.int64]
    """[N]."""
    logits: NDArray[np.float32]
    """[N, classes], not a bit lost."""
    synops_per_image: float


def classify(program: Path, images: Path) -> Answers:
    """Run a compiled program on a file of images."""
    done = _done([str(program), str(images), "--logits"])
    lines = [line.split() for line in done.stdout.splitlines()]
    logits = [[float.fromhex(word) for word in words[1:]] for words in lines]
    return Answers(
        classes=np.array([int(words[0]) for words in lines]),
        logits=np.array(logits, dtype=np.float32),
        synops_per_image=float(done.stderr.split()[-1]),
    )


def run(command: Sequence[str], folder: Path | None = None, timeout_s: float | None = None) -> str:
    """Run a command in a folder to its end, or for some seconds at most; return what it printed.

    Raises:
        ExportError: it failed, or did not end; the message is one line.

    """
    return _done(command, folder, timeout_s).stdout


def _done(
    command: Sequence[str], folder: Path | None = None, timeout_s: float | None = None
) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=True, timeout=timeout_s
        )
    except subprocess.TimeoutExpired:
        raise ExportError(f"{command[0]} did not end within {timeout_s:g} s") from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr + error.stdout).strip().splitlines()
        # What GCC says of its linker's failure names no reason; the linker's own lines do.
        lines = [line for line in said if not line.startswith("collect2:")]
        message = next((line for line in lines if "error" in line), (lines or said or [""])[0])
        reason = message.rpartition("/ld: ")[2]
        raise ExportError(f"{command[0]} failed with status {error.returncode}: {reason}") from None
    except PermissionError:
        raise ExportError(
            f"{command[0]} may not be run there: where the folder for temporary files is mounted "
            "noexec, name another in the environment variable TMPDIR"
        ) from None
    except OSError as error:
        raise ExportError(f"{command[0]} cannot be run: {error.strerror}") from None
