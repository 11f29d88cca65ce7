"""Say what a table of trained cells over kernel sizes says: one CSV of findings, and figures.

Questions, each with the 95 % interval over resampled skeletons, pairs or cells:

* `table`: median accuracy, how well one seed orders the cells as the other does, and the standard
  deviation between seeds. Where these are poor, nothing below means anything.
* `size alone`: one skeleton, all convolutions of one size, against the same in 3x3; over all
  skeletons and by depth, under each control.
* `place in the cell`: large kernels first against the same kernels in the other order.
* `size at equal ...`: a least-squares fit over all dense cells, see `size_effects.fitted_sizes`, at
  equal width, parameters, synaptic operations and, where `cell_seconds.py` has timed the nets, time
  of a training step.

Differences are in points of test accuracy. How well scores order the table is measured by
`proxy_validation.py`. Nothing is trained here; of an unfinished table what there is is read.
"""

import itertools
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import common  # noqa: F401  (puts the library on the path)
import numpy as np
import pandas as pd
import seaborn as sns
from kernel_table import MORE, TEXT
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from paired import NUMBERS
from rank_statistics import Scores, bootstrap, interval, tau_b
from size_effects import (
    ACCURACY,
    Finding,
    fitted_sizes,
    order_differences,
    order_pairs,
    size_differences,
    size_pairs,
    with_names,
)

from spikernel import artifacts, cli, tables
from spikernel.report.charts import style

TIME = "step_ms_per_image"
AXES = {
    "params": "Parameters",
    "synops": "Synaptic operations per image",
    TIME: "Training step, ms per image",
}
COSTS = ("synops", TIME)
"""What a fit holds equal; parameters are held by a control."""
KEY = ("control", "archid")
"""What a net of the table is known by."""
MIXED = "several sizes"
CONTROLS = {"same_width": "same width", "same_parameters": "same parameters"}


def main(
    table: Annotated[Path, "the CSV of kernel_cells.py"],
    findings: Annotated[Path, "CSV to write"],
    figures: Annotated[Path | None, "folder of the figures; default: that of the findings"] = None,
    times: Annotated[Path | None, "the CSV of cell_seconds.py"] = None,
    seed: Annotated[int, "of the intervals"] = 0,
) -> None:
    """Write the findings and the figures, and print the findings."""
    frame = with_names(tables.read_csv(table, text=TEXT, numbers=(*NUMBERS, *MORE)))
    if times is not None:
        timed = tables.read_csv(times, text=KEY, numbers=(TIME,))
        frame = frame.merge(timed, on=list(KEY))
    found = [finding.row() for finding in all_findings(frame, seed)]
    tables.write_csv(findings, found)
    print(pd.DataFrame(found).to_string(index=False, float_format="{:.2f}".format))
    folder = findings.parent if figures is None else figures
    for name, figure in drawn(frame, seed):
        path = folder / f"{table.stem}-{name}.svg"
        with style.theme(), artifacts.atomic(path) as temporary:
            figure.savefig(temporary, **style.FORMATS["svg"])
        plt.close(figure)
        print(path)


def all_findings(frame: pd.DataFrame, seed: int) -> Iterator[Finding]:
    """Yield every finding of a table."""
    dense = frame[frame["group"] != "depthwise"]
    for control, lines in by_control(frame):
        yield from quality(lines, control, seed)
    for control, lines in by_control(dense):
        yield from size_differences(size_pairs(lines), control, seed)
        yield from order_differences(order_pairs(lines), control, seed)
        yield from fitted_sizes(lines, control, None, seed)
    for cost in COSTS:
        if cost in dense:
            yield from fitted_sizes(dense, "both", cost, seed)


