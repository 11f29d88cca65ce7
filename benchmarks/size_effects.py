"""What kernel sizes are worth in a table of trained cells: differences and fits, with intervals.

A frame has one line per training, as `kernel_cells.py` writes it. An interval is the 95 %
percentile interval over resampled units: skeletons, pairs or cells. Seeds are no units; they say
how exact one is.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rank_statistics import RESAMPLES, interval
from table_cells import large_first, skeleton_of

from spikernel.space.cell import Cell

ANCHOR = 3
"""Kernel size that the others are compared with."""
ACCURACY = "test_accuracy_percent"
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Finding:
    """One number that the table says."""

    question: str
    control: str
    part: str
    """Which cells: all, or those of a depth."""
    quantity: str
    value: float
    low: float
    high: float
    units: int
    """Skeletons, pairs or cells that it rests on."""

    def row(self) -> dict[str, Any]:
        """Return it as a line."""
        return asdict(self)


def with_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the lines with the skeleton of each cell and its sizes as a tuple of numbers."""
    skeletons = {name: skeleton_of(Cell.from_archid(name)) for name in frame["archid"].unique()}
    sizes = frame["kernel_sizes"].map(lambda text: tuple(map(int, text.split())))
    return frame.assign(skeleton=frame["archid"].map(skeletons), sizes=sizes)


def size_pairs(frame: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy of each skeleton with a size less that with 3x3, paired by seed.

    Args:
        frame: lines of `with_names` of one control; those of group `one_size` count.

    Returns:
        One line for each skeleton and size: skeleton, depth, size, difference in points.

    """
    same = frame[frame["group"] == "one_size"]
    same = same.assign(size=same["sizes"].map(lambda sizes: sizes[0]))
    return _pairs(same, "size", ANCHOR)


def order_pairs(frame: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy with large kernels first less that with small ones first, paired by seed.

    The lines are as those of `size_pairs`, from group `order`; `large_first` is true in all.
    """
    pairs = frame[frame["group"] == "order"]
    first = [large_first(Cell.from_archid(name)) for name in pairs["archid"]]
    return _pairs(pairs.assign(large_first=first), "large_first", False)


def _pairs(frame: pd.DataFrame, name: str, anchor: object) -> pd.DataFrame:
    keys = ["skeleton", "depth", "seed"]
    means = frame.pivot_table(index=keys, columns=name, values=ACCURACY)
    if anchor not in means.columns:
        return pd.DataFrame(columns=["skeleton", "depth", name, "difference"])
    differences = means.drop(columns=anchor).sub(means[anchor], axis=0)
    long = differences.melt(ignore_index=False, value_name="difference").reset_index()
    # The mean over seeds: a skeleton is one unit.
    grouped = long.dropna().groupby(["skeleton", "depth", name], as_index=False)
    return grouped[["difference"]].mean()


def size_differences(pairs: pd.DataFrame, control: str, seed: int) -> list[Finding]:
    """Return what each size has more than 3x3 where nothing but the size differs."""
    return [
        _mean(lines["difference"], "size alone", control, part, f"{size}x{size} less 3x3", seed)
        for part, chosen in parts_by_depth(pairs).items()
        for size, lines in chosen.groupby("size")
    ]


def order_differences(pairs: pd.DataFrame, control: str, seed: int) -> list[Finding]:
    """Return what large kernels first have more than the same kernels in the other order."""
    quantity = "large first less small first"
    return [
        _mean(chosen["difference"], "place in the cell", control, part, quantity, seed)
        for part, chosen in parts_by_depth(pairs).items()
        if len(chosen)
    ]


def parts_by_depth(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return all lines, and those of each depth, by name."""
    depths = sorted(frame["depth"].unique())
    return {
        "all": frame,
        **{f"depth {depth:g}": frame[frame["depth"] == depth] for depth in depths},
    }


def _mean(
    values: pd.Series, question: str, control: str, part: str, quantity: str, seed: int
) -> Finding:
    array = values.to_numpy(dtype=float)
    low, high = interval(len(array), lambda places: float(array[places].mean()), seed)
    return Finding(question, control, part, quantity, float(array.mean()), low, high, len(array))


def fitted_sizes(frame: pd.DataFrame, control: str, cost: str | None, seed: int) -> list[Finding]:
    """Return what cells gain when all convolutions have a size instead of 3x3, at equal cost.

    Least squares over the means of cells: accuracy = depth + convolutions + shares of the sizes +
    log cost + (log cost)^2. A share is the part of a cell's convolutions that have the size.

    Args:
        frame: lines of `with_names`, dense cells.
        control: its name, or `both`.
        cost: column that is held equal, such as synops; None: what the control holds equal.
        seed: of the intervals.

    """
    cells = frame.groupby(["archid", "control"], as_index=False).agg(
        {"depth": "first", "convolutions": "first", "sizes": "first", ACCURACY: "mean"}
        | ({cost: "mean"} if cost else {})
    )
    sizes = sorted({size for found in cells["sizes"] for size in found} - {ANCHOR})
    shares = [cells["sizes"].map(lambda all_, k=size: all_.count(k) / len(all_)) for size in sizes]
    columns = [*shares, *(cells["depth"] == depth for depth in sorted(cells["depth"].unique()))]
    columns.append(cells["convolutions"])
    if cost:
        logs = np.log(cells[cost].to_numpy(dtype=float))
        # Around the mean: the square would else be nearly the logarithm itself.
        columns += [logs - logs.mean(), (logs - logs.mean()) ** 2]
    design = np.column_stack([np.asarray(column, dtype=float) for column in columns])
    accuracy = cells[ACCURACY].to_numpy(dtype=float)
    if len(cells) <= design.shape[1]:
        return []
    # A cell under two controls is one unit.
    names, unit = np.unique(cells["archid"], return_inverse=True)
    lines_of = [np.flatnonzero(unit == place) for place in range(len(names))]

    def gains(places: NDArray[np.int64]) -> Values:
        lines = np.concatenate([lines_of[place] for place in places])
        return np.linalg.lstsq(design[lines], accuracy[lines], rcond=None)[0][: len(sizes)]

    values = gains(np.arange(len(names)))
    generator = np.random.default_rng(seed)
    drawn = [gains(generator.integers(len(names), size=len(names))) for _ in range(RESAMPLES)]
    lows, highs = np.percentile(drawn, [2.5, 97.5], axis=0)
    question = f"size at equal {cost or control.removeprefix('same_')}"
    return [
        Finding(
            question, control, "all", f"all {size}x{size} less all {ANCHOR}x{ANCHOR}",
            float(values[place]), float(lows[place]), float(highs[place]), len(names),
        )
        for place, size in enumerate(sizes)
    ]  # fmt: skip
