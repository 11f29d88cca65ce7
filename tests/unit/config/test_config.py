import json
from pathlib import Path
from typing import Annotated, Any

import pytest

from document_config import generated
from spikernel.config import (
    MACROS,
    RECIPES,
    DatasetConfig,
    FinalistConfig,
    NetworkConfig,
    SearchConfig,
    TrainingConfig,
    WorkflowConfig,
)
from spikernel.config.base import PartOf, StrictModel
from spikernel.errors import ConfigError
from spikernel.study import experiment

ROOT = Path(__file__).parents[3]
CONFIGS = sorted((ROOT / "config").glob("*.yaml"))


def parse(changes: dict[str, Any]) -> WorkflowConfig:
    return WorkflowConfig.parse(
        {"experiment": "x", "datasets": {"digits": {}}, **changes}, "config"
    )


def check(changes: dict[str, Any]) -> None:
    experiment.check(parse({"network": {"pool": 2}, **changes}), "config")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configs_are_valid(path: Path) -> None:
    experiment.read(path).sections()


@pytest.mark.parametrize(("name", "text"), generated().items())
def test_generated_reference_is_in_step(name: str, text: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == text, "run `make docs-config`"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nas_serach": {}}, "config: nas_serach: unknown key; did you mean 'nas_search'?"),
        (
            {"kernel_impact": {"training": {"epoch": 3}}},
            "config: kernel_impact/training/epoch: unknown key; did you mean 'epochs'?",
        ),
        (
            {"datasets": {"digits": {"networ": {}}}},
            "config: datasets/digits/networ: unknown key; did you mean 'network'?",
        ),
        ({"train_final": {"seeds": [-1]}}, "train_final/seeds/0: must be at least 0 (found -1)"),
        ({"kernel_impact": {"kernel_sizes": [3, 4]}}, "must be odd and positive, got 4"),
        ({"kernel_impact": {"kernel_sizes": [3, -1]}}, "must be odd and positive, got -1"),
        ({"kernel_set_design": {"fixed": [[]]}}, "must hold at least one kernel size"),
        ({"kernel_set_design": {"fixed": [[3, 3]]}}, "must not repeat a size"),
        (
            {"kernel_set_design": {"fixed": [[1, 3], [3], [3, 1]]}},
            "kernel_set_design/fixed: must name no set twice, got [1, 3] 2 times",
        ),
        (
            {"datasets": {"digts": {}}},
            "config: datasets/digts: must be one of cifar10, cifar100, digits, imagefolder, "
            "tinyimagenet (found 'digts')",
        ),
        ({"kernel_impact": {"kernel_sizes": [1, 5]}}, "kernel_sizes must hold 3"),
        ({"kernel_set_design": {"keep": 10}}, "only 9 sets beside the baseline can be made"),
        (
            {
                "kernel_set_design": {"fixed": [[1, 9]]},
                "datasets": {"cifar10": {"network": {"pool": 4}}},
            },
            "kernel_impact/kernel_sizes: kernel size 9 of kernel_set_design is not measured",
        ),
        ({"datasets": {"mine": {"kind": "images"}}}, "kind: must be one of cifar10, cifar100"),
        ({"datasets": {}}, "at least one data set"),
        (
            {"network": {"stages": 3, "cells_per_stage": [2, 2]}},
            "config: network/cells_per_stage: cells_per_stage lists 2 stages, but stages is 3",
        ),
        ({"network": {"stage_widths": [1]}}, "stage_widths lists 1 stages, but stages is 2"),
        ({"network": {"convolutions": {1: "depthwise"}}}, "a 1x1 convolution is dense"),
        ({"network": {"convolutions": {4: "depthwise"}}}, "must be odd and positive, got 4"),
        ({"network": {"convolutions": {7: "deep"}}}, "'dense', 'depthwise' or 'factorised'"),
        (
            {"network": {"convolutions": "deep"}},
            "'dense', 'depthwise' or 'factorised' (found 'deep')",
        ),
        (
            {"network": {"macro": "moder"}},
            "network/macro: must be 'snasnet', 'modern' or 'compact' (found 'moder')",
        ),
        ({"network": {"stem_convolutions": 5}}, "stem_convolutions"),
        ({"threads": "many"}, "config: threads: must be a whole number (found 'many')"),
        (
            {"nas_search": {"prefilter": 60, "iterations": 50}},
            "config: nas_search/prefilter: prefilter is 60, but only 50 cells are drawn",
        ),
        ({"network": {"channels": 10**12}}, "network/channels: must be at most 1000000"),
        (
            {"tradeoff_report": {"memory_budgets_mb": []}},
            "memory_budgets_mb: must have at least 1 entries, not 0",
        ),
    ],
)
def test_bad_values_give_one_clear_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(changes)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_misspelt_override_is_found() -> None:
    with pytest.raises(ConfigError, match=r"datasets/digits/network/chanels: .* 'channels'"):
        check({"datasets": {"digits": {"network": {"chanels": 4, "pool": 2}}}})


