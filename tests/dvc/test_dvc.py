"""`dvc repro`, `push` and `pull` for real: who runs what, and what is noticed.

All tests share one finished and published run; each works in a fresh clone that pulled it.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from PIL import Image
from project import FEW_JOBS, ROOT
from repository import CONFIG, PULL, Clone, contents, make_origin, s3_server
from sklearn.datasets import load_digits

MODEL = "results/demo/digits/train_final/k1-3/rank-1/seed-0/model.safetensors"
REPORT = "results/demo/tradeoff_report"
FIGURES = f"{REPORT}/figures"
DEMO = ("bookkeeping", "studies/dvc.yaml:study@demo")
# A training, and what is made of its result.
RETRAINED = {
    "all": 1,
    "train_final": 1,
    "deployment": 1,
    "tradeoff_table": 1,
    "export": 1,
    "tradeoff_report": 1,
}


@dataclass
class Published:
    origin: Path
    first: Clone
    store: Path
    results: dict[str, bytes]
    output: str


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Build everything in a fresh clone with `dvc repro`; push it to a folder."""
    folder = tmp_path_factory.mktemp("dvc")
    origin = make_origin(folder)
    first = Clone(origin, folder / "first")
    output = first.run("dvc", "repro")
    store = folder / "store"
    first.run("dvc", "remote", "add", "--default", "store", str(store))
    first.run("dvc", "remote", "modify", "store", "verify", "true")
    first.run("dvc", "push")
    first.commit()
    return Published(origin, first, store, contents(first.folder / "results"), output)


@pytest.fixture
def clone(published: Published, tmp_path: Path) -> Clone:
    """Return a fresh clone that pulled the results."""
    fresh = Clone(published.origin, tmp_path / "clone")
    fresh.run(*PULL)
    return fresh


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


def test_fresh_clone_builds_everything(published: Published) -> None:
    assert "train_final" in published.output
    for kind in ("svg", "pdf", "png", "csv"):
        assert published.results[f"demo/tradeoff_report/figures/accuracy_vs_memory.{kind}"]
    assert published.results[MODEL.removeprefix("results/")]
    assert "files are as their jobs wrote them" in published.output


def test_second_time_neither_tool_has_anything_to_do(clone: Clone) -> None:
    assert "Data and pipelines are up to date" in clone.run("dvc", "repro")
    assert clone.planned() == {}
    assert clone.run("git", "status", "--porcelain") == ""


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_pulled_results_are_the_pushed_ones(
    published: Published, tmp_path: Path, kind: str, s3: str
) -> None:
    fresh = Clone(published.origin, tmp_path / "fresh")
    if kind == "s3":
        # The remote is chosen per clone, as a user with another store would.
        for clone in (published.first, fresh):
            clone.run("dvc", "remote", "add", "--local", "bucket", "s3://store/spikernel")
            clone.run("dvc", "remote", "modify", "--local", "bucket", "endpointurl", s3)
        published.first.run("dvc", "push", "--remote", "bucket")
        fresh.run(*PULL, "--remote", "bucket")
    else:
        fresh.run(*PULL)
    pulled = contents(fresh.folder / "results")
    assert {k: v for k, v in pulled.items() if k != "README.md"} == published.results
    assert fresh.planned() == {}
    assert "up to date" in fresh.run("dvc", "status", *DEMO)


def test_every_study_is_alone(tmp_path: Path) -> None:
    """None but the demo belongs to what a bare `dvc repro` makes; each names its own experiment."""
    clone = Clone(make_origin(tmp_path), tmp_path / "clone")
    studies = yaml.safe_load((ROOT / "studies/dvc.yaml").read_text())["stages"]["study"]
    for name, about in studies["foreach"].items():
        planned = clone.run("dvc", "repro", "--dry", "--force", f"studies/dvc.yaml:study@{name}")
        assert re.findall(r"--configfile (\S+)", planned) == [about["config"]]
        settings = clone.folder / about["config"]
        assert yaml.safe_load(settings.read_text())["experiment"] == name
    planned = clone.run("dvc", "repro", "--dry", "--force")
    assert re.findall(r"--configfile (\S+)", planned) == [CONFIG]


