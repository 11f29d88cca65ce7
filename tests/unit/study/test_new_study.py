"""A configuration for a folder of images: valid, prepared and planned; warnings; no overwriting."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from project import copy_project, planned_jobs, snakemake

from spikernel.config import WorkflowConfig
from spikernel.data import manifest as manifests
from spikernel.errors import BudgetError, ConfigError, DataError
from spikernel.study.new_study import Inputs, Outputs, Settings, run
from spikernel.study.prepare_data import prepare


def fill(root: Path, counts: dict[str, dict[str, int]], side: int = 20) -> Path:
    """Write `counts[part][class]` images of noise, all different."""
    generator = np.random.default_rng(0)
    for part, classes in counts.items():
        for name, count in classes.items():
            folder = root / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = generator.integers(0, 256, (side, side + 9, 3), np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return root


EVEN = {"train": {"a": 30, "b": 30}, "test": {"a": 20, "b": 20}}


def study(images: Path, path: Path, name: str | None = None, memory_mb: float = 0.2) -> str:
    run(Inputs(images), Outputs(path), Settings(name, memory_mb, time=False))
    return path.read_text()


def test_config_is_prepared_and_planned(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    images = fill(tmp_path / "My flowers", EVEN)
    path = project / "config/flowers.yaml"
    text = study(images, path)
    config = WorkflowConfig.read(path)
    # 30 images of each class less 20 % of them; the short sides are 20 pixels.
    assert "# 48 train, 12 validation, 40 test images of 2 classes at 20x20 pixels" in text
    assert "epochs: 60 # 120 steps" in text  # 48 images in batches of 25
    assert list(config.datasets) == ["My-flowers"]
    entry = config.datasets["My-flowers"]
    assert (entry.folder, entry.image_size) == ("My flowers", 20)
    prepare("My-flowers", entry, Path(config.data_dir), tmp_path / "manifest.json")
    counts = {
        name: s.count for name, s in manifests.read(tmp_path / "manifest.json").splits.items()
    }
    assert counts == {"train": 48, "validation": 12, "test": 40}
    planned = snakemake(project, "--dry-run", config="config/flowers.yaml")
    assert planned.returncode == 0, planned.stdout
    jobs = planned_jobs(planned.stdout)
    # 7 reference nets (3x3 once) and 4 sets at two widths, for two seeds each.
    assert (jobs["kernel_impact"], jobs["train_final"]) == (14, 16)
    # What the comments propose is a configuration, too.
    path.write_text(re.sub("# (finalist)", r"\1", text))
    planned = snakemake(project, "--dry-run", config="config/flowers.yaml")
    assert planned_jobs(planned.stdout)["finalist_rung"] == 4, planned.stdout


def test_tiny_and_lopsided_classes_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = {"train": {"a": 150, "b": 10}, "test": {"a": 40, "b": 5}}
    study(fill(tmp_path / "pets", counts, side=9), tmp_path / "pets.yaml")
    shown = capsys.readouterr().out
    # Of 150 and 10 training images a fifth is kept for validation.
    assert "warning: fewer than 20 train images: 'b' (8): add images" in shown
    assert "warning: fewer than 20 test images: 'b' (5): add images" in shown
    assert "120 training images of 'a', 8 of 'b'" in shown
    assert shown.splitlines()[-1].endswith(f"--configfile {tmp_path}/pets.yaml")


def test_many_images_of_even_classes_cause_no_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = {**EVEN, "val": {"a": 200, "b": 200}}
    study(fill(tmp_path / "pets", counts, side=30), tmp_path / "pets.yaml")
    assert "warning" not in capsys.readouterr().out


def test_few_validation_images_and_long_ones_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study(fill(tmp_path / "pets", EVEN, side=9), tmp_path / "pets.yaml")
    shown = capsys.readouterr().out
    # 100 / sqrt(12) = 28.9; the images are 18 by 9 pixels.
    assert "warning: 12 validation images decide every choice: an accuracy on them" in shown
    assert "is known to 29 points only" in shown
    assert "warning: half of the images lose 50 % or more at their edges" in shown


def test_a_small_memory_is_refused_only_where_no_net_fits(tmp_path: Path) -> None:
    # Its narrowest chain, with 4 channels, has about 19,000 parameters.
    study(fill(tmp_path / "pets", EVEN, side=28), tmp_path / "pets.yaml", memory_mb=0.02)
    assert WorkflowConfig.read(tmp_path / "pets.yaml").network.channels == 4


@pytest.mark.parametrize(
    ("side", "size", "macro"), [(9, 8, "modern"), (28, 28, "compact"), (90, 64, "compact")]
)
def test_net_and_size_follow_the_images(tmp_path: Path, side: int, size: int, macro: str) -> None:
    path = tmp_path / "pets.yaml"
    study(fill(tmp_path / "pets", {"train": {"a": 5, "b": 5}, "val": {"a": 2, "b": 2}}, side), path)
    config = WorkflowConfig.read(path)
    assert config.datasets["pets"].image_size == size
    assert config.network.macro == macro
    assert config.nas_search.budget.max_memory_mb == 0.2
    fills = macro == "compact"  # whose cells the score was fitted to
    assert config.nas_search.budget.fill == fills
    assert config.nas_search.score == ("predicted_accuracy" if fills else "rising_path")
    assert config.train_final.widths == ((0.7, 1.0) if fills else (1.0,))
    assert config.tradeoff_report.memory_budgets_mb == (0.11, 0.15, 0.2)


def test_a_validation_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    counts = {**EVEN, "val": {"a": 7, "b": 7}}
    text = study(fill(tmp_path / "pets", counts), tmp_path / "pets.yaml")
    assert "# 60 train, 14 validation, 40 test images" in text
    assert "validation_fraction" not in text


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "pets.yaml"
    path.write_text("mine")
    with pytest.raises(ConfigError, match=r"pets\.yaml is there already: remove it"):
        study(fill(tmp_path / "pets", EVEN), path)
    assert path.read_text() == "mine"


def test_bad_input_is_refused_and_nothing_written(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    with pytest.raises(DataError, match=re.escape("train holds no images: --images must be")):
        study(tmp_path, path)
    images = fill(tmp_path / "pets", EVEN)
    with pytest.raises(BudgetError, match=r"4 channels .* needs more than 0\.001 MB: raise"):
        study(images, path, memory_mb=0.001)
    with pytest.raises(ConfigError, match="experiment"):
        study(images, path, name="a/b")
    assert not path.exists()


def test_linked_classes_and_damaged_images_do_not_hinder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = fill(tmp_path / "real", EVEN, side=28)
    for part, classes in EVEN.items():
        (tmp_path / "linked" / part).mkdir(parents=True)
        for name in classes:
            (tmp_path / "linked" / part / name).symlink_to(real / part / name)
    (tmp_path / "linked/valid/a").mkdir(parents=True)
    (real / "train/a/z.ppm").write_bytes(b"P6\n28 ")
    path = tmp_path / "linked.yaml"
    study(tmp_path / "linked", path)
    assert WorkflowConfig.read(path).datasets["linked"].image_size == 28
    assert "warning: left out, being no part of it: valid/" in capsys.readouterr().out


def test_the_largest_budget_is_what_cells_may_fill(tmp_path: Path) -> None:
    path = tmp_path / "pets.yaml"
    study(fill(tmp_path / "pets", EVEN, side=28), path, memory_mb=0.262144)
    config = WorkflowConfig.read(path)
    assert config.nas_search.budget.max_memory_mb == 0.262144
    assert config.tradeoff_report.memory_budgets_mb == (0.144, 0.197, 0.262144)


def test_a_name_or_memory_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no name can be made of that of .*: give --name"):
        run(Inputs(fill(tmp_path / "花", EVEN)), Outputs(), Settings(time=False))
    for memory_mb in (float("inf"), float("nan"), 0.0):
        with pytest.raises(ConfigError, match="--memory-mb must be a positive number"):
            study(tmp_path / "花", tmp_path / "x.yaml", "x", memory_mb)
