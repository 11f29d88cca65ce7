import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def slurm() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "profiles" / "slurm" / "config.v9+.yaml").read_text())


@pytest.fixture(scope="module")
def rules() -> dict[str, str]:
    """Return the text of each rule by its name."""
    text = "\n".join(path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    blocks = re.split(r"^rule (\w+):", text, flags=re.MULTILINE)[1:]
    return dict(zip(blocks[::2], blocks[1::2], strict=True))


def test_rules_that_take_a_device_ask_for_a_gpu(slurm: dict, rules: dict) -> None:
    on_device = {name for name, text in rules.items() if "--device" in text}
    assert set(slurm["set-resources"]) == on_device
    assert all(resources["gpu"] == 1 for resources in slurm["set-resources"].values())


def test_groups_name_rules(slurm: dict, rules: dict) -> None:
    assert {entry.split("=")[0] for entry in slurm["groups"]} <= set(rules)


def test_memory_grows_with_every_attempt_and_time_where_nothing_is_kept(slurm: dict) -> None:
    """A longer job than its partition allows would wait for ever."""
    assert slurm["retries"] > 0
    asked = {"default": slurm["default-resources"], **slurm["set-resources"]}
    for rule, resources in asked.items():
        assert re.fullmatch(r"\d+ \* attempt", resources["mem_mb"])
        kept = rule in ("kernel_impact", "finalist_rung", "train_final") or "nas_search" in rule
        assert re.fullmatch(r"\d+" if kept else r"\d+ \* attempt", str(resources["runtime"]))


def test_both_profiles_compare_content_alike(slurm: dict) -> None:
    default = yaml.safe_load((ROOT / "profiles" / "default" / "config.v9+.yaml").read_text())
    for name in ("max-checksum-file-size", "rerun-incomplete", "keep-going", "show-failed-logs"):
        assert slurm[name] == default[name]


def test_jobs_on_one_gpu_wait_for_each_other(rules: dict) -> None:
    on_device = {name for name, text in rules.items() if "--device" in text}
    assert {name for name, text in rules.items() if "gpu_jobs=GPU_JOBS" in text} == on_device
    default = yaml.safe_load((ROOT / "profiles" / "default" / "config.v9+.yaml").read_text())
    assert default["resources"] == {"gpu_jobs": 1}