def test_compiled_model_is_no_part_of_the_results(clone: Clone) -> None:
    """What `make -C .../c_int8 run` leaves there changes nothing that DVC records."""
    for name in ("model.o", "classify", "device/cortex-m3.elf", "device/logits.f32"):
        (clone.folder / "results/demo/digits/export/c_int8" / name).touch()
    assert "up to date" in clone.run("dvc", "status", *DEMO)


def test_deleted_figures_are_drawn_again_without_training(clone: Clone) -> None:
    shutil.rmtree(clone.folder / FIGURES)
    assert clone.jobs() == {"all": 1, "tradeoff_report": 1}
    assert (clone.folder / FIGURES / "accuracy_vs_memory.svg").stat().st_size > 0
    assert clone.jobs() == {}


def test_deleted_checkpoint_is_not_forgotten(clone: Clone, published: Published) -> None:
    """DVC records what is there after a stage: a file Snakemake leaves out would be lost."""
    (clone.folder / MODEL).unlink()
    assert clone.jobs()["train_final"] == 1
    again = (clone.folder / MODEL).read_bytes()
    assert again == published.results[MODEL.removeprefix("results/")]


def test_added_seed_runs_alone(clone: Clone) -> None:
    final = {**FEW_JOBS["train_final"], "seeds": [0, 1]}  # type: ignore[dict-item]
    clone.configure(train_final=final)
    assert clone.jobs() == RETRAINED
    assert "train_final.seeds" in clone.run("dvc", "params", "diff")


def test_changed_training_reruns_training_and_what_follows(clone: Clone) -> None:
    training = {"recipe": "modern", "epochs": 12, "learning_rate": 0.02}
    clone.configure(train_final={"seeds": [0], "training": training})
    assert clone.jobs() == RETRAINED
    params = clone.run("dvc", "params", "diff")
    assert re.search(r"train_final\.training\.epochs +1 +12", params)
    metrics = clone.run("dvc", "metrics", "diff")
    # Path, name, before, after, change.
    assert re.search(r"digits\.within_0\.02_mb\.test_accuracy_percent_mean( +-?[\d.]+){3}", metrics)
    clone.run("dvc", "plots", "diff")
    page = (clone.folder / "dvc_plots" / "index.html").read_text()
    assert '"workspace"' in page
    assert '"HEAD"' in page


def test_everything_is_rebuilt_from_raw_data(clone: Clone, published: Published) -> None:
    """With the commands of docs/dvc.md; nothing comes back from DVC's cache."""
    shutil.rmtree(clone.folder / "results" / "demo")
    shutil.rmtree(clone.folder / ".snakemake" / "metadata")
    jobs = clone.jobs()
    assert {"prepare_data", "kernel_impact", "nas_search_shard", "train_final"} <= set(jobs)
    again = (clone.folder / MODEL).read_bytes()
    assert again == published.results[MODEL.removeprefix("results/")]


def draw_flowers(folder: Path) -> None:
    """Write images of two classes in folders, which need not be flowers."""
    pictures, labels = load_digits(return_X_y=True)
    for label, name in enumerate(("daisy", "tulip")):
        chosen = pictures[labels == label].reshape(-1, 8, 8).astype("uint8") * 15
        for split, part in (("train", chosen[:60]), ("test", chosen[60:80])):
            place = folder / split / name
            place.mkdir(parents=True)
            for number, picture in enumerate(part):
                Image.fromarray(picture).save(place / f"{number}.png")


