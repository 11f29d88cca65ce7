"""The model card: what a net is, how good, how large, how it was checked, and its limits."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from spikernel import __version__
from spikernel.inference.released import Preprocessing

SHOWN_CLASSES = 20
"""More class names than this are not listed."""


def render(
    report: Mapping[str, Any], metrics: Mapping[str, Any], preprocessing: Preprocessing
) -> str:
    """Return the card as Markdown.

    Args:
        report: what `export.json` holds.
        metrics: what `metrics.json` of the model holds.
        preprocessing: normalisation and class names.

    """
    environment = Environment(
        loader=PackageLoader("spikernel.export", ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["thousands"] = lambda number: f"{number:,.0f}"
    return environment.get_template("model_card.md.j2").render(
        report=report,
        metrics=metrics,
        preprocessing=preprocessing,
        classes=preprocessing.classes[:SHOWN_CLASSES],
        more_classes=len(preprocessing.classes) - SHOWN_CLASSES,
        version=__version__,
    )
