"""The model card: what a net is, how good, how large, how it was checked, and its limits."""

from collections.abc import Mapping
from typing import Any

from spikernel import __version__
from spikernel.export import templates
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
    devices = [
        (weights, name, made)
        for weights, form in report["c"].items()
        for name, made in form["devices"].items()
    ]
    return templates.render(
        "model_card.md.j2",
        report=report,
        metrics=metrics,
        preprocessing=preprocessing,
        classes=preprocessing.classes[:SHOWN_CLASSES],
        more_classes=len(preprocessing.classes) - SHOWN_CLASSES,
        version=__version__,
        devices=devices,
        emulators=sorted({made["emulator"] for *_, made in devices if "emulator" in made}),
    )
