from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from spikernel import cli
from spikernel.config import TrainingConfig
from spikernel.errors import DataError

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
