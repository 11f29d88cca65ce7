import json
import logging
import shutil
from pathlib import Path

import pytest

from spikernel import artifacts, provenance, verification
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
    assert verification.verify(tmp_path) == 3


def test_altered_and_missing_files_are_all_named(tmp_path: Path) -> None:
    record(tmp_path / "a", "table.csv", "figures/plot.svg", "good.csv")
    (tmp_path / "a/table.csv").write_text("Content of table.csv")
    (tmp_path / "a/figures/plot.svg").unlink()
    with pytest.raises(DataError, match="2 of 3 files") as caught:
        verification.verify(tmp_path)
    assert f"{tmp_path}/a/table.csv is not what provenance.json beside it says" in str(caught.value)
    assert f"{tmp_path}/a/figures/plot.svg is missing" in str(caught.value)


def test_files_of_one_name_in_several_folders_are_told_apart(tmp_path: Path) -> None:
    names = ["model.zip", "c_int8/main.c", "c_int8/device/main.c"]
    record(tmp_path, *names)
    assert list(provenance.recorded_outputs(tmp_path / "provenance.json")) == names
    assert verification.verify(tmp_path) == 3
    for name in names[1:]:
        sound = (tmp_path / name).read_text()
        (tmp_path / name).write_text("int broken")
        with pytest.raises(DataError, match=rf"1 of 3 .*\n  {tmp_path}/{name} is not what"):
            verification.verify(tmp_path)
        (tmp_path / name).write_text(sound)


def test_a_record_of_an_earlier_version_names_no_folders(tmp_path: Path) -> None:
    record(tmp_path, "table.csv", "figures/plot.svg")
    path = tmp_path / "provenance.json"
    older = provenance.read(path)
    older["outputs"] = {Path(name).name: sha256 for name, sha256 in older["outputs"].items()}
    artifacts.write_json(path, older)
    assert verification.verify(tmp_path) == 2
    (tmp_path / "figures/plot.svg").write_text("altered")
    with pytest.raises(DataError, match=r"figures/plot\.svg is not what provenance\.json"):
        verification.verify(tmp_path)


def test_folder_without_records_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no provenance record"):
        verification.verify(tmp_path)


def test_damaged_record_is_named(tmp_path: Path) -> None:
    artifacts.write_text(tmp_path / "provenance.json", '{"outputs": 3}')
    with pytest.raises(DataError, match=r"provenance\.json: 'outputs' names no files"):
        verification.verify(tmp_path)


def test_an_altered_record_is_refused_and_one_without_a_digest_is_read(tmp_path: Path) -> None:
    record(tmp_path, "table.csv")
    path = tmp_path / "provenance.json"
    sound = provenance.read(path, "outputs")
    assert provenance.OWN_DIGEST not in sound
    # As when both are edited: the file, and what the record says of it.
    artifacts.write_text(tmp_path / "table.csv", "altered")
    sha256 = artifacts.file_hash(tmp_path / "table.csv")
    text = path.read_text().replace(sound["outputs"]["table.csv"], sha256)
    path.write_text(text)
    for reading in (
        lambda: provenance.check([tmp_path / "table.csv"]),
        lambda: verification.verify(tmp_path),
    ):
        with pytest.raises(DataError, match=r"provenance\.json was altered since it was written"):
            reading()
    older = {key: value for key, value in json.loads(text).items() if key != "record_sha256"}
    artifacts.write_json(path, older)
    assert verification.verify(tmp_path) == 1


def test_a_record_fits_its_digest_in_any_order_and_with_any_settings(tmp_path: Path) -> None:
    path = tmp_path / "provenance.json"
    settings = {"sizes": (1, 3), "convolutions": {11: "dense", 3: "depthwise"}, "rate": 0.1}
    provenance.write(path, step="cells", settings=settings, inputs=[], outputs=[], seconds=0)
    turned = dict(reversed(json.loads(path.read_text()).items()))
    artifacts.write_json(path, turned)
    assert provenance.read(path)["settings"]["convolutions"]["11"] == "dense"


def test_an_altered_input_is_refused_and_a_file_of_ones_own_is_not(tmp_path: Path) -> None:
    record(tmp_path, "table.csv")
    own = tmp_path / "own.csv"
    own.write_text("1")
    provenance.check([tmp_path / "table.csv", own, tmp_path / "missing.csv"])
    (tmp_path / "table.csv").write_text("altered")
    with pytest.raises(DataError, match=r"table\.csv was altered since it was made: provenance"):
        provenance.check([own, tmp_path / "table.csv"])


def test_a_lost_record_is_said_where_a_job_wrote_the_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record(tmp_path, "table.csv", "other.csv")
    paths = [tmp_path / "table.csv", tmp_path / "other.csv"]
    provenance.check(paths, of_jobs=True)
    assert caplog.messages == []
    (tmp_path / "provenance.json").unlink()
    with caplog.at_level(logging.WARNING):
        provenance.check(paths)
        provenance.check([*paths, tmp_path / "missing.csv"], of_jobs=True)
    assert caplog.messages == [
        f"no provenance record beside it names {paths[0]} (so with 2 files): whether it was "
        "altered is not known"
    ]


def test_a_result_that_was_made_from_another_file_is_named_wherever_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = Path("results/first/train"), Path("results/first/deployment")
    record(first, "metrics.json", "history.csv")
    artifacts.write_text(Path("data/own.csv"), "read from elsewhere")
    artifacts.write_text(second / "deployment.json", "made from it")
    provenance.write(
        second / "provenance.json",
        step="kernel_impact_table",
        settings={},
        inputs=[first / "metrics.json", first / "history.csv", Path("data/own.csv")],
        outputs=[second / "deployment.json"],
        seconds=0,
    )
    shutil.copytree("results/first", "copied")
    artifacts.write_text(Path("data/own.csv"), "changed")
    for results in ("results", "results/first", "copied"):
        assert verification.verify(Path(results)) == 3
    # Trained anew, with a record that fits.
    artifacts.write_text(Path("copied/train/metrics.json"), "another training")
    made = provenance.read(Path("copied/train/provenance.json"))
    made["outputs"] = {"metrics.json": artifacts.file_hash(Path("copied/train/metrics.json"))}
    artifacts.write_json(Path("copied/train/provenance.json"), made)
    with pytest.raises(DataError, match=r"provenance\.json names was made from another copied"):
        verification.verify(Path("copied"))
