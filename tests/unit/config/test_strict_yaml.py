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
        strict_yaml.load("section:\n  a: 1\n  a: 2\n", "e")
    with pytest.raises(ConfigError, match="SearchConfig: key 'iterations' stands in line 1"):
        SearchConfig.parse_argument("{iterations: 5, iterations: 6}")


def test_a_key_may_replace_one_that_a_merge_brings() -> None:
    text = "first: &first {a: 1, b: 2}\nsecond:\n  <<: *first\n  b: 3\n"
    assert strict_yaml.load(text, "e")["second"] == {"a": 1, "b": 3}


def test_what_is_no_yaml_is_named() -> None:
    with pytest.raises(ConfigError, match="e: not valid YAML"):
        strict_yaml.load("a: [", "e")
