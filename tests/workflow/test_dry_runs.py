import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from project import ROOT, TINY, copy_project, planned_jobs, snakemake, write_config

CONFIGS = sorted(path.name for path in (ROOT / "config").glob("*.yaml"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("dry"))


@pytest.fixture
def rewritten(project: Path) -> Iterator[Path]:
    """The project, whose configuration is put back after a test that writes another."""
    yield project
    write_config(project, TINY)


@pytest.mark.parametrize("name", CONFIGS)
def test_dry_run_shows_every_job_before_any_data_is_there(project: Path, name: str) -> None:
    config = yaml.safe_load((ROOT / "config" / name).read_text())
    result = snakemake(project, "--dry-run", config=f"config/{name}")
    assert result.returncode == 0, result.stdout
    datasets = len(config["datasets"])
    sizes = len(config["kernel_impact"]["kernel_sizes"])
    design = config["kernel_set_design"]
    sets = len(design["fixed"]) if "fixed" in design else design["keep"] + 1
    final, search = config["train_final"], config["nas_search"]
    widths = final.get("widths", [1])
    if isinstance(widths, dict):
        nets = sets - len(widths) + sum(map(len, widths.values()))
    else:
        nets = sets * len(widths)
    finals = datasets * nets * final["ranks"] * len(final["seeds"])
    finalists = {}
    if "finalists" in search:
        rungs = len(search["finalist_training"]["rungs"])
        finalists = {"finalist_rung": datasets * sets * rungs, "finalist_ranking": datasets * sets}
    assert planned_jobs(result.stdout) == {
        "all": 1,
        "prepare_data": datasets,
        # Two controls that share the 3x3 net.
        "kernel_impact": datasets * (2 * sizes - 1) * len(config["kernel_impact"]["seeds"]),
        "kernel_impact_table": datasets,
        "kernel_set_design": datasets,
        "nas_search": datasets * sets,
        **finalists,
        "train_final": finals,
        "deployment": finals,
        "tradeoff_table": 1,
        "tradeoff_report": 1,
        "export": datasets,
    }


@pytest.mark.parametrize("name", ["demo.yaml", "config.yaml"])
def test_groups_of_the_slurm_profile_hold_what_lies_between(project: Path, name: str) -> None:
    """Snakemake refuses a group that another rule's job would have to leave and enter again."""
    planned = snakemake(
        project, "--dry-run", "--profile", "profiles/slurm", config=f"config/{name}"
    )
    assert planned.returncode == 0, planned.stdout


def test_config_yaml_is_the_default_and_is_not_merged(project: Path) -> None:
    tiny = snakemake(project, "--dry-run")
    assert planned_jobs(tiny.stdout)["prepare_data"] == 1
    default = snakemake(project, "--dry-run", config="config/config.yaml")
    assert planned_jobs(default.stdout)["prepare_data"] == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nas_serach": {}}, "nas_serach: unknown key; did you mean 'nas_search'?"),
        ({"datasets": {"digts": {}}}, "datasets/digts: must be one of cifar10, cifar100"),
        ({"nas_search": {"budget": {"max_params": 100}}}, "no architecture meets the budget"),
        ({"train_final": {"widths": [0.1, 1]}}, "network/channels 4 gives 0.4 channels"),
        ({"train_final": {"ranks": 9}, "nas_search": {"iterations": 3}}, "has only 3 candidates"),
        ({"datasets": {"digits": {"image_size": 9}}}, "image_size is fixed for digits: remove it"),
        (
            {"nas_search": {"score": "longest_convolution_path", "prefilter": 3}},
            "score longest_convolution_path allows no prefilter: remove prefilter",
        ),
        ({"kernel_set_design": {"fixed": [[2]]}}, "a kernel size must be odd and positive, got 2"),
        ({"kernel_set_design": {"fixed": [[]]}}, "must hold at least one kernel size"),
        (
            {"export": {"memory_budget_mb": 3}},
            "is not among tradeoff_report/memory_budgets_mb [0.02]",
        ),
    ],
)
def test_bad_configuration_is_one_line(
    rewritten: Path, changes: dict[str, object], message: str
) -> None:
    write_config(rewritten, {**TINY, **changes})
    result = snakemake(rewritten, "--dry-run")
    assert result.returncode == 2
    # Behind the line about the profile there is nothing but what is to be mended.
    _, *lines = result.stdout.splitlines()
    assert [line for line in lines if message in line]
    assert all(line.startswith("error: config/tiny.yaml") for line in lines)


