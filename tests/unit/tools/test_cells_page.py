"""The tables of the page on trained cells, each from the file that an analysis wrote."""

from pathlib import Path

import pytest
from report_experiment import write_csv, write_json

import cells_page
from spikernel.errors import SpikernelError


def lines(text: str) -> list[list[str]]:
    """Return the cells of the rows of a Markdown table, its titles first."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in (rows[0], *rows[2:])]


def test_a_page_without_measurements_says_so(tmp_path: Path) -> None:
    assert set(cells_page.page_blocks(tmp_path).values()) == {"Nothing is stored yet."}
    assert cells_page.choices_in_short(tmp_path) == "Nothing is stored yet."


def test_trainings_are_counted_by_control_and_seed(tmp_path: Path) -> None:
    trained = [
        {"control": control, "archid": archid, "seed": seed, "device": device}
        for control, archid, seed, device in (
            ("same_width", "a", 0, "cpu: test"), ("same_width", "b", 0, "cpu: test"),
            ("same_width", "b", 1, "cuda: test"), ("same_parameters", "a", 0, "cpu: test"),
        )
    ]  # fmt: skip
    write_csv(tmp_path / "cells.csv", trained)
    text = cells_page.trainings(tmp_path / "cells.csv")
    # Two cells, two controls, two seeds.
    assert text.startswith("4 of 8 trainings (3 cpu: test, 1 cuda: test):")
    assert lines(text)[1:] == [["same width", "2", "2", "1"], ["same parameters", "2", "1", "0"]]


def test_findings_are_rounded_and_missing_ones_are_dashes(tmp_path: Path) -> None:
    of = {"low": -1.26, "high": 0.04, "units": 7}
    found = [
        {"question": question, "control": control, "part": part, "quantity": quantity,
         "value": value, **of}
        for question, control, part, quantity, value in (
            ("table", "same_width", "dense", "tau of two seeds", 0.704),
            ("size at equal width", "same_width", "all", "all 1x1 less all 3x3", -0.04),
            ("size alone", "same_width", "all", "7x7 less 3x3", 5.0),
        )
    ]  # fmt: skip
    write_csv(tmp_path / "findings.csv", found)
    rows = {
        title: cells for title, *cells in lines(cells_page.kernel_sizes(tmp_path / "findings.csv"))
    }
    assert rows["tau between two seeds"] == ["0.70 [-1.26, 0.04], 7", "–"]
    assert rows["all convolutions 1x1 in place of 3x3, by the fit"][0] == "0.0 [-1.3, 0.0], 7"
    assert rows["7x7 in place of 3x3"] == ["–", "–"]


def test_choices_are_means_over_the_sets(tmp_path: Path) -> None:
    sets = {
        "{1, 3}": {"regret": 1.0, "beaten_by": 10.0},
        "{3, 5}": {"regret": 2.0, "beaten_by": 5.0},
    }
    stored = {"same_width": {"rising_path": sets}, "same_parameters": {"channels": sets}}
    write_json(tmp_path / "regret.json", stored)
    rows = {title: cells for title, *cells in lines(cells_page.choices(tmp_path / "regret.json"))}
    assert rows["first by `rising_path`"] == ["1.5", "7.5", "–", "–"]
    assert rows["the most channels"] == ["–", "–", "1.5", "7.5"]
    write_json(tmp_path / cells_page.REGRET, stored)
    titles = [title for title, *_ in lines(cells_page.choices_in_short(tmp_path))]
    assert "first by `rising_path`" in titles
    assert "the most channels" not in titles
    write_json(tmp_path / "regret.json", {"same_width": {}})
    with pytest.raises(SpikernelError, match="same_parameters"):
        cells_page.choices(tmp_path / "regret.json")


def test_scores_are_ordered_by_tau_with_the_marks_to_reach_last(tmp_path: Path) -> None:
    def judged(tau: float | None) -> dict[str, float | None]:
        return {"tau_dense": tau, "low_dense": 0.1, "high_dense": 0.9, "regret_dense": 2.04}

    stored = {"(random pick)": judged(None), "(one seed)": judged(0.95), "params": judged(0.2),
              "hamming": judged(0.5), "versions": {}}  # fmt: skip
    of_width = {name: found for name, found in stored.items() if name != "hamming"}
    write_json(tmp_path / "scores.json", {"same_parameters": stored, "same_width": of_width})
    _, *rows = lines(cells_page.scores(tmp_path / "scores.json"))
    assert [row[0] for row in rows] == [
        "Hamming", "parameters", "one seed of the training", "a random pick",
    ]  # fmt: skip
    assert rows[0][1:] == ["0.50 [0.10, 0.90]", "2.0", "–", "–"]
    assert rows[3][1:] == ["–", "2.0", "–", "2.0"]


def test_designed_scores_stand_beside_the_library_s(tmp_path: Path) -> None:
    def part(cells: int, tau: float) -> dict[str, dict[str, float]]:
        figures = {"tau": tau, "low": 0.0, "high": 1.0, "regret": 10 * tau, "cells": cells}
        return dict.fromkeys(cells_page.MADE, figures)

    first, second = (
        f"same_parameters, made on {name}" for name in (cells_page.FIRST, cells_page.SECOND)
    )
    stored = {
        first: {"made on": part(3, 0.8), "further": part(5, 0.6)},
        second: {"made on": part(6, 0.7), "further": part(2, 0.4)},
    }
    write_json(tmp_path / "designed.json", stored)
    titles, library, fitted, *others = lines(cells_page.designed_scores(tmp_path / "designed.json"))
    assert titles[1:4] == [
        "tau on the cells it was made on (3)", "on later cells (5)", "on the last (2)",
    ]  # fmt: skip
    assert library[1:] == ["0.70 [0.00, 1.00]", "–", "0.40 [0.00, 1.00]", "4.0"]
    assert fitted[1:] == ["0.80 [0.00, 1.00]", "0.60 [0.00, 1.00]", "–", "–"]
    assert len(others) == len(cells_page.MADE) - 1
