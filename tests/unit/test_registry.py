"""Literals are read off the file of a part, which is not run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spikernel import registry
from spikernel.errors import ConfigError

Read = Callable[[str], Any]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Read]:
    """Return what reads TIME_STEPS, None by default, off the file of a part named `toy`."""
    (tmp_path / "toys").mkdir()
    monkeypatch.setattr(registry, "__file__", str(tmp_path / "registry.py"))
    monkeypatch.setitem(registry.PACKAGES, "toy", "spikernel.toys")

    def written(text: str) -> Any:
        registry.literal.cache_clear()
        (tmp_path / "toys" / "toy.py").write_text(f"import nowhere\n{text}\n")
        return registry.literal("toy", "toy", "TIME_STEPS", None)

    registry.names.cache_clear()
    yield written
    registry.names.cache_clear()
    registry.literal.cache_clear()


def test_a_literal_is_read_with_and_without_its_type(read: Read) -> None:
    assert read("OTHER = 2") is None
    assert read("TIME_STEPS = 1") == 1
    assert read("TIME_STEPS: int = 1") == 1
    assert read("TIME_STEPS: int\nOTHER: int = 2") is None
    assert read("OTHER = nowhere.other()\nTIME_STEPS: dict[str, int] = {'a': 1}") == {"a": 1}


@pytest.mark.parametrize("value", ["OTHER + 1", "int('1')", "{[]: 1}"])
def test_what_is_no_literal_is_named(read: Read, value: str) -> None:
    with pytest.raises(ConfigError, match=r"toy\.py, line 3: TIME_STEPS must be a literal") as said:
        read(f"OTHER = 2\nTIME_STEPS = {value}")
    assert str(said.value).endswith(f"but is {value}")
