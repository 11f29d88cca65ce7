"""What an experiment will cost: its nets and their numbers, data, times, limits of a cluster."""

import os
from pathlib import Path

import pytest
import yaml
from project import TINY

from spikernel.config import Budget, DatasetConfig, NetworkConfig, SearchConfig, WorkflowConfig
from spikernel.data import manifest as manifests
from spikernel.errors import BudgetError, ConfigError, SpikernelError
from spikernel.search.strategies import Space
from spikernel.space.architecture import ImageShape
from spikernel.space.cell import Cell
from spikernel.study.cluster_profile import read_profile
from spikernel.study.data_ahead import collection_ahead, manifest_ahead
from spikernel.study.estimate import (
    Cost,
    Inputs,
    RuleCost,
    Settings,
    _manifest,
    _rule_costs,
    describe_on_cluster,
    estimate,
    run,
)
from spikernel.study.planned_nets import PlannedNet, likely_cell, planned_nets
from spikernel.study.prepare_data import prepare
from spikernel.study.step_time import NetTimes, RuleTimes, time_nets

ROOT = Path(__file__).parents[3]
DIGITS = ImageShape(1, 8, 10)


def config(**changes: object) -> WorkflowConfig:
    return WorkflowConfig.parse({**TINY, **changes}, "toy")


def jobs(nets: list, rule: str) -> float:
    return sum(net.jobs for net in nets if net.rule == rule)


def test_demo_trains_14_and_14_nets() -> None:
    demo = WorkflowConfig.read(ROOT / "config/demo.yaml")
    nets = planned_nets(demo, "digits", DIGITS)
    assert jobs(nets, "kernel_impact") == 14  # 4 sizes under 2 controls, 3x3 once; 2 seeds
    assert jobs(nets, "train_final") == pytest.approx(14)  # 6 designed sets, the baseline; 2 seeds
    # Of the 10 sets of two or three of four sizes {1, 3} is the baseline: 9 share 6 searches.
    final = [net for net in nets if net.rule == "train_final"]
    assert [round(net.searches, 3) for net in final] == [1, *[0.667] * 9]


def test_fixed_sets_are_searched_as_they_are() -> None:
    fixed = config(
        kernel_set_design={"fixed": [[1, 3]]}, nas_search={"strategy": "exhaustive", "prefilter": 9}
    )
    (net,) = [n for n in planned_nets(fixed, "digits", DIGITS) if n.rule == "train_final"]
    assert (net.jobs, net.searches, net.candidates) == (1, 1, 9)
    # A chain of the largest kernels is what the default score likes best.
    assert net.architecture.cell.archid.count("k3") >= 3


def test_finalists_are_counted_by_rung() -> None:
    how = {"beside": 1, "rungs": [1, 2], "reduction_factor": 2, "seeds": [0, 1], "shards": 2}
    halving = config(
        kernel_set_design={"fixed": [[1, 3]]},
        nas_search={"strategy": "exhaustive", "finalists": 7, "finalist_training": how},
    )
    first, second = (
        n for n in planned_nets(halving, "digits", DIGITS) if n.rule == "finalist_rung"
    )
    # One search; 8 finalists, then 4, with two seeds each, in two jobs.
    assert (first.jobs, first.trainings, first.training.epochs) == (2, 8, 1)
    assert (second.jobs, second.trainings, second.training.epochs) == (2, 4, 2)
    assert first.training.recipe == "engine"
    assert jobs(planned_nets(config(), "digits", DIGITS), "finalist_rung") == 0


def test_shards_are_jobs_of_a_search() -> None:
    fixed = config(
        kernel_set_design={"fixed": [[1, 3]]}, nas_search={"strategy": "exhaustive", "prefilter": 9}
    )
    (net,) = [n for n in planned_nets(fixed, "digits", DIGITS) if n.rule == "train_final"]
    # 9 cells of 2 s each, and 1 s until a job computes.
    times = RuleTimes((NetTimes(5.0, 1.0, 3.0, 2.0, 0),), 1.0, 0, 0)
    whole, *_ = _rule_costs("d", [net], times, SearchConfig())
    assert (whole.rule, whole.jobs, whole.longest, whole.seconds) == ("nas_search", 1, 19, 19)
    split, *_ = _rule_costs("d", [net], times, SearchConfig(shards=3))
    assert (split.rule, split.jobs) == ("nas_search_shard", 3)
    assert (split.longest, split.seconds) == (1 + 6, 3 + 18)


