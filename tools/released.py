"""The table of the released nets that README.md shows, from models/*/metrics.json."""

from pathlib import Path

from spikernel import artifacts
from spikernel.report.tables import markdown
from spikernel.report.tables.table import Column, accuracy, count, table

FOLDER = "models"
COLUMNS = (
    Column("net", "name", lambda name: f"[{name}]({FOLDER}/{name}/MODEL_CARD.md)"),
    Column("data set", "dataset"),
    Column("architecture", "archid", kind="code"),
    Column("channels", "stage_channels", lambda channels: "/".join(map(str, channels))),
    Column("parameters", "params", count, "number"),
    Column("weights", "precision"),
    Column("file kB", "bytes", lambda value: f"{value / 1000:.0f}", "number"),
    Column("steps", "binary_steps", str, "number"),
    Column("test %", "test_accuracy_percent", accuracy, "number"),
)


def block(project: Path) -> str:
    """Return the nets that lie in `models/`, those of a data set together, small ones first.

    Raises:
        SpikernelError: a record of a net cannot be read.

    """
    keys = [column.key for column in COLUMNS if column.key != "name"]
    found = [
        {"name": path.parent.name, **artifacts.read_object(path, *keys)}
        for path in (project / FOLDER).glob("*/metrics.json")
    ]
    if not found:
        return "No net is released yet."
    found.sort(key=lambda metrics: (metrics["dataset"], metrics["bytes"]))
    return markdown.render(table("Released nets", COLUMNS, found)).rstrip()
