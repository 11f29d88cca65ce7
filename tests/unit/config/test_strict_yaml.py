from pathlib import Path

import pytest

from spikernel.config import SearchConfig, WorkflowConfig, strict_yaml
from spikernel.errors import ConfigError


def test_a_key_that_stands_twice_is_refused_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    path.write_text("experiment: a\ndatasets: {digits: {}}\n# a remark\nexperiment: b\n")
    with pytest.raises(ConfigError) as caught:
        WorkflowConfig.read(path)
    message = f"{path}: key 'experiment' stands in line 1 and again in line 4: remove one"
    assert str(caught.value) == message


def test_so_is_one_in_a_section_and_on_the_command_line() -> None:
    with pytest.raises(ConfigError, match="key 'a' stands in line 2 and again in line 3"):
        strict_yaml.parse("section:\n  a: 1\n  a: 2\n", "e")
    with pytest.raises(ConfigError, match="SearchConfig: key 'iterations' stands in line 1"):
        SearchConfig.parse_argument("{iterations: 5, iterations: 6}")


def test_a_key_may_replace_one_that_a_merge_brings() -> None:
    text = "first: &first {a: 1, b: 2}\nsecond:\n  <<: *first\n  b: 3\n"
    assert strict_yaml.parse(text, "e").data["second"] == {"a": 1, "b": 3}


def test_it_may_where_its_mapping_is_merged_elsewhere_too() -> None:
    # PyYAML makes `third`, and merges for it, before it makes what stands deeper.
    text = "first: &a {x: 1}\nsecond:\n  inner: &b\n    <<: *a\n    x: 2\nthird:\n  <<: *b\n"
    data = strict_yaml.parse(text, "e").data
    assert data == {"first": {"x": 1}, "second": {"inner": {"x": 2}}, "third": {"x": 2}}


def test_several_mappings_are_merged_as_one_list() -> None:
    text = "a: &a {x: 1}\nb: &b {x: 2, y: 3}\nc:\n  <<: *a\n  <<: *b\n"
    with pytest.raises(ConfigError) as caught:
        strict_yaml.parse(text, "e")
    assert str(caught.value) == (
        "e: key '<<' stands in line 4 and again in line 5: write <<: [*first, *second] once"
    )
    text = "a: &a {x: 1}\nb: &b {x: 2, y: 3}\nc:\n  <<: [*a, *b]\n"
    assert strict_yaml.parse(text, "e").data["c"] == {"x": 1, "y": 3}


def test_keys_that_look_the_same_are_the_same() -> None:
    with pytest.raises(ConfigError, match="stands in line 1 and again in line 2"):
        strict_yaml.parse("\u00e9: 1\ne\u0301: 2\n", "e")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "e, line 1: not valid YAML: expected the node content, but found '<stream end>'"),
        (
            "a:\n\tb: 1\n",
            "e, line 2: not valid YAML: found character '\\t' that cannot start any token; indent "
            "with spaces, not tabs",
        ),
        ("a: 2024-13-01\n", "e: not valid YAML: month must be in 1..12"),
        ("a: \x00\n", "e: not valid YAML: unacceptable character #x0000"),
    ],
)
def test_what_is_no_yaml_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        strict_yaml.parse(text, "e")
    assert str(caught.value).startswith(message)


def test_a_file_that_is_not_utf8_or_not_there_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    path.write_bytes("experiment: a\n# für\n".encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        strict_yaml.read(path)
    assert str(caught.value) == f"{path}, line 2: is not UTF-8 text: save it as UTF-8"
    with pytest.raises(ConfigError) as caught:
        strict_yaml.read(tmp_path)
    assert str(caught.value) == f"{tmp_path}: cannot be read: Is a directory"


TEXT = """\
first: &first
  a: 1
second:
  <<: *first
  b: [2,
    3]
"""


@pytest.mark.parametrize(
    ("key", "place"),
    [
        (("first",), "e, line 1"),
        (("second", "b"), "e, line 5"),
        (("second", "b", "1"), "e, line 6"),
        (("second", "a"), "e, line 2"),  # where the merged value stands
        (("second", "c", "d"), "e, line 3"),  # the section that lacks it
        (("third",), "e"),
        ((), "e"),
    ],
)
def test_every_key_has_its_line(key: tuple[str, ...], place: str) -> None:
    assert strict_yaml.parse(TEXT, "e").place(key) == place


def test_of_several_texts_the_last_that_holds_a_key_is_its_place() -> None:
    texts = ("s:\n  a: 1\n  b: 1\n", "s:\n  a: 2\n", '{"s": {"c": 3}}')
    documents = [strict_yaml.parse(text, name) for text, name in zip(texts, "xyz", strict=True)]
    places = [strict_yaml.place(documents, ("s", key)) for key in "abc"]
    # One line is an option of a command: its number says nothing.
    assert places == ["y, line 2", "x, line 3", "z"]
    assert strict_yaml.place(documents, ("t",)) == "x"
