"""What a result depends on in the code: one digest of the meaning of all that a script reaches.

Meaning is the syntax tree without comments and docstrings: an edit of either changes no digest.
A module is reached by an import, wherever it stands; the packages above it are too, because
Python runs their `__init__`. A file that a reached module names in a literal (a template) counts
with its bytes. Parts that a configuration chooses by name (`spikernel.registry`) are reached only
where they are chosen.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

SCRIPTS = Path(__file__).parents[1]
PACKAGE = Path(__file__).parent.name

NEUTRAL = frozenset(
    f"{PACKAGE}.{name}"
    for name in (
        "artifacts", "cli", "code", "config", "data.findings", "errors", "interpreter",
        "provenance", "registry", "training.progress",
    )
)  # fmt: skip
"""Modules and packages that say how results are asked for, written, refused and recorded, not what
they are. The values of a configuration are compared themselves, so the models that hold them do
not count."""

_NAMED_FILE = re.compile(rb"""["']([\w./-]+\.\w+)["']""")


def digest(root: str, parts: Iterable[str] = ()) -> str:
    """Return the digest of a script in `scripts/`, or of a module, and all that it reaches.

    Args:
        root: name of the script without its suffix, or full name of the module.
        parts: full names of the modules that a configuration chooses, which no import names.

    """
    files = reached(root, parts)
    total = hashlib.sha256()
    for path in sorted(files, key=lambda path: path.relative_to(SCRIPTS).as_posix()):
        total.update(f"{path.relative_to(SCRIPTS).as_posix()} {_meaning(path)}\n".encode())
    return total.hexdigest()[:16]


def reached(root: str, parts: Iterable[str] = ()) -> set[Path]:
    """Return the script or module, the modules that it reaches, and the files that these name."""
    found: set[Path] = set()
    waiting = _files_of(root) if "." in root else [SCRIPTS / f"{root}.py"]
    for part in parts:
        waiting += _files_of(part)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        waiting += _leads_to(path)
    return found


@cache
def _leads_to(path: Path) -> tuple[Path, ...]:
    """Return the files that a file leads to by itself."""
    if path.suffix != ".py":
        names = {match.decode() for match in _NAMED_FILE.findall(path.read_bytes())}
        return tuple(_existing(path, names))
    tree = _tree(path)
    literals = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    modules = {name for node in ast.walk(tree) for name in _imported(node)}
    return (*(file for name in modules for file in _files_of(name)), *_existing(path, literals))


def _existing(path: Path, names: Iterable[str]) -> Iterator[Path]:
    """Yield the files below a file's folder that are named, but for Python files."""
    for name in names:
        if re.fullmatch(r"[\w./-]+\.\w+", name) and not name.startswith(("/", ".")):
            candidate = path.parent / name
            if candidate.suffix != ".py" and candidate.is_file():
                yield candidate


def _imported(node: ast.AST) -> list[str]:
    """Return the full names that an import may mean: a module, or something inside one."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def _files_of(name: str) -> list[Path]:
    """Return the file of a module and those of the packages above it; none of a neutral one's."""
    steps = name.split(".")
    prefixes = [".".join(steps[: count + 1]) for count in range(len(steps))]
    if steps[0] != PACKAGE or NEUTRAL.intersection(prefixes):
        return []
    places = [SCRIPTS.joinpath(*prefix.split(".")) for prefix in prefixes]
    files = [path for place in places for path in (place / "__init__.py", place.with_suffix(".py"))]
    return [path for path in files if path.is_file()]


@cache
def _tree(path: Path) -> ast.Module:
    """Return the syntax tree of a file without its docstrings, those of attributes included."""
    tree = ast.parse(path.read_bytes(), filename=str(path))
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                setattr(node, field, [item for item in block if not _is_text(item)])
    return tree


def _is_text(statement: ast.AST) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


@cache
def _meaning(path: Path) -> str:
    """Return the digest of one file: of its syntax tree, or of its bytes."""
    content = _plain(_tree(path)).encode() if path.suffix == ".py" else path.read_bytes()
    return hashlib.sha256(content).hexdigest()


def _plain(value: object) -> str:
    """Write a syntax tree as text that is the same in every version of Python.

    `ast.dump` is not: versions differ in the empty fields that they show.
    """
    if isinstance(value, ast.AST):
        fields = ((name, item) for name, item in ast.iter_fields(value) if item not in (None, []))
        return f"{type(value).__name__}({','.join(f'{n}={_plain(item)}' for n, item in fields)})"
    if isinstance(value, list):
        return f"[{','.join(map(_plain, value))}]"
    return repr(value)
