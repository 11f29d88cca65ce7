"""The command line of a script, made from the signature of the function that it calls.

A parameter that is a dataclass (the `Inputs`, `Outputs` or `Settings` of a step) stands for its
fields: each is a flag of its own. Supported parameter types: `Path`, `str`, `int`, `float`,
`bool`, `list[...]` of those,
`Literal[...]`, `... | None`, and strict config models, which are given as inline YAML or JSON
(`--network '{channels: 16}'`) or as the path of a YAML file. `Annotated[type, "help"]`
carries a parameter's help text.
"""

import argparse
import inspect
import logging
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from spikernel.errors import SpikernelError, UnfinishedError

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
"""As a shell says it of a command that Ctrl-C ended."""
INTERRUPTED = "interrupted: what is done is kept; run the same command again to go on"
EXIT_UNFINISHED = 75
"""EX_TEMPFAIL of sysexits.h: try again."""


def run(main: Callable[..., None], arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and call `main`; see `one_line` for how it ends."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    with one_line():
        main(**_parse(main, arguments))


@contextmanager
def one_line() -> Iterator[None]:
    """Turn what the user can mend into one line for each thing.

    Exits with status 2 when the user's input is at fault, a file or folder cannot be used or the
    memory is not enough, with status 75 when work stopped in time and the same command would go
    on, and with status 130 when it was interrupted; other exceptions are defects and keep their
    traceback.
    """
    try:
        yield
    except BaseException as error:
        _end(error)
        raise


def _end(error: BaseException) -> None:
    """Say what happened and exit, unless it is a defect."""
    if isinstance(error, UnfinishedError):
        text, status = f"unfinished: {error}", EXIT_UNFINISHED
    elif isinstance(error, KeyboardInterrupt):
        text, status = INTERRUPTED, EXIT_INTERRUPTED
    elif message := _mendable(error):
        # A line that is not indented is one thing to mend.
        text = re.sub(r"^(?=\S)", "error: ", message, flags=re.MULTILINE)
        status = EXIT_BAD_INPUT
    else:
        return
    print(text, file=sys.stderr)
    sys.exit(status)


def _mendable(error: BaseException) -> str | None:
    """Return what a user can mend, and how."""
    if isinstance(error, SpikernelError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"cannot use {error.filename}: {error.strerror}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.split(".")[0]
        if package != __package__:
            return (
                f"the Python that runs this, {sys.executable}, has no package {package}: run "
                "`make setup`, then `. .venv/bin/activate`"
            )
    # PyTorch's error about a CPU has no class of its own.
    if isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and re.search("allocate memory|out of memory", str(error))
    ):
        wanted = re.search(r"tried to allocate [\d.]+ \w+", str(error), re.IGNORECASE)
        detail = f" ({wanted[0].lower()})" if wanted else ""
        return f"the memory is not enough{detail}: lower channels or batch_size"
    return None


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _end(error)
    sys.__excepthook__(kind, error, trace)


# A script imports this module first. So a package that is missing, or Ctrl-C while the others are
# loaded, ends it in one line too.
sys.excepthook = _uncaught


def _parse(main: Callable[..., None], arguments: Sequence[str] | None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        description=inspect.getdoc(sys.modules["__main__"]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    hints = typing.get_type_hints(main, include_extras=True)
    groups: dict[str, tuple[type, list[str]]] = {}
    for name, parameter in inspect.signature(main).parameters.items():
        kind = hints[name]
        if is_dataclass(kind) and isinstance(kind, type):
            groups[name] = kind, [field.name for field in fields(kind)]
            inner = typing.get_type_hints(kind, include_extras=True)
            for field in fields(kind):
                _add_option(parser, field.name, inner[field.name], _default(field))
        else:
            _add_option(parser, name, kind, parameter.default)
    given = vars(parser.parse_args(arguments))
    for name, (kind, names) in groups.items():
        given[name] = kind(**{field: given.pop(field) for field in names})
    return given


def _default(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default
    return inspect.Parameter.empty if field.default_factory is MISSING else field.default_factory()


def _add_option(parser: argparse.ArgumentParser, name: str, hint: Any, default: Any) -> None:
    kind, text = _strip_annotation(hint)
    required = default is inspect.Parameter.empty
    options: dict[str, Any] = {"required": required, "help": text or None}
    if not required:
        options["default"] = default
        if isinstance(default, str | int | float) and default is not False:
            options["help"] = f"{text} (default: {default})".strip()
    kind = _strip_optional(kind)
    flag = "--" + name.replace("_", "-")
    if kind is bool:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, **options)
        return
    if typing.get_origin(kind) is list:
        options["nargs"] = "+" if required else "*"
        kind = typing.get_args(kind)[0]
    if typing.get_origin(kind) is typing.Literal:
        options["choices"] = typing.get_args(kind)
    elif hasattr(kind, "parse_argument"):
        options["help"] = f"{text}; keys, see config/README.md: {', '.join(kind.model_fields)}"
        options["metavar"] = "YAML"
        options["type"] = kind.parse_argument
    else:
        options["type"] = kind
        options["metavar"] = "PATH" if kind is Path else kind.__name__.upper()
    parser.add_argument(flag, **options)


def _strip_annotation(hint: Any) -> tuple[Any, str]:
    if typing.get_origin(hint) is typing.Annotated:
        kind, text = typing.get_args(hint)
        return kind, str(text).replace("%", "%%")
    return hint, ""


def _strip_optional(kind: Any) -> Any:
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        inner = [item for item in typing.get_args(kind) if item is not type(None)]
        if len(inner) != 1:
            raise TypeError(f"{kind} is not a type the command line can hold")
        return inner[0]
    return kind
