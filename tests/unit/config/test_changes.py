"""What a section tells of itself: its changes, which decide what reruns, and its parts."""

import json
from typing import Annotated

import pytest
from pydantic import Field

from document_config import check_defaults, schema
from spikernel import registry
from spikernel.config import Budget, SearchConfig, TrainingConfig
from spikernel.config.base import PartOf, StrictModel
from spikernel.errors import ConfigError


class Old(StrictModel):
    width: int = 8


class New(StrictModel):
    width: int = 8
    shiny: bool = False


class Later(StrictModel):
    width: int = Field(default=16, json_schema_extra={"was": 8})


def test_a_setting_that_is_added_with_a_default_changes_nothing() -> None:
    assert New().changes() == Old().changes() == {}
    assert New(width=9).changes() == Old(width=9).changes() == {"width": 9}


def test_a_default_that_changes_is_told_once_its_old_value_is_kept() -> None:
    assert Later().changes() == {"width": 16}
    assert Later(width=8).changes() == {}


def test_changes_go_into_sections_and_parse_back() -> None:
    section = SearchConfig(iterations=5, budget=Budget(max_params=7))
    assert section.changes() == {"iterations": 5, "budget": {"max_params": 7}}
    assert SearchConfig.parse(section.changes(), "s") == section


def test_a_field_set_back_from_its_preset_is_told() -> None:
    section = TrainingConfig(recipe="modern", label_smoothing=0.0)
    assert section.changes()["label_smoothing"] == 0.0
    assert TrainingConfig.parse(section.changes(), "t") == section


def test_parts_are_named_by_file_and_found_in_nested_sections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(registry.PACKAGES, "toy", "spikernel.space")

    class Inner(StrictModel):
        part: Annotated[str, PartOf("toy")] = "cell"

    class Outer(StrictModel):
        part: Annotated[str | None, PartOf("toy")] = None
        inner: tuple[Inner, ...] = (Inner(), Inner(part="counts"))

    assert Outer().parts() == ["spikernel.space.cell", "spikernel.space.counts"]
    assert "cell" in Inner.model_json_schema()["properties"]["part"]["enum"]
    with pytest.raises(ConfigError, match=r"x: part: must be one of architecture, cell, counts"):
        Inner.parse({"part": "cells"}, "x")


def test_a_default_cannot_change_without_saying_what_it_was() -> None:
    committed = json.loads(schema())
    check_defaults(committed)
    momentum = committed["$defs"]["TrainingConfig"]["properties"]["momentum"]
    momentum["default"] = 0.8  # as if it were 0.9 only now
    with pytest.raises(ConfigError, match=r"default of TrainingConfig\.momentum changes from 0\.8"):
        check_defaults(committed)
    momentum["default"] = 0.9
    # A key that a section has gained has its own default, also where the section is one.
    del committed["$defs"]["SearchConfig"]["properties"]["budget"]["default"]["width"]
    check_defaults(committed)
    # Nor can what it was be dropped later.
    momentum |= {"default": 0.7, "was": 0.8}
    with pytest.raises(ConfigError, match=r'give the field .*"was": 0\.8'):
        check_defaults(committed)
