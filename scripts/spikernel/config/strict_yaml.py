"""YAML files that are read strictly, and the line of every key in them.

Strictly: no key stands twice in one mapping. PyYAML lets the last one win, without a word.
"""

import unicodedata
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from spikernel.config.problems import Key
from spikernel.errors import ConfigError


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which also refuses a key that its mapping has already."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Return a mapping as it stands in the text, before `<<` brings keys that it may replace.

        Raises:
            yaml.constructor.ConstructorError: a key stands twice; so does `<<`, for PyYAML.

        """
        node = super().compose_mapping_node(anchor)
        lines: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            merge = key_node.tag == "tag:yaml.org,2002:merge"
            key = key_node.value if merge else self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                continue  # PyYAML refuses it later
            # An accented letter may be one character or two that look like it.
            known = unicodedata.normalize("NFC", key) if isinstance(key, str) else key
            line = key_node.start_mark.line + 1
            if known in lines:
                remedy = f"write {key}: [*first, *second] once" if merge else "remove one"
                raise yaml.constructor.ConstructorError(
                    problem=f"key '{key}' stands in line {lines[known]} and again in line {line}: "
                    + remedy
                )
            lines[known] = line
        return node


@dataclass(frozen=True)
class Document:
    """What a YAML text holds, and where."""

    name: str
    """Of the text in messages: its file."""
    data: Any
    root: yaml.Node | None
    """What was parsed; None where the text holds nothing."""
    one_line: bool
    """The text is an option of a command line, so that its lines say nothing."""

    def lines(self, key: Key) -> list[int]:
        """Return the line of each leading key of a path, as far as they stand in the text."""
        found: list[int] = []
        node = self.root
        for part in key:
            step = _below(node, part)
            if step is None:
                break
            line, node = step
            found.append(line)
        return found

    def place(self, key: Key) -> str:
        """Return the name, and the line of the innermost key of a path that stands in the text."""
        lines = self.lines(key)
        return f"{self.name}, line {lines[-1]}" if lines and not self.one_line else self.name


def place(documents: Sequence[Document], key: Key) -> str:
    """Return the place of a key in texts of which later ones replace keys of earlier ones."""
    best, *later = documents
    for document in later:
        found = len(document.lines(key))
        if found and found >= len(best.lines(key)):
            best = document
    return best.place(key)


def _below(node: yaml.Node | None, part: str) -> tuple[int, yaml.Node] | None:
    """Return the line and the value of a key of a mapping, or of an entry of a list."""
    if isinstance(node, yaml.MappingNode):
        # Once it is constructed, what `<<` brings stands before a mapping's own keys.
        for key_node, value in reversed(node.value):
            if key_node.value == part:
                return key_node.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
        entry = node.value[int(part)]
        return entry.start_mark.line + 1, entry
    return None


def read(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        ConfigError: it cannot be read, is not YAML, or a key stands twice in one mapping.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}, line {line}: is not UTF-8 text: save it as UTF-8") from None
    return parse(text, str(path))


def parse(text: str, name: str) -> Document:
    """Return what a YAML text holds.

    Args:
        text: the document.
        name: its place, for messages.

    Raises:
        ConfigError: it is not YAML, or a key stands twice in one mapping.

    """
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        data = None if root is None else loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        if error.problem_mark is None:
            raise ConfigError(f"{name}: {error.problem}") from None  # our own, with its lines
        hint = "; indent with spaces, not tabs" if "'\\t'" in str(error.problem) else ""
        raise ConfigError(
            f"{name}, line {error.problem_mark.line + 1}: not valid YAML: {error.problem}{hint}"
        ) from None
    except RecursionError:
        raise ConfigError(f"{name}: not valid YAML: brackets are nested too deep") from None
    except (yaml.YAMLError, ValueError) as error:  # a ValueError: a date that does not exist
        raise ConfigError(f"{name}: not valid YAML: {' '.join(str(error).split())}") from None
    return Document(name, data, root, one_line="\n" not in text.strip())
