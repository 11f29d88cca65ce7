"""The digest of what a script reaches, on a small tree of scripts made here."""

from pathlib import Path

import pytest

from spikernel import code

FILES = {
    "step.py": '"""A step."""\nfrom spikernel.study.step import run\n',
    "spikernel/__init__.py": "",
    "spikernel/errors.py": "MESSAGE = 1\n",
    "spikernel/study/__init__.py": "",
    "spikernel/study/step.py": (
        "from spikernel import errors, tables\n\n\ndef run():\n    from spikernel.late import x\n"
    ),
    "spikernel/tables.py": 'PAGE = "page/page.html"  # a template\n',
    "spikernel/page/page.html": '{% include "part.html" %}',
    "spikernel/page/part.html": "part",
    "spikernel/late.py": "x = 1\n",
    "spikernel/other.py": "y = 1\n",
    "spikernel/parts/__init__.py": "",
    "spikernel/parts/one.py": "z = 1\n",
}


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(code, "SCRIPTS", tmp_path)
    return tmp_path


def fresh(*arguments: object) -> str:
    for cached in (code._leads_to, code._tree, code._meaning):
        cached.cache_clear()
    return code.digest(*arguments)  # type: ignore[arg-type]


def test_reached_are_imports_wherever_they_stand_and_the_files_they_name(scripts: Path) -> None:
    found = {path.relative_to(scripts).as_posix() for path in code.reached("step")}
    assert found == {
        "step.py", "spikernel/__init__.py", "spikernel/study/__init__.py",
        "spikernel/study/step.py", "spikernel/tables.py", "spikernel/late.py",
        "spikernel/page/page.html", "spikernel/page/part.html",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "same"),
    [
        ("spikernel/late.py", "# A comment.\nx  =  1\n", True),
        ("spikernel/late.py", '"""A docstring."""\n\nx = 1\n"""Of the value."""\n', True),
        ("spikernel/late.py", "x = 2\n", False),
        ("spikernel/other.py", "y = 2\n", True),  # not reached
        ("spikernel/errors.py", "MESSAGE = 2\n", True),  # neutral
        ("spikernel/parts/one.py", "z = 2\n", True),  # not chosen
        ("spikernel/page/part.html", "another", False),
        ("step.py", '"""Another text."""\nfrom spikernel.study.step import run\n', True),
    ],
)
def test_digest_changes_with_the_meaning_alone(
    scripts: Path, name: str, text: str, same: bool
) -> None:
    before = fresh("step")
    (scripts / name).write_text(text)
    assert (fresh("step") == before) == same


def test_a_part_counts_where_it_is_chosen(scripts: Path) -> None:
    chosen = fresh("step", ["spikernel.parts.one"])
    assert chosen != fresh("step")
    (scripts / "spikernel/parts/two.py").write_text("z = 2\n")
    assert fresh("step", ["spikernel.parts.one"]) == chosen
    (scripts / "spikernel/parts/one.py").write_text("z = 3\n")
    assert fresh("step", ["spikernel.parts.one"]) != chosen


def test_a_module_can_be_the_root(scripts: Path) -> None:
    alone = fresh("spikernel.late")
    (scripts / "spikernel/tables.py").write_text("PAGE = 0\n")
    assert fresh("spikernel.late") == alone
    (scripts / "spikernel/late.py").write_text("x = 5\n")
    assert fresh("spikernel.late") != alone
