import math
from collections.abc import Callable
from pathlib import Path

from spikernel.search.engine import Engine
from spikernel.search.journal import Evaluation, Journal
from spikernel.space.cell import Cell
from spikernel.space.enumeration import canonical_cells

CELLS = canonical_cells(("zero", "skip", "k3"))[:12]


def evaluate(
    cells: list[Cell], score: Callable[[Cell], float], path: Path, fingerprint: dict[str, int]
) -> list[Evaluation]:
    with Journal(path, fingerprint) as journal:
        return Engine(score, journal, len(cells)).evaluate_all(cells)


def value(cell: Cell) -> float:
    return float(len(cell.kernel_sizes()))


def test_killed_search_goes_on_and_gives_the_same_result(tmp_path: Path) -> None:
    whole = evaluate(CELLS, value, tmp_path / "whole", {"seed": 0})
    path, scored = tmp_path / "killed", []

    def killed(cell: Cell) -> float:
        if len(scored) == 5:
            raise KeyboardInterrupt
        scored.append(cell)
        return value(cell)

    try:
        evaluate(CELLS, killed, path, {"seed": 0})
    except KeyboardInterrupt:
        # The kill came in the middle of writing a line.
        with path.open("a") as handle:
            handle.write('{"archid": "k3-ze')
    rest: list[Cell] = []

    def remaining(cell: Cell) -> float:
        rest.append(cell)
        return value(cell)

    resumed = evaluate(CELLS, remaining, path, {"seed": 0})
    assert rest == CELLS[5:]
    assert [(item.archid, item.score) for item in resumed] == [
        (item.archid, item.score) for item in whole
    ]


def test_journal_of_another_search_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "j"
    evaluate(CELLS[:2], value, path, {"seed": 0})
    with Journal(path, {"seed": 1}) as journal:
        assert journal.done == {}


def test_line_that_is_not_text_ends_what_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "j"
    whole = evaluate(CELLS[:3], value, path, {"seed": 0})
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], b"\xff\xfe" + lines[3]]))
    with Journal(path, {"seed": 0}) as journal:
        assert list(journal.done) == [item.archid for item in whole[:2]]


def test_scores_that_are_not_finite_survive(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path, {}) as journal:
        journal.add(Evaluation("a", -math.inf, 0.5))
        journal.add(Evaluation("b", math.nan, 0.25))
        journal.add(Evaluation("c", 0.1, 0.125))
    with Journal(path, {}) as journal:
        assert journal.done["a"].score == -math.inf
        assert math.isnan(journal.done["b"].score)
        assert journal.done["c"] == Evaluation("c", 0.1, 0.125)


def test_line_whose_score_was_altered_ends_what_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "j"
    whole = evaluate(CELLS[:3], value, path, {"seed": 0})
    first, *lines = path.read_text().splitlines(keepends=True)
    lines[1] = lines[1].replace('"score": ', '"score": 9')
    path.write_text("".join([first, *lines]))
    with Journal(path, {"seed": 0}) as journal:
        assert list(journal.done) == [whole[0].archid]
