"""What an edit reruns: each case edits a copy of a finished run and reads the dry run."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from project import (
    FEW_JOBS,
    ROOT,
    TINY,
    copy_project,
    planned_jobs,
    snakemake,
    surroundings,
    write_config,
)
from sklearn.datasets import load_digits

LIBRARY = "scripts/spikernel"
REPORT = {"tradeoff_report"}
TABLES = {"tradeoff_table", "export", *REPORT}
TRAINED = {"train_final", "deployment", *TABLES}
SEARCHED = {"nas_search_shard", "nas_search", *TRAINED}
MEASURED = {"kernel_impact", "kernel_impact_table", "kernel_set_design", *REPORT}
EVERYTHING = {"prepare_data", *MEASURED, *SEARCHED}

Edit = Callable[[Path], None]


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("reruns"))
    write_config(folder, FEW_JOBS)
    result = snakemake(folder)
    assert result.returncode == 0, result.stdout
    return folder


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    # copytree keeps modification times, as a copy by the user would.
    copied = tmp_path / "project"
    shutil.copytree(finished, copied, symlinks=True)
    return copied


def planned(folder: Path, *arguments: str) -> set[str]:
    result = snakemake(folder, "--dry-run", *arguments)
    assert result.returncode == 0, result.stdout
    return set(planned_jobs(result.stdout)) - {"all"}


def append(name: str, text: str = "\n_EDITED = 1\n") -> Edit:
    def edit(folder: Path) -> None:
        path = folder / LIBRARY / name
        assert path.exists(), path
        path.write_text(path.read_text() + text)

    return edit


def replace(name: str, old: str, new: str) -> Edit:
    def edit(folder: Path) -> None:
        path = folder / name
        text = path.read_text()
        assert old in text, f"{name} holds no {old!r}"
        path.write_text(text.replace(old, new, 1))

    return edit


def configure(**changes: object) -> Edit:
    return lambda folder: write_config(folder, {**FEW_JOBS, **changes})


def comment_everywhere(folder: Path) -> None:
    for path in (folder / "scripts").rglob("*.py"):
        path.write_text(path.read_text() + '\n# A remark.\n"""A text that nothing reads."""\n')


def touch_everything(folder: Path) -> None:
    for path in (folder / "scripts").rglob("*"):
        path.touch()


def lose_an_array(folder: Path) -> None:
    (folder / "results/tiny/digits/prepare_data/train_images.npy").unlink()


CASES: dict[str, tuple[Edit, set[str]]] = {
    "comments and texts in every module": (comment_everywhere, set()),
    "new times everywhere": (touch_everything, set()),
    "an error's class": (append("errors.py"), set()),
    "how files are written": (append("artifacts.py"), set()),
    "what is said of the images": (append("data/findings.py"), set()),
    "a setting that is new": (
        replace(
            f"{LIBRARY}/config/training.py",
            "    tensorboard: bool = False",
            "    shiny: bool = False\n    tensorboard: bool = False",
        ),
        set(),
    ),
    "a reader that is not used": (append("data/readers/tinyimagenet.py"), set()),
    "a score that is not used": (append("search/scores/rising_path.py"), set()),
    "an objective that is not used": (append("training/objectives/mean.py"), set()),
    "the page's style": (append("report/page/page.css", "\n/* edited */\n"), REPORT),
    "a part of the page": (append("report/page/page_sections.html.j2", "\n"), REPORT),
    "a figure": (append("report/charts/tradeoff_figure.py"), REPORT),
    "what the report shows": (
        configure(tradeoff_report={**FEW_JOBS["tradeoff_report"], "published_points": False}),
        REPORT,
    ),
    "a table": (append("report/tables/models.py"), TABLES),
    "the memory budgets": (
        configure(
            tradeoff_report={**FEW_JOBS["tradeoff_report"], "memory_budgets_mb": [0.02, 0.03]}
        ),
        TABLES,
    ),
    "the C templates": (append("export/c/main.c.j2", "/* edited */\n"), {"export", *REPORT}),
    "how a search is written": (append("study/nas_search.py"), SEARCHED - {"nas_search_shard"}),
    "the lowering": (append("export/lowering.py"), {"deployment", *TABLES}),
    "the score in use": (append("search/scores/sahd_half_n.py"), SEARCHED),
    "finalists": (
        configure(
            nas_search={
                **FEW_JOBS["nas_search"],
                "finalists": 2,
                "finalist_training": {"training": {"batch_size": 50}},
            }
        ),
        {"finalist_rung", "finalist_ranking", *TRAINED},
    ),
    "how nets are trained": (append("training/loop.py"), {*MEASURED, *TRAINED}),
    "the objective in use": (append("training/objectives/tet.py"), {*MEASURED, *TRAINED}),
    "the neuron in use": (append("network/neurons/lif.py"), {*MEASURED, *SEARCHED}),
    "the reader in use": (append("data/readers/digits.py"), EVERYTHING),
    "a prepared array that was lost": (lose_an_array, EVERYTHING),
    "the length of the final training": (
        configure(train_final={"seeds": [0], "training": {"recipe": "modern", "epochs": 2}}),
        TRAINED,
    ),
    "one more seed of the impact, where all sets are given": (
        configure(kernel_impact={**FEW_JOBS["kernel_impact"], "seeds": [0, 1]}),
        MEASURED,
    ),
    "one more width": (
        configure(train_final={**FEW_JOBS["train_final"], "widths": [1, 2]}),
        TRAINED,
    ),
    "one more seed": (
        configure(train_final={"seeds": [0, 1], "training": {"recipe": "modern", "epochs": 1}}),
        TRAINED,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_edit_reruns_what_it_can_change_and_nothing_else(project: Path, case: str) -> None:
    edit, expected = CASES[case]
    edit(project)
    assert planned(project) == expected


def test_data_that_moved_to_another_folder_are_not_prepared_again(tmp_path: Path) -> None:
    project = copy_project(tmp_path)
    digits = load_digits()
    for place, (image, label) in enumerate(zip(digits.images[:60], digits.target, strict=False)):
        path = project / "data" / "mine" / ("train", "test")[place % 3 // 2] / f"{label % 2}"
        path.mkdir(parents=True, exist_ok=True)
        Image.fromarray((16 * image).clip(max=255).astype("uint8")).save(path / f"{place}.png")
    config = {**TINY, "datasets": {"mine": {"kind": "imagefolder", "image_size": 8}}}
    write_config(project, config)
    prepared = snakemake(project, "--until", "prepare_data")
    assert prepared.returncode == 0, prepared.stdout
    (project / "data").rename(tmp_path / "scratch disk")
    write_config(project, {**config, "data_dir": str(tmp_path / "scratch disk")})
    assert planned(project, "--until", "prepare_data") == set()
    # One of them counts, a text does not; without them what was made of them stays.
    (tmp_path / "scratch disk/mine/train/1/notes.txt").write_text("mine")
    assert planned(project, "--until", "prepare_data") == set()
    extra = tmp_path / "scratch disk/mine/train/1/extra.png"
    Image.new("L", (8, 8)).save(extra)
    assert planned(project, "--until", "prepare_data") == {"prepare_data"}
    extra.unlink()
    (tmp_path / "scratch disk/mine").rename(tmp_path / "away")
    assert planned(project, "--until", "prepare_data") == set()
    (tmp_path / "away").rename(tmp_path / "scratch disk/mine")
    # They are found where they lie now.
    (project / "results/tiny/mine/prepare_data/manifest.json").unlink()
    prepared = snakemake(project, "--until", "prepare_data")
    assert prepared.returncode == 0, prepared.stdout


def test_another_teacher_trains_its_pupils_again(project: Path) -> None:
    teacher = project / "teacher.safetensors"
    released = next((project / "results/tiny").rglob("model.safetensors"))
    shutil.copy(released, teacher)
    training = {"recipe": "modern", "epochs": 1, "objective": "distil", "teacher": teacher.name}
    configure(train_final={"seeds": [0], "training": training})(project)
    assert planned(project) == TRAINED
    taught = snakemake(project, "--until", "train_final")
    assert taught.returncode == 0, taught.stdout
    assert "train_final" not in planned(project)
    # Another net of the same classes: the weights of the first with one bit turned.
    weights = bytearray(teacher.read_bytes())
    weights[-1] ^= 1
    teacher.write_bytes(weights)
    assert planned(project) == TRAINED


def test_make_figures_trains_nothing_whatever_was_edited(project: Path) -> None:
    append("training/loop.py")(project)
    append("report/charts/tradeoff_figure.py")(project)
    result = make(project, "figures")
    assert result.returncode == 0, result.stdout
    assert "Finished after" in result.stdout
    assert "Training" not in result.stdout
    assert "Drawing the report" in result.stdout


def make(folder: Path, target: str) -> subprocess.CompletedProcess[str]:
    """Run the commands of a target of the Makefile, but for the set-up, in a copy."""
    command = ["make", "--dry-run", "-C", str(ROOT), target, "CONFIG=config/tiny.yaml"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = printed.replace("\\\n", " ").splitlines()
    wanted = [line for line in lines if shlex.split(line)[0] in ("python", "snakemake")]
    script = " && ".join(line.replace("snakemake", f"{sys.executable} -m snakemake", 1)
                         if line.startswith("snakemake") else line for line in wanted)  # fmt: skip
    return subprocess.run(
        script, shell=True, cwd=folder, env=surroundings(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.parametrize("times", ["kept", "new"])
def test_results_copied_to_another_clone_are_finished(
    finished: Path, tmp_path: Path, times: str
) -> None:
    clone = copy_project(tmp_path / "clone")
    write_config(clone, FEW_JOBS)
    copy = shutil.copy2 if times == "kept" else shutil.copy
    shutil.copytree(finished / "results", clone / "results", copy_function=copy)
    adopted = make(clone, "adopt")
    assert adopted.returncode == 0, adopted.stdout
    assert "with these settings and this code" in adopted.stdout
    assert planned(clone) == set()
    append("training/loop.py")(clone)  # known in the clone, too
    assert planned(clone) == {*MEASURED, *TRAINED}


def test_results_of_other_settings_code_or_content_are_not_adopted(project: Path) -> None:
    configure(train_final={"seeds": [0], "training": {"recipe": "modern", "epochs": 2}})(project)
    refused = make(project, "adopt")
    assert "train_final/k1-3/rank-1/seed-0: made with other settings of training" in refused.stdout
    write_config(project, FEW_JOBS)
    append("search/scores/sahd_half_n.py")(project)
    refused = make(project, "adopt")
    assert refused.returncode != 0
    assert "nas_search/k1-3: made by other code" in refused.stdout
    table = project / "results/tiny/digits/kernel_impact/impact.csv"
    table.write_text(table.read_text() + "\n")
    assert "impact.csv is not what provenance.json beside it says" in make(project, "adopt").stdout


def test_the_workflow_runs_from_another_folder(finished: Path, tmp_path: Path) -> None:
    config, work = finished / "config" / "tiny.yaml", tmp_path / "elsewhere"
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", finished / "Snakefile", "--directory",
        work, "--configfile", config, "--cores", "1", "--until", "kernel_impact_table",
    ]  # fmt: skip
    result = subprocess.run(
        command, cwd=tmp_path, env=surroundings(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
    assert (work / "results/tiny/digits/kernel_impact/impact.csv").exists()
