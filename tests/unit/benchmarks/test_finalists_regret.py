"""What a search with finalists chooses from a table of four cells, by hand."""

import json
from pathlib import Path

import finalists_figure
import finalists_regret
import numpy as np
import pytest
from rank_statistics import Scores
from score_values import PREDICTED, structural
from table_sets import comparable, possible_sets, within
from trained_cells import Table, read_table

from spikernel.config import NetworkConfig
from spikernel.errors import ConfigError
from spikernel.report.charts import style

CELLS = {
    # Depth 3, 2 and 1 in 3x3, and one 1x1: in this order by `rising_path`.
    "k3-zero-skip-k3-zero-k3": (70, 72),
    "k3-zero-skip-zero-k3-zero": (80, 78),
    "zero-zero-k3-zero-zero-zero": (75, 90),
    "zero-zero-k1-zero-zero-zero": (60, 62),
}


def table_of(folder: Path, cells: dict[str, tuple[int, ...]]) -> Path:
    path = folder / "cells.csv"
    lines = [
        f"random,same_width,{name},{seed},8,30,{accuracy + 1},{accuracy}\n"
        for name, found in cells.items()
        for seed, accuracy in enumerate(found)
    ]
    path.write_text(
        "group,control,archid,seed,channels,params,val_accuracy_percent,test_accuracy_percent\n"
        + "".join(lines)
    )
    network = NetworkConfig(macro="compact", channels=8).model_dump(mode="json")
    path.with_suffix(".json").write_text(json.dumps({"network": network}))
    return path


def test_choices_are_judged_by_the_other_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = table_of(tmp_path, CELLS)
    finalists_regret.main(path, finalists=[1, 2, 4], beside=0, draws=1)
    record = json.loads(capsys.readouterr().out.splitlines()[-1])
    found = {name: ways["{1, 3}"] for name, ways in record.items() if isinstance(ways, dict)}
    # Seed 1 judges with 90 as the best, seed 0 with 80.
    # The score takes depth 3: 90 - 72 and 80 - 70; two of four are better in both.
    assert found["rising_path"] == {"trainings": 0, "regret": 14.0, "beaten_by": 50.0}
    one, two = (found[f"rising_path, {count} finalists and 0"] for count in (1, 2))
    assert one == {"trainings": 1, "regret": 14.0, "beaten_by": 50.0}
    # Either seed takes depth 2 of the two: 90 - 78, one is better; 80 - 80, none is.
    assert two == {"trainings": 2, "regret": 6.0, "beaten_by": 12.5}
    # Of all, seed 0 takes depth 2: 90 - 78. Seed 1 takes depth 1: 80 - 75. One is better in both.
    assert found["(all trained)"] == {"trainings": 4, "regret": 8.5, "beaten_by": 25.0}
    # The mean of both takes depth 1, which seed 1 finds best and seed 0 second: 80 - 75.
    bound = found["(all trained), both seeds"]
    assert bound == {"trainings": 4, "regret": 2.5, "beaten_by": 12.5}
    assert found["rising_path, 4 finalists and 0, both seeds"] == bound
    # 90 - 75.5 and 80 - 71.25; on average one and a half of four are better.
    assert found["(random pick)"] == {"trainings": 0, "regret": 11.625, "beaten_by": 37.5}


def test_where_there_is_one_seed_the_validation_images_choose(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = table_of(tmp_path, {name: found[:1] for name, found in CELLS.items()})
    # Depth 1 has the best validation accuracy, depth 2 the best test accuracy, 80 to 75.
    path.write_text(path.read_text().replace(",76,75\n", ",90,75\n"))
    finalists_regret.main(path, finalists=[1, 3], beside=0, draws=1, seeds=1)
    record = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert record["rising_path"]["{1, 3}"] == {"trainings": 0, "regret": 10.0, "beaten_by": 50.0}
    chosen = record["rising_path, 3 finalists and 0"]["{1, 3}"]
    assert chosen == {"trainings": 3, "regret": 5.0, "beaten_by": 25.0}
    assert record["(all trained)"]["{1, 3}"]["regret"] == 5.0


def test_finalists_beside_the_best_are_trained_too(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    finalists_regret.main(table_of(tmp_path, CELLS), finalists=[1], beside=3)
    record = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert record["rising_path, 1 finalists and 3"] == record["(all trained)"]


def test_only_dense_cells_of_two_seeds_are_compared(tmp_path: Path) -> None:
    cells = {
        **CELLS,
        "zero-zero-k5-zero-zero-zero": (50,),
        "zero-zero-d3-zero-zero-zero": (50, 51),
        "k3-zero-skip-zero-k7-zero": (50, 51),
    }
    rows = comparable(read_table(table_of(tmp_path, cells)).rows)
    assert {row.cell.archid for row in rows} == {*CELLS, "k3-zero-skip-zero-k7-zero"}
    assert sum(within(row, (1, 3)) for row in rows) == 4
    assert [row.cell.archid for row in rows if within(row, (3, 7))] == sorted(
        name for name in cells if name[:2] == "k3" or "-k3-" in name
    )
    assert possible_sets([7, 3, 1]) == [(1, 3), (1, 7), (3, 7), (1, 3, 7)]


def test_a_table_of_one_size_has_no_sets(tmp_path: Path) -> None:
    cells = {name: found for name, found in CELLS.items() if "k3" in name}
    with pytest.raises(ConfigError, match="no two kernel sizes have dense cells of 2 seeds"):
        finalists_regret.main(table_of(tmp_path, cells))


def test_the_figure_marks_the_choice_of_the_first_seed(tmp_path: Path) -> None:
    table = read_table(table_of(tmp_path, CELLS))
    with style.theme():
        figure = finalists_figure.drawn(
            finalists_figure.play(table, "rising_path", finalists=2, beside=0), "rising_path"
        )
    marked = {marks.get_label(): marks.get_offsets() for marks in figure.axes[0].collections}
    assert {label: len(places) for label, places in marked.items()} == {
        "2 other cells": 2,
        "2 finalists, trained": 2,
        "first by score, without training": 1,
        "chosen: the best finalist by validation": 1,
    }
    # Depth 3 comes first by score; of it and depth 2, seed 0 takes depth 2: (80 + 78) / 2.
    assert marked["first by score, without training"][0][1] == 71
    assert marked["chosen: the best finalist by validation"][0][1] == 79
    with pytest.raises(ConfigError, match="with a validation accuracy has a score 'unknown'"):
        finalists_figure.play(table, "unknown", finalists=2, beside=0)


def test_a_cell_is_predicted_from_the_others_alone(tmp_path: Path) -> None:
    table = read_table(table_of(tmp_path, CELLS))
    (before,) = predicted(table)
    own = {**CELLS, "zero-zero-k3-zero-zero-zero": (0, 0)}
    (after,) = predicted(read_table(table_of(tmp_path, own)))
    place = sorted(CELLS).index("zero-zero-k3-zero-zero-zero")
    assert after[place] == before[place]
    assert (np.delete(after, place) < np.delete(before, place)).all()


def predicted(table: Table) -> list[Scores]:
    return [values for name, (values, _) in structural(table.rows, table) if name == PREDICTED]


def test_the_figure_is_written_alike_twice(tmp_path: Path) -> None:
    path = table_of(tmp_path, CELLS)
    outputs = [tmp_path / f"{name}.svg" for name in ("first", "second")]
    for output in outputs:
        finalists_figure.main(path, output)
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
