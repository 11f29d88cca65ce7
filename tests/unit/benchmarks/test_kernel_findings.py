"""Differences, fits and figures of small tables whose answers are known."""

import math
from pathlib import Path
from typing import Any

import kernel_findings
import pandas as pd
import pytest
from size_effects import (
    Finding,
    fitted_sizes,
    order_differences,
    order_pairs,
    size_differences,
    size_pairs,
    with_names,
)
from table_cells import dense_cells, depthwise_cells

from spikernel import tables

CHAIN, LONE = "K-zero-skip-zero-K-zero", "zero-zero-K-zero-zero-zero"


def line(archid: str, seed: int, accuracy: float, **more: Any) -> dict[str, Any]:
    sizes = [part.lstrip("kd") for part in archid.split("-") if part[1:].isdigit()]
    return {
        "group": "one_size", "control": "same_width", "archid": archid,
        "kernel_sizes": " ".join(sizes), "seed": seed, "depth": len(sizes),
        "convolutions": len(sizes), "test_accuracy_percent": accuracy, **more,
    }  # fmt: skip


def by_name(found: list[Finding]) -> dict[tuple[str, str], Finding]:
    return {(item.part, item.quantity): item for item in found}


def test_sizes_are_compared_on_one_skeleton_and_seed() -> None:
    frame = with_names(
        pd.DataFrame(
            [
                line(LONE.replace("K", "k3"), 0, 80.0), line(LONE.replace("K", "k3"), 1, 82.0),
                line(LONE.replace("K", "k5"), 0, 81.0), line(LONE.replace("K", "k5"), 1, 85.0),
                line(CHAIN.replace("K", "k3"), 0, 70.0), line(CHAIN.replace("K", "k5"), 0, 66.0),
                # Without the same seed in 3x3 it says nothing.
                line(CHAIN.replace("K", "k5"), 1, 10.0),
                line(CHAIN.replace("K", "k5"), 0, 0.0, group="random"),
            ]
        )
    )  # fmt: skip
    found = by_name(size_differences(size_pairs(frame), "same_width", 0))
    # Lone: +1 and +3, mean 2. Chain: -4.
    assert found["depth 1", "5x5 less 3x3"].value == pytest.approx(2.0)
    assert found["depth 2", "5x5 less 3x3"].value == pytest.approx(-4.0)
    both = found["all", "5x5 less 3x3"]
    assert (both.value, both.units) == (pytest.approx(-1.0), 2)
    # Two units, drawn twice: means are -4, -1 and 2.
    assert (both.low, both.high) == (pytest.approx(-4.0), pytest.approx(2.0))
    assert math.isnan(found["depth 1", "5x5 less 3x3"].low)


def test_orders_are_compared_on_the_same_kernels() -> None:
    small, large = "k3-zero-skip-zero-k7-zero", "k7-zero-skip-zero-k3-zero"
    frame = with_names(
        pd.DataFrame(
            [
                line(small, 0, 70.0, group="order"), line(small, 1, 72.0, group="order"),
                line(large, 0, 71.0, group="order"), line(large, 1, 74.0, group="order"),
            ]
        )
    )  # fmt: skip
    found = by_name(order_differences(order_pairs(frame), "same_width", 0))
    assert set(found) == {(part, "large first less small first") for part in ("all", "depth 2")}
    assert found["all", "large first less small first"].value == pytest.approx(1.5)


def test_nothing_to_compare_gives_no_finding() -> None:
    frame = with_names(pd.DataFrame([line(LONE.replace("K", "k5"), 0, 81.0)]))
    assert size_differences(size_pairs(frame), "same_width", 0) == []
    assert order_differences(order_pairs(frame), "same_width", 0) == []
    assert fitted_sizes(frame, "same_width", None, 0) == []


