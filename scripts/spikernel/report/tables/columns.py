"""The columns of models.csv. This list feeds the file, the page, Markdown and LaTeX.

A new column is one line here. Where it is optional, runs that were stored without it still read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, Literal

import pandas as pd

from spikernel.report.tables.records import Deployment, Metrics, Search
from spikernel.report.tables.table import (
    Column,
    Row,
    accuracy,
    count,
    duration,
    interval,
    millions,
    significant,
    sizes,
    thousands,
)


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The records that hold the values of one model and seed."""

    metrics: Metrics
    search: Search
    deployment: Deployment

    @property
    def finalist_epochs(self) -> int | None:
        """Epochs of the trainings that the rank rests on; None: on the score."""
        found = self.search.finalist(self.metrics.rank)
        return None if found is None else found.finalist_epochs

    @property
    def score_rank(self) -> int | None:
        """The place by score of a cell that is ranked otherwise."""
        found = self.search.finalist(self.metrics.rank)
        return None if found is None else found.score_rank


OverSeeds = Literal["key", "shared", "mean", "mean_sd", "count", "anew", "apart"]
"""What becomes of a column in the table with one row per model: its values name the model, are
equal for all seeds, are averaged (shown without or with the standard deviation), are counted, are
worked out anew from the means, or are left out."""


@dataclass(frozen=True)
class ModelColumn:
    """A column of models.csv."""

    name: str
    """Its name in the file."""
    over_seeds: OverSeeds
    title: str = ""
    """Heading for readers; empty: only the file has the column."""
    unit: str = ""
    text: Callable[..., str] = str
    """How a value is written; of `mean_sd`, the mean and the standard deviation."""
    source: str = "metrics"
    """Record of `Sources` that has the value under the column's name, or the place of the value
    in it after a dot; empty where `Sources` itself has it; `table` where it follows from all rows
    together."""
    kind: Literal["text", "number", "code", "flag"] = "number"
    upper: str = ""
    """Name of the column that holds the upper end of a range that begins here."""
    optional: bool = False
    """The numbers may be missing: in a cell, or as a whole column of a file."""
    usual: Any = None
    """Value that is there where a file lacks the column; readers do not see it in all rows."""
    brief: bool = False
    """The tables in Markdown and LaTeX have the column, too."""

    def value(self, sources: Sources) -> Any:
        """Return the value of one model and seed."""
        of_record = self.source and "." not in self.source
        place = f"{self.source}.{self.name}" if of_record else self.source or self.name
        return attrgetter(place)(sources)

    @property
    def keys(self) -> list[str]:
        """Names of the values that a cell shows, in the table with one row per model."""
        mean, sd = f"{self.name}_mean", f"{self.name}_sd"
        known = {"mean": [mean], "mean_sd": [mean, sd], "count": ["seeds"]}
        return known.get(self.over_seeds, [self.name, *([self.upper] if self.upper else [])])

    def shown(self) -> Column:
        """Return the column for readers of a table with one row per model."""
        kind = "text" if self.kind == "flag" else self.kind
        heading = f"{self.title} {self.unit}".rstrip()
        return Column(heading, "", self._cell, kind, by=self.keys[0])

    def _cell(self, row: Row) -> str:
        return "–" if pd.isna(row[self.keys[0]]) else self.text(*(row[key] for key in self.keys))


def _dot(flag: bool) -> str:
    return "●" if flag else ""


def _whole(number: float) -> str:
    return f"{number:.0f}"


def _rate(share: float) -> str:
    return f"{share:.3f}"


_deployed = partial(ModelColumn, source="deployment", optional=True)
_ranked = partial(ModelColumn, over_seeds="shared", text=_whole, source="", optional=True)


def _interval(accuracy: str, title: str = "", *, brief: bool = False) -> tuple[ModelColumn, ...]:
    low, high = f"{accuracy}_low", f"{accuracy}_high"
    part = partial(ModelColumn, over_seeds="anew", source="table", optional=True)
    first = part(low, title=title, text=interval, upper=high, brief=brief)
    return first, part(high)


ACCURACIES = {
    "test_accuracy_percent": "test_images",
    "val_accuracy_percent": "val_images",
    "int8_test_accuracy_percent": "test_images",
    "int8_val_accuracy_percent": "val_images",
}
"""Every accuracy, and the column that says how many images are behind it."""

