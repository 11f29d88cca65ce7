"""Model cards: what a net is, how good, how large, how it was checked, and its limits."""

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
    """Return the card of an exported net as Markdown.

    Args:
        report: what `export.json` holds.
        metrics: what `metrics.json` of the model holds.
        preprocessing: normalisation and class names.

    """
    return _render("model_card.md.j2", preprocessing, report=report, metrics=metrics)


def render_release(
    name: str, metrics: Mapping[str, Any], made: Mapping[str, Any], preprocessing: Preprocessing
) -> str:
    """Return the card of a released net as Markdown.

    Args:
        name: of its folder.
        metrics: what its `metrics.json` holds.
        made: what `provenance.json` of its training holds.
        preprocessing: normalisation and class names.

    """
    known = {key: made["settings"][key] for key in ("network", "training")}
    known |= {key: made[key] for key in ("code", "finished")}
    return _render("release_card.md.j2", preprocessing, name=name, metrics=metrics, **known)


def _render(template: str, preprocessing: Preprocessing, **values: Any) -> str:
    environment = Environment(
        loader=PackageLoader("spikernel.export", ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["thousands"] = lambda number: f"{number:,.0f}"
    return environment.get_template(template).render(
        preprocessing=preprocessing,
        classes=preprocessing.classes[:SHOWN_CLASSES],
        more_classes=len(preprocessing.classes) - SHOWN_CLASSES,
        version=__version__,
        **values,
    )
