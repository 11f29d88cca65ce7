"""First choices against the cells of their sets, by hand."""

from pathlib import Path

import first_choices
import pandas as pd
from trained_cells import TrainedCell

from spikernel.space.cell import Cell

TABLE = Path(__file__).parents[3] / "docs" / "measurements" / "kernel-cells.csv"


def test_a_choice_against_others_by_hand() -> None:
    cells = [
        TrainedCell(Cell.from_archid(f"zero-zero-k{size}-zero-zero-zero"), 1, accuracies)
        for size, accuracies in ((1, (80.0, 82.0)), (3, (83.0,)), (5, (79.0, 80.0)), (7, (81.5,)))
    ]
    chosen, *others = cells  # 81.0 against 83.0, 79.5 and 81.5: two of three are better
    found = first_choices.against(chosen, others)
    assert found == {"points_below_best": 2.0, "better_cells_percent": 66.7}


def test_only_trained_choices_have_a_line(tmp_path: Path) -> None:
    table, output = tmp_path / "kernel-cells.csv", tmp_path / "first.csv"
    rows = pd.read_csv(TABLE)
    rows[rows["group"] != "first"].to_csv(table, index=False)
    table.with_suffix(".json").write_bytes(TABLE.with_suffix(".json").read_bytes())
    first_choices.main(table, output)
    # {3, 7} and {5, 7} choose cells that were there before.
    assert list(pd.read_csv(output)["kernel_set"]) == ["3 7", "5 7"]