def test_what_is_wrong_is_listed_at_once_with_its_lines(project: Path) -> None:
    config = project / "config" / "wrong.yaml"
    config.write_text(
        "experiment: x\n"
        "datasets:\n"
        "  digits:\n"
        "    network: {chanels: 3}\n"
        "  cifar10:\n"
        "network:\n"
        "  pool: 40\n"
    )
    result = snakemake(project, "--dry-run", config="config/wrong.yaml")
    assert [line.split(": ")[:3] for line in result.stdout.splitlines()[1:]] == [
        ["error", "config/wrong.yaml, line 4", "datasets/digits/network/chanels"],
        ["error", "config/wrong.yaml, line 7", "network/pool"],
    ]
    result = snakemake(project, "--dry-run", "--config", "threads=many")
    assert result.stdout.splitlines()[1:] == [
        "error: --config: threads: must be a whole number (found 'many')"
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "latin.yaml",
            "# für\n".encode("latin-1"),
            ", line 1: is not UTF-8 text: save it as UTF-8",
        ),
        ("tab.yaml", b"network:\n\tpool: 1\n", ", line 2: not valid YAML: found character '\\t'"),
        ("missing.yaml", None, ": cannot be read: No such file or directory"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_one_line(
    project: Path, name: str, content: bytes | None, message: str
) -> None:
    path = project / "config" / name
    if content is not None:
        path.write_bytes(content)
    result = snakemake(project, "--dry-run", config=f"config/{name}")
    assert result.returncode == 2
    _, line = result.stdout.splitlines()
    assert line.startswith(f"error: config/{name}{message}")


def test_so_is_the_default_one(tmp_path: Path) -> None:
    project = copy_project(tmp_path)
    (project / "config/config.yaml").write_bytes("# für\n".encode("latin-1"))
    command = [sys.executable, "-m", "snakemake", "--dry-run"]
    result = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr.splitlines()[1:] == [
        "error: config/config.yaml, line 1: is not UTF-8 text: save it as UTF-8"
    ]


def test_a_key_that_stands_twice_is_one_line(project: Path) -> None:
    config = project / "config" / "twice.yaml"
    config.write_text((project / "config/tiny.yaml").read_text() + "experiment: other\n")
    result = snakemake(project, "--dry-run", config="config/twice.yaml")
    assert result.returncode != 0
    assert "twice.yaml: key 'experiment' stands in line" in result.stdout
    assert "Traceback" not in result.stdout


def test_every_rule_has_a_script_an_environment_and_a_log() -> None:
    rules = [path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk")]
    for text in rules:
        for block in text.split("\nrule ")[1:]:
            name = re.search(r'SPIKERNEL_SCRIPTS"/(\w+)\.py', block)
            assert name
            assert re.search(rf'code=code\(\s*"{name[1]}"', block), f"{name[1]}: its own digest"
            assert "conda:" in block
            assert "log:" in block


def test_shards_split_each_search_over_jobs(rewritten: Path) -> None:
    search = {**TINY["nas_search"], "shards": 3}  # type: ignore[dict-item]
    write_config(rewritten, {**TINY, "nas_search": search})
    result = snakemake(rewritten, "--dry-run")
    assert planned_jobs(result.stdout)["nas_search_shard"] == 3 * 2  # two kernel sets
    assert planned_jobs(result.stdout)["nas_search"] == 2


@pytest.mark.parametrize(
    ("design", "measured"),
    [({"fixed": [[1, 3], [1]]}, False), ({"sizes_per_set": [1], "keep": 1}, True)],
)
def test_searches_wait_for_the_impact_only_where_sets_are_designed(
    rewritten: Path, design: dict[str, object], measured: bool
) -> None:
    write_config(rewritten, {**TINY, "kernel_set_design": design})
    targets = [f"results/tiny/digits/nas_search/{name}/search.json" for name in ("k1-3", "k1")]
    if measured:
        targets[1] = "results/tiny/digits/nas_search/design-1/search.json"
    result = snakemake(rewritten, "--dry-run", "--printshellcmds", *targets)
    assert ("kernel_impact" in planned_jobs(result.stdout)) == measured
    commands = re.findall(r"nas_search\.py --manifest \S+ (.*?) --network", result.stdout)
    sets = "--kernel-sets results/tiny/digits/kernel_set_design/kernel_sets.json"
    second = f"{sets} --kernel-set design-1" if measured else "--kernel-sizes 1"
    assert sorted(commands) == sorted(["--kernel-sizes 1 3", second])


def test_exports_can_be_left_out(rewritten: Path) -> None:
    write_config(rewritten, {**TINY, "export": {"enabled": False}})
    result = snakemake(rewritten, "--dry-run")
    assert "export" not in planned_jobs(result.stdout)