def test_type_of_an_unused_convolution_is_an_error() -> None:
    for place in (
        {"network": {"convolutions": {9: "depthwise"}}},
        {"datasets": {"digits": {"network": {"convolutions": {9: "depthwise"}}}}},
    ):
        with pytest.raises(ConfigError, match="of data set digits names size 9, which no kernel"):
            check(place)


def test_a_tilde_is_the_users_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert parse({"data_dir": "~/images"}).data_dir == "/home/me/images"


def test_overrides_change_only_their_data_set() -> None:
    config = parse({"datasets": {"digits": {"network": {"votes": 2}}, "cifar10": None}})
    sections = config.sections()
    assert sections["datasets/digits/network"] == NetworkConfig(votes=2)
    assert sections["datasets/cifar10/network"] == NetworkConfig(votes=10)
    assert sections["datasets/cifar10/data"] == DatasetConfig(kind="cifar10")


def test_finalists_leave_the_search_by_score_as_it_is() -> None:
    training = {"rungs": [1, 3], "training": {"recipe": "modern"}}
    sections = parse({"nas_search": {"finalists": 5, "finalist_training": training}}).sections()
    assert sections["nas_search"] == parse({}).sections()["nas_search"]
    assert sections["nas_search"].parts() == SearchConfig().parts()
    how = sections["finalist_training"]
    assert isinstance(how, FinalistConfig)
    assert (how.rungs, how.training.objective) == ((1, 3), "tet")
    assert parse({}).sections()["finalist_training"] == FinalistConfig()
    # As the rules hand it to a script; the default recipe and SNASNet's, which has no fields.
    for plain in (how, FinalistConfig(), FinalistConfig(training=TrainingConfig())):
        assert FinalistConfig.parse(json.loads(json.dumps(plain.changes())), "f") == plain


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"finalist_training": {}}, "finalist_training: says how finalists are trained, but"),
        ({"finalists": 2, "finalist_training": {"rungs": [4, 4]}}, "rungs: must list rising"),
        ({"finalists": 2, "finalist_training": {"rungs": []}}, "rungs: must list rising"),
        (
            {"finalists": 2, "finalist_training": {"training": {"epochs": 3}}},
            "finalist_training/training/epochs: is not for finalists, which have different",
        ),
    ],
)
def test_finalists_that_cannot_be_are_refused(search: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse({"nas_search": search})


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"nas_search": {"operations": ["skip", "skip"]}}, "operations: must name nothing twice"),
        ({"nas_search": {"thresholds": [0.5, 0.5000001]}}, "none twice in six decimals"),
        ({"nas_search": {"thresholds": [1e-7]}}, "must list positive thresholds"),
        ({"kernel_set_design": {"fixed": [[True, 3]]}}, "fixed: must be a number, not true"),
        ({"train_final": {"widths": {"k1-3": [True]}}}, "widths: must be a number, not true"),
    ],
)
def test_values_that_would_be_read_as_others_are_refused(
    section: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(section)


def test_recipe_gives_defaults_that_fields_override() -> None:
    modern = TrainingConfig.parse({"recipe": "modern", "label_smoothing": 0.0}, "t")
    assert modern.label_smoothing == 0.0
    assert modern.objective == RECIPES["modern"]["objective"] == "tet"
    assert TrainingConfig().learning_rate == 0.1  # SNASNet's


def test_parts_are_found_in_nested_and_optional_fields() -> None:
    class Inner(StrictModel):
        minimised: Annotated[str, PartOf("objective")] | None = None

    class Outer(StrictModel):
        objective: Annotated[str, PartOf("objective")] = "mean"
        inner: tuple[Inner, ...] = ()

    mean, tet = (f"spikernel.training.objectives.{name}" for name in ("mean", "tet"))
    assert Outer.parse({"inner": [{"minimised": None}]}, "t").parts() == [mean]
    assert Outer.parse({"inner": [{}, {"minimised": "tet"}]}, "t").parts() == [mean, tet]
    with pytest.raises(ConfigError, match=r"inner/0/minimised: must be one of .*mean.* 'men'"):
        Outer.parse({"inner": [{"minimised": "men"}]}, "t")


def test_override_that_names_a_recipe_starts_from_it() -> None:
    settings = {
        "datasets": {"digits": {"train_final": {"recipe": "reference"}}},
        "train_final": {"training": {"recipe": "modern", "epochs": 2}},
    }
    assert parse(settings).sections()["datasets/digits/train_final"] == TrainingConfig()


def test_macro_gives_defaults_that_fields_override() -> None:
    modern = NetworkConfig.parse({"macro": "modern", "residual": False, "channels": 12}, "n")
    given = {"macro": "modern", **MACROS["modern"], "residual": False, "channels": 12}
    assert modern == NetworkConfig(**given)
    # Each part switched off one by one is SNASNet's.
    off = {name: NetworkConfig.model_fields[name].default for name in MACROS["modern"]}
    assert NetworkConfig(macro="modern", **off) == NetworkConfig().model_copy(
        update={"macro": "modern"}
    )


def test_override_that_names_a_macro_starts_from_it() -> None:
    settings = {
        "datasets": {"digits": {"network": {"macro": "modern"}}, "cifar10": {}},
        "network": {"channels": 7, "convolutions": {7: "depthwise"}},
    }
    sections = parse(settings).sections()
    assert sections["datasets/digits/network"] == NetworkConfig(macro="modern")
    network = sections["datasets/cifar10/network"]
    assert network == NetworkConfig(channels=7, convolutions={7: "depthwise"})
    # As the rules hand it to a script, and as a saved net remembers it.
    for plain in (network.changes(), network.model_dump(mode="json")):
        assert NetworkConfig.parse(json.loads(json.dumps(plain)), "n") == network


def test_kernel_sets_are_known_before_anything_ran() -> None:
    assert parse({"kernel_set_design": {"keep": 2}}).kernel_sets() == [
        "k1-3",
        "design-1",
        "design-2",
    ]
    fixed = {"fixed": [[1, 3], [5, 3]]}
    assert parse({"kernel_set_design": fixed}).kernel_sets() == ["k1-3", "k3-5"]


def test_argument_is_inline_yaml_or_a_file(tmp_path: Path) -> None:
    assert TrainingConfig.parse_argument("{epochs: 4}").epochs == 4
    path = tmp_path / "t.yaml"
    path.write_text("epochs: 5\n")
    assert TrainingConfig.parse_argument(str(path)).epochs == 5
    with pytest.raises(ConfigError, match="not valid YAML"):
        TrainingConfig.parse_argument("{epochs: ")
    with pytest.raises(ConfigError, match=r"missing\.yaml: cannot be read"):
        TrainingConfig.parse_argument(str(tmp_path / "missing.yaml"))


def test_the_studies_of_both_cifar_data_sets_differ_in_the_data_alone() -> None:
    ten, hundred = (
        (ROOT / f"config/{name}.yaml").read_text(encoding="utf-8").partition("experiment:")[2]
        for name in ("cifar10", "cifar100")
    )
    assert ten.replace("cifar10", "cifar100") == hundred