def test_widths_multiply_final_nets_alone() -> None:
    fixed = {"fixed": [[1, 3]]}
    two = config(kernel_set_design=fixed, train_final={"widths": [0.5, 1]})
    finals = [n for n in planned_nets(two, "digits", DIGITS) if n.rule == "train_final"]
    found = [(n.architecture.network.channels, n.jobs, n.searches) for n in finals]
    assert found == [(4, 1, 1), (2, 1, 0)]  # the search is at width 1
    # One of two sets, the designed one, whatever its sizes will be.
    some = config(train_final={"widths": {"design-1": [1, 2]}})
    finals = [n for n in planned_nets(some, "digits", DIGITS) if n.rule == "train_final"]
    wide = [n for n in finals if n.architecture.network.channels == 8]
    assert (sum(n.jobs for n in finals), sum(n.jobs for n in wide)) == (pytest.approx(3), 1)
    assert sum(n.searches for n in finals) == pytest.approx(2)


def test_a_budget_that_nothing_meets_is_refused() -> None:
    tight = config(nas_search={"budget": {"max_params": 5}})
    with pytest.raises(BudgetError, match="no architecture meets the budget"):
        planned_nets(tight, "digits", DIGITS)


def test_data_ahead_are_what_is_prepared(tmp_path: Path) -> None:
    settings = DatasetConfig(kind="digits", train_images=200, test_images=60)
    prepare("digits", settings, tmp_path, tmp_path / "manifest.json")
    made = manifests.read(tmp_path / "manifest.json")
    ahead = manifest_ahead("digits", settings, collection_ahead("digits", settings, tmp_path))
    for name, split in made.splits.items():
        assert ahead.splits[name].per_class == split.per_class
    assert (ahead.classes, ahead.image_size, ahead.channels) == (made.classes, 8, 1)


@pytest.mark.parametrize(
    ("kind", "counts", "size"),
    [("cifar10", [45000, 5000, 10000], 32), ("tinyimagenet", [90000, 10000, 10000], 64)],
)
def test_published_data_are_counted_without_a_file(
    tmp_path: Path, kind: str, counts: list[int], size: int
) -> None:
    settings = DatasetConfig(kind=kind)
    ahead = manifest_ahead(kind, settings, collection_ahead(kind, settings, tmp_path))
    assert [split.count for split in ahead.splits.values()] == counts
    assert ahead.image_size == size
    assert not list(tmp_path.iterdir())


def test_tiny_study_is_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tiny.yaml"
    how = {"rungs": [1], "seeds": [0], "training": {"recipe": "engine", "batch_size": 50}}
    halving = {"finalists": 2, "finalist_training": how}
    search = {**TINY["nas_search"], **halving}  # type: ignore[dict-item]
    path.write_text(yaml.safe_dump({**TINY, "device": "cpu", "nas_search": search}))
    run(Inputs(path, tmp_path, ROOT / "profiles/slurm"), Settings(cores=2))
    shown = capsys.readouterr().out
    rows = [line.split("|")[1:4] for line in shown.splitlines() if line.startswith("| digits")]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["digits", "kernel_impact", "3"],
        ["digits", "nas_search", "2"],
        ["digits", "finalist_rung", "2"],
        ["digits", "train_final", "2"],
        ["digits", "deployment", "2"],
    ]
    # 260 images of 8x8 bytes, each with a label of 8 bytes.
    assert "Disk: 0.0187 MB of images" in shown
    assert "2 jobs at once" in shown
    assert "at most 50 jobs at once" in shown


class Killer(PlannedNet):
    def __reduce__(self) -> tuple[object, tuple[int]]:
        return os._exit, (9,)


def test_a_process_that_is_killed_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    settings = DatasetConfig(kind="digits")
    manifest = manifest_ahead("digits", settings, collection_ahead("digits", settings, tmp_path))
    net = planned_nets(config(), "digits", DIGITS)[0]
    killer = Killer(net.rule, net.architecture, net.training, net.jobs)
    with pytest.raises(SpikernelError, match="kernel_impact on digits: a training step was killed"):
        time_nets([killer], manifest, SearchConfig(), "cpu", 1)


def test_a_device_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpikernelError, match="cuda"):
        estimate(config(device="cuda"), tmp_path, 1)


