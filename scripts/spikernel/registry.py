"""Parts that a configuration chooses by name: each is one module in the folder of its kind.

A part is added by putting a file there, under the name that a configuration then gives; nothing
else lists it. Names are read off the folder, so that they are known where the part itself cannot
be imported (the environment that checks a configuration may have no torch). A file that begins
with an underscore is no part.
"""

import ast
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from spikernel.errors import ConfigError

PACKAGES = {
    "neuron": "spikernel.network.neurons",
    "objective": "spikernel.training.objectives",
    "reader": "spikernel.data.readers",
    "score": "spikernel.search.scores",
}
"""Kind of part -> the package whose modules are the parts; its docstring says what one defines."""


@cache
def names(kind: str) -> tuple[str, ...]:
    """Return the names of the parts of a kind, in alphabetical order."""
    folder = Path(__file__).parent.joinpath(*PACKAGES[kind].split(".")[1:])
    return tuple(sorted(p.stem for p in folder.glob("*.py") if not p.stem.startswith("_")))


def module_name(kind: str, name: str) -> str:
    """Return the full name of a part's module.

    Raises:
        ConfigError: there is no such part.

    """
    if name not in names(kind):
        raise ConfigError(f"unknown {kind} '{name}': known are {', '.join(names(kind))}")
    return f"{PACKAGES[kind]}.{name}"


def load(kind: str, name: str) -> ModuleType:
    """Import a part.

    Raises:
        ConfigError: there is no such part.

    """
    return import_module(module_name(kind, name))


@cache
def literal(kind: str, name: str, variable: str, default: Any) -> Any:
    """Return the literal that a part's file assigns to a variable, without importing the part.

    Raises:
        ConfigError: there is no such part, or it assigns something else than a literal.

    """
    module = module_name(kind, name)
    path = Path(__file__).parent.joinpath(*module.split(".")[1:]).with_suffix(".py")
    for statement in ast.parse(path.read_bytes(), filename=str(path)).body:
        if isinstance(statement, ast.Assign):
            target, value = statement.targets[0], statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            target, value = statement.target, statement.value
        else:
            continue
        if ast.unparse(target) == variable:
            return _read(value, path, variable)
    return default


def _read(value: ast.expr, path: Path, variable: str) -> Any:
    try:
        return ast.literal_eval(value)
    except (TypeError, ValueError):
        raise ConfigError(
            f"{path}, line {value.lineno}: {variable} must be a literal, since it is read without "
            f"running the file, but is {ast.unparse(value)}"
        ) from None
