import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import torch

from spikernel import cli
from spikernel.config import TrainingConfig
from spikernel.errors import DataError

ROOT = Path(__file__).parents[2]
CALLS: list[dict[str, Any]] = []


def main(
    source: Annotated[Path, "where from, 100 %"],
    sizes: list[int],
    mode: Literal["a", "b"] = "a",
    name: str | None = None,
    count: Annotated[bool, "count only"] = False,
    training: TrainingConfig = TrainingConfig(),
) -> None:
    CALLS.append(dict(locals()))


def test_signature_becomes_the_command_line() -> None:
    cli.run(main, ["--source", "x", "--sizes", "1", "3", "--count", "--training", "{epochs: 2}"])
    call = CALLS.pop()
    assert call["source"] == Path("x")
    assert call["sizes"] == [1, 3]
    assert call["mode"] == "a"
    assert call["name"] is None
    assert call["count"] is True
    assert call["training"].epochs == 2


def test_help_shows_types_texts_and_keys(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.run(main, ["--help"])
    assert caught.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "where from, 100 %" in shown
    assert "{a,b}" in shown
    assert "learning_rate" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--source", "x", "--sizes", "1", "--training", "{epoch: 2}"], "did you mean 'epochs'?"),
        (["--sizes", "1"], "--source"),
        (["--source", "x", "--sizes", "one"], "one"),
    ],
)
def test_bad_arguments_end_with_status_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.run(main, arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_user_errors_are_one_line_and_defects_keep_their_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def user() -> None:
        raise DataError("file f is short")

    def defect() -> None:
        raise KeyError("k")

    with pytest.raises(SystemExit) as caught:
        cli.run(user, [])
    assert caught.value.code == 2
    assert capsys.readouterr().err == "error: file f is short\n"
    with pytest.raises(KeyError):
        cli.run(defect, [])


def test_path_that_cannot_be_used_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SystemExit) as caught:
        cli.run(lambda: (file / "below").mkdir(), [])
    assert caught.value.code == 2
    assert capsys.readouterr().err == f"error: cannot use {file}/below: Not a directory\n"


def ended(main: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    with pytest.raises(SystemExit) as caught:
        cli.run(main, [])
    assert isinstance(caught.value.code, int)
    return caught.value.code, capsys.readouterr().err


def test_each_thing_to_mend_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    def several() -> None:
        raise DataError("a is wrong\nb is wrong:\n  in this file")

    assert ended(several, capsys) == (
        2, "error: a is wrong\nerror: b is wrong:\n  in this file\n",
    )  # fmt: skip


def test_memory_that_is_not_enough_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def tensor() -> None:
        torch.empty(10**15)  # 4 PB

    def array() -> None:
        np.empty(10**15)

    for main in (tensor, array):
        status, text = ended(main, capsys)
        assert status == 2
        assert text.startswith("error: the memory is not enough")
        assert text.endswith(": lower channels or batch_size\n")
        assert text.count("\n") == 1
    with pytest.raises(RuntimeError, match="shape"):
        cli.run(lambda: print(torch.empty(2).reshape(3)), [])


def test_an_interrupted_script_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    assert ended(interrupted, capsys) == (
        130, f"{cli.INTERRUPTED}\n",
    )  # fmt: skip


LOADING = "started.touch()\ntime.sleep(60)\n"
RUNNING = """
def main() -> None:
    started.touch()
    time.sleep(60)


cli.run(main)
"""


@pytest.mark.parametrize("body", [LOADING, RUNNING])
def test_ctrl_c_ends_a_script_in_one_line(tmp_path: Path, body: str) -> None:
    script, started = tmp_path / "script.py", tmp_path / "started"
    script.write_text(
        "import time\nfrom pathlib import Path\nfrom spikernel import cli\n"
        f"started = Path({str(started)!r})\n{body}"
    )
    process = subprocess.Popen(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        stderr=subprocess.PIPE,
        text=True,
        # A run in the background of a shell would ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not started.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, text = process.communicate(timeout=60)
    assert (process.returncode, text) == (
        130, f"{cli.INTERRUPTED}\n",
    )  # fmt: skip


def test_a_script_outside_the_environment_says_how_to_enter_it() -> None:
    # Without site, Python sees none of the environment's packages.
    done = subprocess.run(
        [sys.executable, "-S", ROOT / "scripts" / "train_final.py", "--help"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(
        f"error: the Python that runs this, {sys.executable}, has no package "
    )
    assert done.stderr.endswith(": run `make setup`, then `. .venv/bin/activate`\n")
    assert done.stderr.count("\n") == 1