def known_table(control: str = "same_width") -> pd.DataFrame:
    """60 + 2 depth + 0.5 convolutions - 3, 1 and 4 for sizes 1, 5 and 7 + log of the cost."""
    worth, lines = {"1": -3.0, "3": 0.0, "5": 1.0, "7": 4.0}, []
    for place, item in enumerate([*dense_cells(), *depthwise_cells()]):
        depth, count = item.stratum
        sizes = list(map(str, item.cell.kernel_sizes()))
        synops = 1000.0 * (1 + place * 7 % 50)
        accuracy = 60 + 2 * depth + 0.5 * count + math.log(synops)
        accuracy += sum(worth[size] for size in sizes) / count
        trained = {
            "group": item.group, "control": control, "archid": item.cell.archid,
            "kernel_sizes": " ".join(sizes), "depth": depth, "convolutions": count, "channels": 8,
            "params": 1000 + place, "flop_per_image": 10**6, "synops": synops,
            "val_accuracy_percent": accuracy, "train_loss": 1.0, "seconds": 10.0 + place,
            "images_per_second": 5.0, "device": "cpu: none",
        }  # fmt: skip
        lines += [
            {**trained, "seed": seed, "test_accuracy_percent": accuracy + seed} for seed in (0, 1)
        ]
    return pd.DataFrame(lines)


def test_the_fit_finds_what_sizes_are_worth() -> None:
    frame = with_names(known_table())
    found = fitted_sizes(frame[frame["group"] != "depthwise"], "both", "synops", 0)
    values = {item.quantity: item for item in found}
    expected = {"all 1x1 less all 3x3": -3.0, "all 5x5 less all 3x3": 1.0,
                "all 7x7 less all 3x3": 4.0}  # fmt: skip
    assert {name: item.value for name, item in values.items()} == pytest.approx(expected)
    assert all(item.low <= item.value + 1e-6 and item.high >= item.value - 1e-6 for item in found)
    assert {item.units for item in found} == {124}


def test_findings_and_figures_of_a_table(tmp_path: Path) -> None:
    table, findings = tmp_path / "cells.csv", tmp_path / "out" / "findings.csv"
    lines = pd.concat([known_table(), known_table("same_parameters")])
    tables.write_csv(table, lines.to_dict("records"))
    kernel_findings.main(table, findings)
    found = pd.read_csv(findings).set_index(["question", "control", "part", "quantity"])["value"]
    # Seed 1 is one point above seed 0 everywhere: sd = 1 / sqrt(2).
    assert found["table", "same_width", "dense", "tau of two seeds"] == pytest.approx(1.0)
    assert found["table", "same_width", "all", "sd between seeds"] == pytest.approx(1 / 2**0.5)
    assert "size at equal step_ms_per_image" not in found.index
    assert ("size at equal parameters", "same_parameters", "all", "all 7x7 less all 3x3") in found
    pictures = [tmp_path / "out" / f"cells-{name}.svg" for name in ("sizes", "costs")]
    first = [path.read_bytes() for path in pictures]
    kernel_findings.main(table, findings)
    assert [path.read_bytes() for path in pictures] == first
    assert b"Same parameters" in first[0]
    times = tmp_path / "times.csv"
    timed = lines.drop_duplicates(["control", "archid"])
    timed = timed[["control", "archid", "synops"]].rename(columns={"synops": "step_ms_per_image"})
    # Where steps take as long as there are operations, both fits are one.
    tables.write_csv(times, timed.to_dict("records"))
    kernel_findings.main(table, findings, times=times)
    found = pd.read_csv(findings).set_index(["question", "quantity"])["value"]
    for name in ("all 1x1 less all 3x3", "all 5x5 less all 3x3", "all 7x7 less all 3x3"):
        at_times = found["size at equal step_ms_per_image", name]
        assert at_times == pytest.approx(found["size at equal synops", name])
    assert b"ms per image" in pictures[1].read_bytes()


def test_a_table_that_has_one_depth_so_far_is_drawn() -> None:
    table = known_table()
    pairs = size_pairs(with_names(table[table["depth"] == 2]))
    figure = kernel_findings.sizes_figure({"same_width": pairs}, 0)
    assert {text.get_text() for text in figure.axes[0].get_legend().get_texts()} == {"2"}