def by_control(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the controls that there are, with their lines."""
    for control in CONTROLS:
        lines = frame[frame["control"] == control]
        if len(lines):
            yield control, lines


def quality(frame: pd.DataFrame, control: str, seed: int) -> Iterator[Finding]:
    """Yield how good a table is: of all cells, and of the dense ones where there are others."""
    parts = {"all": frame}
    if (frame["group"] == "depthwise").any():
        parts["dense"] = frame[frame["group"] != "depthwise"]
    for part, lines in parts.items():
        by_seed = lines.pivot_table(index="archid", columns="seed", values=ACCURACY)
        means = by_seed.mean(axis=1).to_numpy()
        low, high = interval(len(means), partial(_median, means), seed)
        median = float(np.median(means))
        yield Finding("table", control, part, "median accuracy", median, low, high, len(means))
        twice = by_seed.iloc[:, :2].dropna().to_numpy()
        if twice.shape[1] == 2 and len(twice) > 1:
            first, second = twice.T
            between = (first - second) ** 2 / 2
            tau = tau_b(first, second), *bootstrap(first, second, seed)
            yield Finding("table", control, part, "tau of two seeds", *tau, len(twice))
            low, high = interval(len(twice), partial(_root_mean, between), seed)
            sd = float(between.mean() ** 0.5)
            yield Finding("table", control, part, "sd between seeds", sd, low, high, len(twice))


def _median(values: Scores, places: NDArray[np.int64]) -> float:
    return float(np.median(values[places]))


def _root_mean(squares: Scores, places: NDArray[np.int64]) -> float:
    return float(squares[places].mean() ** 0.5)


def drawn(frame: pd.DataFrame, seed: int) -> Iterator[tuple[str, Figure]]:
    """Yield the figures that the table has lines for, by name."""
    dense = frame[frame["group"] != "depthwise"]
    pairs = {control: size_pairs(lines) for control, lines in by_control(dense)}
    pairs = {control: lines for control, lines in pairs.items() if len(lines)}
    if pairs:
        yield "sizes", sizes_figure(pairs, seed)
    if len(dense):
        yield "costs", costs_figure(dense)


def sizes_figure(pairs: dict[str, pd.DataFrame], seed: int) -> Figure:
    """Draw what each size has more than 3x3, by depth, one panel per control."""
    with style.theme():
        figure, grid = plt.subplots(
            1, len(pairs), figsize=(4.4 * len(pairs), 3.6), sharey=True, squeeze=False,
            layout="constrained",
        )  # fmt: skip
        # Whole numbers: the legend would else name depth 1.0.
        depths = sorted({int(depth) for lines in pairs.values() for depth in lines["depth"]})
        for (control, lines), axes in zip(pairs.items(), grid[0], strict=True):
            axes.axhline(0, color=style.MUTED, linewidth=1)
            sns.pointplot(
                lines.astype({"depth": int}), x="size", y="difference", hue="depth", ax=axes,
                errorbar=("ci", 95), seed=seed, linestyle="none", hue_order=depths,
                dodge=0.4 if len(depths) > 1 else False,
                palette=list(style.COLOURS[: len(depths)]),
                markers=list(style.MARKERS[: len(depths)]),
            )  # fmt: skip
            axes.set(
                title=CONTROLS[control].capitalize(), xlabel="Kernel size",
                ylabel="Test accuracy less that of 3x3, in points",
            )  # fmt: skip
            axes.legend(title="Depth")
    return figure


def costs_figure(frame: pd.DataFrame) -> Figure:
    """Draw accuracy against each cost, a point per cell, one row of panels per control."""
    costs = [cost for cost in AXES if cost in frame]
    cells = frame.groupby(list(KEY), as_index=False).agg(
        {"sizes": "first", ACCURACY: "mean"} | dict.fromkeys(costs, "mean")
    )
    names = {size: f"{size}x{size}" for size in sorted(set().union(*cells["sizes"]))}
    looks = {**style.looks(list(names.values())), MIXED: (style.MUTED, "o")}
    cells["kernels"] = [
        names[sizes[0]] if len(set(sizes)) == 1 else MIXED for sizes in cells["sizes"]
    ]
    controls = dict(by_control(cells))
    with style.theme():
        figure, grid = plt.subplots(
            len(controls), len(costs), figsize=(3.6 * len(costs), 3.2 * len(controls)), sharey=True,
            squeeze=False, layout="constrained",
        )  # fmt: skip
        for (control, cost), axes in zip(
            itertools.product(controls, costs), grid.flat, strict=True
        ):
            # Cells of one size are drawn last, so that the others do not hide them.
            lines = controls[control].sort_values("kernels", key=lambda names: names != MIXED)
            sns.scatterplot(
                lines, x=cost, y=ACCURACY, hue="kernels", style="kernels", ax=axes, s=36,
                hue_order=list(looks), style_order=list(looks),
                palette={name: look[0] for name, look in looks.items()},
                markers={name: look[1] for name, look in looks.items()}, legend=False,
            )  # fmt: skip
            style.log_axis(axes, lines[cost].min(), lines[cost].max())
            axes.set(title=CONTROLS[control].capitalize(), xlabel=AXES[cost])
            axes.set_ylabel("Test accuracy in %")
        handles = [
            Line2D([], [], linestyle="", color=colour, marker=marker, label=name)
            for name, (colour, marker) in looks.items()
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


if __name__ == "__main__":
    cli.run(main)