def test_data_set_is_added_as_documented(published: Published, tmp_path: Path) -> None:
    origin = Path(shutil.copytree(published.origin, tmp_path / "origin.git"))
    clone = Clone(origin, tmp_path / "clone")
    clone.run(*PULL)
    draw_flowers(clone.folder / "data" / "flowers")
    clone.run("dvc", "add", "data/flowers")
    clone.run("git", "add", "data/flowers.dvc")
    datasets = {"flowers": {"kind": "imagefolder", "image_size": 8}}
    config = {**FEW_JOBS, "experiment": "flowers", "datasets": datasets}
    (clone.folder / "config" / "flowers.yaml").write_text(yaml.safe_dump(config))
    (stage,) = re.findall(
        r"```yaml\n(  flowers:\n.*?)```", (ROOT / "docs" / "dvc.md").read_text(), re.DOTALL
    )
    pipeline = clone.folder / "dvc.yaml"
    text = pipeline.read_text().replace("stages:\n", f"stages:\n{stage}", 1)
    last = "      - results/demo\n    outs:"
    pipeline.write_text(text.replace(last, f"      - results/flowers\n{last}", 1))
    jobs = clone.jobs()
    assert {"prepare_data", "train_final", "tradeoff_report", "export"} <= set(jobs)
    assert clone.jobs() == {}

    clone.run("dvc", "push")
    clone.commit()
    fresh = Clone(origin, tmp_path / "fresh")
    fresh.run(*PULL)
    for part in ("data/flowers", "results/flowers", "results/demo"):
        assert contents(fresh.folder / part) == contents(clone.folder / part)
    assert fresh.jobs() == {}
    for name in ("flowers", "demo"):
        planned = fresh.run("snakemake", "--dry-run", "--configfile", f"config/{name}.yaml")
        assert "Nothing to be done" in planned


def test_plots_need_no_internet_access(clone: Clone) -> None:
    template = ".dvc/tmp/plots.html"
    tool = ROOT / ".dvc" / "offline_plots.py"
    subprocess.run([sys.executable, tool, template], cwd=clone.folder, check=True)
    output = clone.run("dvc", "plots", "show", "--html-template", template)
    assert "WARNING" not in output  # a plot that names a column which is not there
    page = (clone.folder / "dvc_plots" / "index.html").read_text()
    # The specification of a plot whose study was not run is empty.
    specified = re.findall(r"var spec = (\{.*?)\s+vegaEmbed\('#(\w+)'", page, re.DOTALL)
    plots = yaml.safe_load((ROOT / "studies/dvc.yaml").read_text())["plots"]
    names = {name.replace(" ", "_") for plot in plots for name in plot}
    drawn = {name for specification, name in specified if specification != "{};"}
    assert drawn == {name for name in names if name.startswith("demo_")}
    assert not re.search(r"<(script|link|img)[^>]*(src|href) *=", page.split("</head>")[1])
    assert "<script src" not in page


def cached(store: Path, path: Path) -> Path:
    """Return the object of a result in a cache or remote folder."""
    md5 = subprocess.run(["md5sum", path], capture_output=True, text=True, check=True).stdout[:32]
    return store / "files" / "md5" / md5[:2] / md5[2:]


def corrupt(path: Path) -> None:
    """Change one byte, as a failing disk would: size and permissions stay."""
    mode = path.stat().st_mode
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    path.chmod(mode)


def test_corrupted_remote_file_is_noticed(published: Published, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(published.store, store)
    corrupt(cached(store, published.first.folder / MODEL))
    fresh = Clone(published.origin, tmp_path / "fresh")
    fresh.run("dvc", "remote", "modify", "--local", "store", "url", str(store))
    failed = fresh.attempt(*PULL)
    assert failed.returncode != 0
    assert not (fresh.folder / MODEL).exists()


def test_corrupted_cache_file_is_noticed_and_not_stored(clone: Clone) -> None:
    corrupt(cached(clone.folder / ".dvc" / "cache", clone.folder / MODEL))
    shutil.rmtree(clone.folder / "results" / "demo" / "digits")
    clone.run("dvc", "checkout", *DEMO)  # DVC itself trusts a file that looks protected
    verify = ("python", "scripts/verify_results.py", "--results", "results")
    failed = clone.attempt(*verify)
    assert failed.returncode != 0
    assert f"{MODEL} is not what provenance.json beside it says" in failed.stdout
    # Nothing built on it reaches the ledger either.
    shutil.rmtree(clone.folder / FIGURES)
    failed = clone.attempt("dvc", "repro")
    assert failed.returncode != 0
    assert f"{MODEL} was altered since it was made" in failed.stdout
    # What the documentation says helps.
    shutil.rmtree(clone.folder / "results" / "demo")
    shutil.rmtree(clone.folder / ".dvc" / "cache")
    clone.run("git", "checkout", "dvc.lock")
    clone.run(*PULL, "--force")
    clone.run(*verify)