def cost(seconds: float) -> Cost:
    rules = [
        RuleCost("d", rule, 4, seconds, 4 * seconds, 1.0, 0.0)
        for rule in ("kernel_impact", "train_final")
    ]
    return Cost(tuple(rules), 2, 0, 0, 0)


def test_rules_wait_for_each_other() -> None:
    # 4 jobs of a minute, 2 at once, and then again.
    assert cost(60).seconds == 240


def test_jobs_longer_than_their_limit_are_named() -> None:
    slurm = read_profile(ROOT / "profiles/slurm")
    # kernel_impact may take 720 min at first, train_final 1440: 13 h is too long for one of them.
    shown = describe_on_cluster(cost(13 * 3600), slurm)
    assert "104 node hours, 104 of them of jobs that ask for a GPU" in shown
    assert "kernel_impact on d: a job of 13.0 h outlasts its first 720 min" in shown
    assert "train_final on d" not in shown


def test_resources_may_be_listed_as_on_a_command_line(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "default-resources: [mem_mb=4000, runtime=30*attempt, gpu=0]\n"
        "set-resources:\n- train_final:gpu=1\n- train_final:runtime=600\n"
    )
    profile = read_profile(tmp_path)
    assert profile.asked("kernel_impact") == {"mem_mb": 4000, "runtime": "30*attempt", "gpu": 0}
    assert profile.asked("train_final") == {"mem_mb": 4000, "runtime": 600, "gpu": 1}
    # 4 jobs of each of two rules for an hour, those of one with a GPU.
    shown = describe_on_cluster(cost(3600), profile)
    assert "8 node hours, 4 of them of jobs that ask for a GPU" in shown
    assert "kernel_impact on d: a job of 60.0 min outlasts its first 30 min" in shown
    assert "train_final on d" not in shown
    assert "at most any number of jobs at once" in shown


@pytest.mark.parametrize(
    ("runtime", "minutes"),
    [
        ("90", 90), ("90 * attempt", 90), ("'90'", 90), ("2h", 120), ("90m", 90), ("1d", 1440),
        ("attempt * 90", None), ("hours", None),
    ],
)  # fmt: skip
def test_runtimes_are_minutes_or_time_spans(
    tmp_path: Path, runtime: str, minutes: int | None
) -> None:
    (tmp_path / "config.yaml").write_text(f"default-resources: {{runtime: {runtime}}}\n")
    assert read_profile(tmp_path).first_minutes("train_final") == minutes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("default-resources: [mem_mb]", "default-resources: 'mem_mb' must be resource=value"),
        ("set-resources: [gpu=1]", "set-resources: 'gpu=1' must be rule:resource=value"),
        ("set-resources: {train_final: gpu}", "train_final: 'gpu' must be resource=value"),
    ],
)
def test_resources_that_are_no_assignments_are_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_profile(tmp_path)


def test_a_folder_without_a_profile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no config\*\.yaml"):
        read_profile(tmp_path)


def test_data_that_were_prepared_with_other_settings_are_not_counted(tmp_path: Path) -> None:
    given = config(datasets={"digits": {"train_images": 200}})
    folder = tmp_path / "results" / given.experiment / "digits" / "prepare_data"
    prepare("digits", DatasetConfig(kind="digits"), tmp_path, folder / "manifest.json")
    found = _manifest(given, "digits", tmp_path / "results")
    # 200 less a tenth of every class.
    assert found.splits["train"].count + found.splits["validation"].count == 200


def test_the_cell_that_a_score_chooses() -> None:
    network, images = NetworkConfig(macro="compact", channels=8), ImageShape(3, 32, 10)
    search = SearchConfig(strategy="exhaustive", budget=Budget(max_params=10**9))
    space = Space.of(search, (1, 3), network, images)
    cells = [
        Cell.from_archid(name)
        for name in ("k1-zero-skip-k1-zero-zero", "k3-zero-skip-k3-zero-k3", "k1-k1-k1-k1-k1-k1")
    ]

    def chosen(score: str) -> Cell:
        return likely_cell(cells, search.model_copy(update={"score": score}), space)

    # Both others are three deep or count six; the fewest parameters decide between equal ones.
    assert chosen("convolutions_after_clean_up") == cells[2]
    assert chosen("rising_path") == cells[1]
    assert chosen("sahd_half") == cells[1]  # needs images, so the default stands for it
