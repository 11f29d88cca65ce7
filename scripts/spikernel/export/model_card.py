"""Model cards: what a net is, how good, how large, how it was checked, and its limits."""

from collections.abc import Mapping
from typing import Any

from spikernel import __version__
from spikernel.export import templates
from spikernel.inference.released import Preprocessing
from spikernel.space.architecture import ImageShape

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
    devices = [
        (weights, name, made)
        for weights, form in report["c"].items()
        for name, made in form["devices"].items()
    ]
    return _render(
        "model_card.md.j2",
        preprocessing,
        report=report,
        metrics=metrics,
        limits=_limits(report["chosen_for"] or {}),
        devices=devices,
        emulators=sorted({made["emulator"] for *_, made in devices if "emulator" in made}),
    )


def render_release(
    name: str,
    metrics: Mapping[str, Any],
    made: Mapping[str, Any],
    preprocessing: Preprocessing,
    image: ImageShape,
) -> str:
    """Return the card of a released net as Markdown.

    Args:
        name: of its folder.
        metrics: what its `metrics.json` holds.
        made: what `provenance.json` of its training holds.
        preprocessing: normalisation and class names.
        image: what the net reads.

    """
    known = {key: made["settings"][key] for key in ("network", "training")}
    known |= {key: made[key] for key in ("code", "finished")}
    known |= {"name": name, "metrics": metrics, "image": image}
    return _render("release_card.md.j2", preprocessing, **known)


def _render(template: str, preprocessing: Preprocessing, **values: Any) -> str:
    return templates.render(
        template,
        preprocessing=preprocessing,
        classes=preprocessing.classes[:SHOWN_CLASSES],
        more_classes=len(preprocessing.classes) - SHOWN_CLASSES,
        version=__version__,
        **values,
    )


def _limits(budget: Mapping[str, Any]) -> list[str]:
    """Return the memory limits that a model was chosen for, in words."""
    found = []
    if budget.get("budget_mb") is not None:
        found.append(f"{budget['budget_mb']:g} MB of {budget['precision']} weights")
    if budget.get("ram_kb") is not None:
        found.append(f"{budget['ram_kb']:g} kB of static RAM")
    return found
