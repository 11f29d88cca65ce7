"""The best model for each memory budget."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from spikernel import tables
from spikernel.config import ReportConfig
from spikernel.report.tables import comparisons, formats, models

COLUMNS = (
    "dataset",
    "budget_mb",
    "precision",
    "fits",
    "kernel_set",
    "kernel_sizes",
    "rank",
    "width",
    "archid",
    "seeds",
    "params",
    "memory_mb",
    *(f"val_accuracy_percent_{part}" for part in ("mean", "sd", "low", "high")),
    *(f"test_accuracy_percent_{part}" for part in ("mean", "sd", "low", "high")),
    *("val_images", "test_images", "chance_percent", "not_told_apart", "other_models"),
    "smallest_memory_mb",
)
"""Columns of selection.csv; those of the model are empty where `fits` is false. Of the
`other_models` of the data set, `not_told_apart` are as good as the test images can say."""

_COUNTS = ("rank", "seeds", "params", "val_images", "test_images")
_RIVALS = ("not_told_apart", "other_models")
_TEXT = ("dataset", "precision", "kernel_set", "kernel_sizes", "archid")


def select(means: pd.DataFrame, budgets_mb: Sequence[float], precision: str) -> pd.DataFrame:
    """Choose one model per data set and memory budget.

    The choice is the first by `preference` among the models whose memory at `precision` is within
    the budget, by validation accuracy (mean over seeds). The test accuracy is reported and plays no
    part, so it is an unbiased estimate for the chosen model.

    Args:
        means: one row per model, from `spikernel.report.tables.models.over_seeds`.
        budgets_mb: memory budgets in MB (10^6 bytes).
        precision: what the budgets limit, `fp32`, `fp16`, `int8`, `flash` or `ram`.

    Returns:
        One row per data set and budget in rising order. Where no model fits, `fits` is false
        and `smallest_memory_mb` says what the smallest model would need.

    """
    means = models.at_precision(means, precision).assign(precision=precision)
    rows = []
    for _, rivals in means.groupby("dataset"):
        for budget in sorted(budgets_mb):
            place = _best(rivals, budget)
            fits = place is not None
            row = rivals.iloc[0][["dataset", "precision"]] if place is None else rivals.loc[place]
            rows.append(
                {
                    **row.to_dict(),
                    "budget_mb": budget,
                    "fits": fits,
                    "smallest_memory_mb": rivals["memory_mb"].min(),
                }
            )
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS))
    # Without this, counts would turn into 1.0 beside the empty cells of a budget nobody meets.
    return table.astype(dict.fromkeys((*_COUNTS, *_RIVALS), "Int64"))


def for_devices(
    means: pd.DataFrame, settings: ReportConfig, compared: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Choose one int8 model per data set and size of flash, and one per size of RAM; see `select`.

    Sizes beyond the first that holds every model of a data set are left out.

    Args:
        means: one row per model, from `spikernel.report.tables.models.over_seeds`.
        settings: the sizes.
        compared: from `spikernel.report.tables.comparisons`.

    Returns:
        The rows for each of `flash` and `ram` that is known of all models, and has sizes.

    """
    sizes_kb = {formats.FLASH: settings.flash_budgets_kb, formats.RAM: settings.ram_budgets_kb}
    return {
        limit: _for_device(means, limit, sizes_kb[limit], compared)
        for limit in formats.on_device(means)
        if sizes_kb[limit]
    }


def _for_device(
    means: pd.DataFrame, limit: str, sizes_kb: Sequence[float], compared: pd.DataFrame
) -> pd.DataFrame:
    chosen = select(means, [size / 1000 for size in sizes_kb], limit)
    largest = formats.memory_mb(means, limit).groupby(means["dataset"]).max()
    holds_all = chosen["budget_mb"] >= chosen["dataset"].map(largest)
    before = holds_all.astype(int).groupby(chosen["dataset"]).cumsum() <= 1
    return with_rivals(chosen[before].reset_index(drop=True), means, compared)


def with_rivals(
    selected: pd.DataFrame, means: pd.DataFrame, compared: pd.DataFrame
) -> pd.DataFrame:
    """Say how many models of its data set each chosen one is not told apart from.

    Args:
        selected: rows of `select`.
        means: the models that they were chosen from.
        compared: from `spikernel.report.tables.comparisons`.

    """
    rows = tables.records(selected)
    for row in rows:
        alike = comparisons.alike(compared, models.accuracies_of(means, row["precision"]))
        rivals = row["fits"] and alike.get((row["dataset"], comparisons.model_of(row)))
        if rivals or rivals == []:
            others = int((means["dataset"] == row["dataset"]).sum()) - 1
            row.update(zip(_RIVALS, (len(rivals), others), strict=True))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype(dict.fromkeys((*_COUNTS, *_RIVALS), "Int64"))


def _best(rivals: pd.DataFrame, budget_mb: float) -> int | None:
    """Return the label of the row to choose among the models of one data set, if any fits."""
    fitting = _by_preference(rivals[rivals["memory_mb"] <= budget_mb])
    return int(fitting.index[0]) if len(fitting) else None


def preference(
    accuracy_percent: float, size: float, archid: str, kernel_set: str, rank: int, width: float
) -> tuple[float, float, str, str, int, float]:
    """Return what models are sorted by, the one that a budget gets first.

    It is the most accurate one, of equals the smaller, then the first by architecture id, kernel
    set, rank and width.

    Args:
        accuracy_percent: validation accuracy, mean over seeds.
        size: what the budget limits, in any unit.
        archid: of the cell.
        kernel_set: its name.
        rank: in its search.
        width: as a multiple of `network/channels`.

    """
    return (-round(accuracy_percent, models.DIGITS), size, archid, kernel_set, rank, width)


_PREFERENCE = [
    *("val_accuracy_percent_mean", "memory_mb", "archid", "kernel_set", "rank", "width"),
]  # fmt: skip
"""Columns of the arguments of `preference`."""


def _by_preference(rivals: pd.DataFrame) -> pd.DataFrame:
    keys = [preference(*row) for row in rivals[_PREFERENCE].itertuples(index=False)]
    return rivals.iloc[sorted(range(len(keys)), key=keys.__getitem__)]


def preferred(means: pd.DataFrame, precision: str) -> dict[str, list[int]]:
    """Return the labels of the rows of `means` by data set; the first that fits is chosen.

    Args:
        means: one row per model, from `spikernel.report.tables.models.over_seeds`.
        precision: what the budgets limit, as in `select`.

    """
    rows = models.at_precision(means, precision).groupby("dataset")
    return {str(dataset): [*map(int, _by_preference(part).index)] for dataset, part in rows}


def to_csv(table: pd.DataFrame) -> str:
    """Return the text of selection.csv."""
    return tables.to_csv(table, booleans=("fits",))


def read(path: Path) -> pd.DataFrame:
    """Read selection.csv.

    Raises:
        TableError: the file cannot be read, a column is missing, or a cell does not fit.

    """
    always = ("budget_mb", "smallest_memory_mb")
    optional = tuple(name for name in COLUMNS if name not in (*_TEXT, *always, "fits"))
    return tables.read_csv(
        path, text=_TEXT, numbers=always, optional_numbers=optional, booleans=("fits",)
    )
