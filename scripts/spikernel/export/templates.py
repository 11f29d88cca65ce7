"""Renders the templates of this package: text to the letter, and no variable left out."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(name: str, /, **context: Any) -> str:
    """Return the text of a template, named by its path below this package."""
    environment = Environment(
        loader=PackageLoader("spikernel.export", ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["thousands"] = lambda number: f"{number:,.0f}"
    return environment.get_template(name).render(context)
