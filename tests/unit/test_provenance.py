from pathlib import Path

import pytest

from spikernel import artifacts, provenance
from spikernel.errors import DataError


def record(folder: Path, *names: str) -> None:
    outputs = [folder / name for name in names]
    for path in outputs:
        artifacts.write_text(path, f"content of {path.name}")
    provenance.write(
        folder / "provenance.json",
        step="kernel_impact_table",
        settings={},
        inputs=[],
        outputs=outputs,
        seconds=0,
    )


def test_untouched_results_are_counted(tmp_path: Path) -> None:
    record(tmp_path / "a", "table.csv", "figures/plot.svg")
    record(tmp_path / "b", "table.csv")
    assert provenance.verify(tmp_path) == 3


def test_altered_and_missing_files_are_all_named(tmp_path: Path) -> None:
    record(tmp_path / "a", "table.csv", "figures/plot.svg", "good.csv")
    (tmp_path / "a/table.csv").write_text("Content of table.csv")
    (tmp_path / "a/figures/plot.svg").unlink()
    with pytest.raises(DataError, match="2 of 3 files") as caught:
        provenance.verify(tmp_path)
    assert f"{tmp_path}/a/table.csv is not what provenance.json beside it says" in str(caught.value)
    assert f"{tmp_path}/a/plot.svg is missing" in str(caught.value)


def test_folder_without_records_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no provenance record"):
        provenance.verify(tmp_path)


def test_damaged_record_is_named(tmp_path: Path) -> None:
    artifacts.write_text(tmp_path / "provenance.json", '{"outputs": 3}')
    with pytest.raises(DataError, match=r"provenance\.json: 'outputs' names no files"):
        provenance.verify(tmp_path)


def test_an_altered_input_is_refused_and_a_file_of_ones_own_is_not(tmp_path: Path) -> None:
    record(tmp_path, "table.csv")
    own = tmp_path / "own.csv"
    own.write_text("1")
    provenance.check([tmp_path / "table.csv", own, tmp_path / "missing.csv"])
    (tmp_path / "table.csv").write_text("altered")
    with pytest.raises(DataError, match=r"table\.csv was altered since it was made: provenance"):
        provenance.check([own, tmp_path / "table.csv"])
