import errno
import json
from pathlib import Path

import pytest

from spikernel import artifacts, provenance
from spikernel.errors import SpikernelError


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


def test_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(SpikernelError, match=r"cannot write .*a\.txt: No space left on device"):
        artifacts.write_text(tmp_path / "a.txt", "x")
    assert list(tmp_path.iterdir()) == []


def test_really_full_device_is_noticed() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with pytest.raises(OSError, match="No space left"), Path("/dev/full").open("w") as handle:
        handle.write("x" * 100_000)


def test_json_refuses_what_is_not_finite(tmp_path: Path) -> None:
    with pytest.raises(SpikernelError, match="not finite"):
        artifacts.write_json(tmp_path / "a.json", {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "b.json").write_text('{"x": ')
    with pytest.raises(SpikernelError, match=r"b\.json is not valid JSON"):
        artifacts.read_json(tmp_path / "b.json")
    with pytest.raises(SpikernelError, match="run the step that makes it first"):
        artifacts.read_json(tmp_path / "c.json")


def test_provenance_names_inputs_outputs_and_versions(tmp_path: Path) -> None:
    source, result = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("abc")
    result.write_text("")
    provenance.write(
        tmp_path / "provenance.json",
        step="s",
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
