import json
import resource
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
import torch

from spikernel import artifacts, provenance
from spikernel.errors import SpikernelError
from spikernel.search.journal import Evaluation, Journal
from spikernel.training import state as run_state


def test_failed_block_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail() -> None:
        with artifacts.atomic(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_one_at_a_time_is_let_into_an_exclusive_block(tmp_path: Path) -> None:
    lock, began, inside = tmp_path / "new" / "lock", Event(), []

    def enter() -> None:
        began.set()
        with artifacts.exclusive(lock):
            inside.append("second")

    other = Thread(target=enter)
    with artifacts.exclusive(lock):
        other.start()
        assert began.wait(60)
        other.join(0.2)
        inside.append("first")
    other.join(60)
    assert inside == ["first", "second"]
    with pytest.raises(SpikernelError, match=r"cannot write .*lock/within: File exists"):
        artifacts.exclusive(lock / "within").__enter__()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    """A file stands where the folder should be, which holds for the superuser, too."""
    (tmp_path / "taken").write_text("")
    for folder in ("taken", "taken/deeper"):
        with pytest.raises(SpikernelError, match=r"cannot write .*a\.txt: (File|Not a)"):
            artifacts.write_text(tmp_path / folder / "a.txt", "x")


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Let no file grow beyond 4 kB: the system refuses as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_disk")
def test_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SpikernelError, match=r"cannot write .*a\.txt: File too large"):
        artifacts.write_text(tmp_path / "a.txt", "x" * 10_000)
    with pytest.raises(SpikernelError, match=r"cannot write .*state: File too large"):
        run_state.save(tmp_path / "state", {}, {"weights": torch.zeros(10_000)})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("small_disk")
def test_journal_on_a_full_disk_keeps_what_it_had(tmp_path: Path) -> None:
    path = tmp_path / "journal"

    def search() -> None:
        with Journal(path, {}) as journal:
            for index in range(1000):
                journal.add(Evaluation(f"cell-{index}", 1.0, 0.1))

    with pytest.raises(SpikernelError, match="goes on from there once there is space"):
        search()
    with Journal(path, {}) as journal:
        assert 20 < len(journal.done) < 1000


def test_json_refuses_what_is_not_finite(tmp_path: Path) -> None:
    with pytest.raises(SpikernelError, match="not finite"):
        artifacts.write_json(tmp_path / "a.json", {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "b.json").write_text('{"x": ')
    with pytest.raises(SpikernelError, match=r"b\.json is not valid JSON"):
        artifacts.read_json(tmp_path / "b.json")
    (tmp_path / "d.json").write_text('{"x": NaN}')
    with pytest.raises(SpikernelError, match=r"d\.json is not valid JSON: NaN is not a number"):
        artifacts.read_json(tmp_path / "d.json")
    with pytest.raises(SpikernelError, match="run the step that makes it first"):
        artifacts.read_json(tmp_path / "c.json")


def test_object_of_another_step_is_named_with_the_key_that_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "search.json"
    for text, message in (
        ("[]", "holds no JSON object"),
        ('{"a": 1}', "key 'b' is missing: run the step that makes it again"),
    ):
        path.write_text(text)
        with pytest.raises(SpikernelError, match=message):
            artifacts.read_object(path, "a", "b")
    path.write_text('{"a": 1, "b": 2, "c": 3}')
    assert artifacts.read_object(path, "a", "b") == {"a": 1, "b": 2, "c": 3}
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SpikernelError, match="not a text file"):
        artifacts.read_object(path)


def test_provenance_names_inputs_outputs_and_versions(tmp_path: Path) -> None:
    source, result = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("abc")
    result.write_text("")
    provenance.write(
        tmp_path / "provenance.json",
        step="kernel_impact_table",
        settings={"seed": 3},
        inputs=[source],
        outputs=[result],
        seconds=1.23456,
    )
    record = json.loads((tmp_path / "provenance.json").read_text())
    # SHA-256 of "abc" and of nothing, as published with the standard.
    assert record["inputs"][str(source)].startswith("ba7816bf8f01cfea")
    assert record["outputs"]["out.txt"].startswith("e3b0c44298fc1c14")
    assert record["settings"] == {"seed": 3}
    assert record["seconds"] == 1.235
    assert "torch" in record["packages"]


def test_a_state_with_an_altered_weight_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "state"
    run_state.save(path, {}, {"weights": torch.ones(1000)})
    found = run_state.load(path, {})
    assert found is not None
    assert found["weights"].sum() == 1000
    # 1.0 is 00 00 80 3f; with 3e at the end it is 0.25.
    one, quarter = b"\0\0\x80\x3f", b"\0\0\x80\x3e"
    path.write_bytes(path.read_bytes().replace(one * 2, one + quarter, 1))
    assert run_state.load(path, {}) is None
