"""YAML in which no key stands twice: PyYAML lets the last one win, without a word."""

from collections.abc import Hashable
from typing import Any

import yaml

from spikernel.errors import ConfigError


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which also refuses a key that its mapping has already."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return a mapping.

        Raises:
            yaml.constructor.ConstructorError: a key stands twice.

        """
        lines: dict[Any, int] = {}
        for key_node, _ in node.value:
            # `<<` takes over the keys of another mapping, and its own may then replace them.
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key, line = self.construct_object(key_node, deep=True), key_node.start_mark.line + 1
            if isinstance(key, Hashable) and key in lines:
                raise yaml.constructor.ConstructorError(
                    problem=f"key '{key}' stands in line {lines[key]} and again in line {line}: "
                    "remove one"
                )
            lines[key] = line
        found: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return found


def load(text: str, where: str) -> Any:
    """Return what a YAML text holds.

    Args:
        text: the document.
        where: its place, for messages.

    Raises:
        ConfigError: it is not YAML, or a key stands twice in one mapping.

    """
    try:
        return yaml.load(text, _Loader)
    except yaml.constructor.ConstructorError as error:
        raise ConfigError(f"{where}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: not valid YAML: {' '.join(str(error).split())}") from None