MODELS = (
    ModelColumn("dataset", "key", "data set", kind="text", brief=True),
    ModelColumn("kernel_set", "key", "kernel set", kind="text", brief=True),
    ModelColumn("kernel_sizes", "shared", "sizes", "", sizes, "metrics.sizes", kind="text"),
    ModelColumn("rank", "key", "rank", brief=True),
    ModelColumn("width", "key", "width", "", "{:g}".format, optional=True, usual=1.0, brief=True),
    ModelColumn("channels", "shared", "channels", "", count, optional=True),
    ModelColumn("archid", "key", "architecture", kind="code", brief=True),
    _ranked("finalist_epochs", title="ranked after", unit="epochs", brief=True),
    _ranked("score_rank", title="rank by score"),
    ModelColumn("pareto", "shared", "front", "", _dot, "table", kind="flag", brief=True),
    ModelColumn("test_accuracy_percent", "mean_sd", "test", "%", accuracy, brief=True),
    *_interval("test_accuracy_percent", "95 % interval", brief=True),
    _deployed("test_images", "shared", "test images", "", count, brief=True),
    ModelColumn("val_accuracy_percent", "mean_sd", "validation", "%", accuracy, brief=True),
    *_interval("val_accuracy_percent"),
    _deployed("val_images", "shared"),
    ModelColumn("chance_percent", "shared", source="table", optional=True),
    ModelColumn("seed", "count", "seeds", "", count, brief=True),
    ModelColumn("params", "shared", "parameters", "", count, brief=True),
    ModelColumn("memory_mb_fp32", "shared", "fp32", "MB", significant, brief=True),
    ModelColumn("memory_mb_fp16", "shared", "fp16", "MB", significant, brief=True),
    ModelColumn("memory_mb_int8", "shared", "int8", "MB", significant, brief=True),
    ModelColumn("firing_rate", "mean", "firing rate", "", _rate, brief=True),
    ModelColumn("effective_acs", "mean", "ACs", "M", millions),
    ModelColumn("effective_macs", "mean", "MACs", "M", millions),
    ModelColumn("energy_pj", "mean", "energy", "µJ", millions, brief=True),
    ModelColumn("search_seconds", "shared", source="search.seconds", optional=True),
    ModelColumn("train_seconds", "mean", "training", "", duration, optional=True),
    ModelColumn("time_steps", "shared", "T"),
    ModelColumn("binary_steps", "shared", optional=True),
    ModelColumn("epochs", "apart"),
    ModelColumn("device", "apart", kind="text"),
    ModelColumn("dense_synops", "mean"),
    _deployed("int8_val_accuracy_percent", "mean_sd", "validation int8", "%", accuracy),
    *_interval("int8_val_accuracy_percent"),
    _deployed("int8_test_accuracy_percent", "mean_sd", "test int8", "%", accuracy),
    *_interval("int8_test_accuracy_percent"),
    _deployed("fp32_bytes", "mean"),
    _deployed("int8_bytes", "mean", "int8 flash", "kB", thousands),
    _deployed("activation_bytes", "mean"),
    _deployed("ram_bytes", "mean", "int8 RAM", "kB", thousands),
)
"""Every column, in the order in which readers see them."""

FIRST = (
    *("dataset", "kernel_set", "rank", "archid", "seed", "params", "memory_mb_fp32"),
    *("memory_mb_int8", "val_accuracy_percent", "test_accuracy_percent", "firing_rate"),
    *("search_seconds", "train_seconds", "pareto"),
)
"""The first columns of the file, which stay where they are; the others follow as listed."""

FILE = (*FIRST, *(column.name for column in MODELS if column.name not in FIRST))
"""Names of all columns in the order of the file."""

OPTIONAL = tuple(column.name for column in MODELS if column.optional)
"""Names of the columns of numbers that may be empty."""


def over_seeds(*roles: OverSeeds) -> list[str]:
    """Return the names of the columns to which this happens in a table with one row per model."""
    return [column.name for column in MODELS if column.over_seeds in roles]


def there(column: ModelColumn, means: pd.DataFrame) -> bool:
    """Whether a table with one row per model has any value of a column."""
    values = means[column.keys[0]]
    return not (column.optional and bool((values.isna() | (values == column.usual)).all()))


def shown(*names: str) -> tuple[Column, ...]:
    """Return columns for readers, in this order."""
    by_name = {column.name: column for column in MODELS}
    return tuple(by_name[name].shown() for name in names)
