"""Tables, weights, records and exports that a step reads, changed as an editor would do it."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from study import (
    BY_NAME,
    DEPLOYED,
    IMPACT,
    MANIFEST,
    PAGE,
    SEARCHED,
    SET,
    TRAINED,
    R,
    Study,
)

from spikernel import cli

Edit = Callable[[Path], None]


@dataclass(frozen=True)
class FileRow:
    """One file in a state that a step must refuse."""

    name: str
    step: str
    file: str
    edit: Edit
    expected: str
    vouched: bool = False
    """Keep the record beside the file, which tells that it was altered."""


def gone(path: Path) -> None:
    """Remove the file."""
    path.unlink()


def empty(path: Path) -> None:
    """Leave nothing in it."""
    path.write_bytes(b"")


def torn(path: Path) -> None:
    """Keep its first half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def noise(path: Path) -> None:
    """Replace it by bytes that are no text."""
    path.write_bytes(random.Random(0).randbytes(500))


def text(old: str, new: str) -> Edit:
    """Replace a text everywhere."""

    def edit(path: Path) -> None:
        found = path.read_text()
        assert old in found
        path.write_text(found.replace(old, new))

    return edit


def write(content: str) -> Edit:
    """Replace the file."""
    return lambda path: path.write_text(content) and None


def key(name: str, *value: object) -> Edit:
    """Set a key of a JSON file, or remove it."""

    def edit(path: Path) -> None:
        found = json.loads(path.read_text())
        *above, last = name.split("/")
        part = found
        for step in above:
            part = part[int(step) if isinstance(part, list) else step]
        assert last in part
        if value:
            part[last] = value[0]
        else:
            del part[last]
        path.write_text(json.dumps(found))

    return edit


ARRAY = f"{R}/prepare_data/train_images.npy"
TABLE, SETS = f"{IMPACT}/impact.csv", f"{R}/kernel_set_design/kernel_sets.json"
IMPACT_METRICS = f"{IMPACT}/plain/k-3/seed-0/metrics.json"
CANDIDATES, SEARCH = f"{SEARCHED}/candidates.csv", f"{SEARCHED}/search.json"
METRICS, MODEL = f"{TRAINED}/metrics.json", f"{TRAINED}/model.safetensors"
MODELS, SELECTION = f"{PAGE}/models.csv", f"{PAGE}/selection.csv"
DEPLOYMENT, PREDICTIONS = f"{DEPLOYED}/deployment.json", f"{DEPLOYED}/predictions.npz"
PART = f"{SEARCHED}/shards/0.jsonl"
EXPORT = f"{R}/export/export.json"

ROWS = [
    FileRow("manifest gone", "kernel_impact 3", MANIFEST, gone, "manifest.json is missing"),
    FileRow("manifest torn", "kernel_impact 3", MANIFEST, torn, "manifest.json is not valid JSON"),
    FileRow("manifest noise", "kernel_impact 3", MANIFEST, noise, "is not a text file"),
    FileRow("manifest list", "kernel_impact 3", MANIFEST, write("[]"), "run prepare_data again"),
    FileRow("no mean", "train_final", MANIFEST, key("mean"), "mean: this key is missing"),
    FileRow("one mean", "train_final", MANIFEST, key("mean", [0.5]), "one value per channel"),
    FileRow("sd zero", "train_final", MANIFEST, key("sd", [0, 1, 1]), "sd/0: must be above 0"),
    FileRow("one split", "train_final", MANIFEST, key("splits/test"), "splits must be train,"),
    FileRow("count", "train_final", MANIFEST, key("splits/test/count", 5), "contradicts count"),
    FileRow("hash", "train_final", MANIFEST, key("splits/test/images_sha256", "0"), "sha256"),
    FileRow(
        "path in manifest", "train_final", MANIFEST, key("splits/test/images", "../x.npy"),
        "splits/test/images: must begin with a letter",
    ),
    FileRow("mean altered", "train_final", MANIFEST, key("mean", [0.1] * 3), "was altered", True),
    FileRow("array gone", "kernel_impact 3", ARRAY, gone, "train_images.npy cannot be read"),
    FileRow("array torn", "kernel_impact 3", ARRAY, torn, "was altered after it was prepared"),
    FileRow("no metrics", "kernel_impact_table", IMPACT_METRICS, gone, "metrics.json is missing"),
    FileRow("torn metrics", "kernel_impact_table", IMPACT_METRICS, torn, "is not valid JSON"),
    FileRow("nan", "kernel_impact_table", IMPACT_METRICS, key("params", float("nan")), "NaN"),
    FileRow(
        "accuracy text", "kernel_impact_table", IMPACT_METRICS,
        key("val_accuracy_percent", "high"), "val_accuracy_percent",
    ),
    FileRow("metric", "kernel_impact_table", IMPACT_METRICS, key("seed"), "key 'seed' is missing"),
    FileRow(
        "metrics edited", "kernel_impact_table", IMPACT_METRICS, key("val_accuracy_percent", 99),
        "metrics.json was altered since it was made", True,
    ),
    FileRow("no impact", "kernel_set_design", TABLE, gone, "impact.csv is missing"),
    FileRow("impact empty", "kernel_set_design", TABLE, empty, "is not a readable CSV file"),
    FileRow("impact noise", "kernel_set_design", TABLE, noise, "is not a readable CSV file"),
    FileRow(
        "impact column", "kernel_set_design", TABLE, text("kernel_size", "size"),
        "column 'kernel_size' is missing",
    ),
    FileRow("impact text", "kernel_set_design", TABLE, text("10.0", "ten"), "holds 'ten', not a"),
    FileRow("impact other", "kernel_set_design", TABLE, text("digits", "x"), "was measured on x"),
    FileRow(
        "impact rows", "kernel_set_design", TABLE,
        write("dataset,control,kernel_size,val_accuracy_percent_mean\n"), "has no rows",
    ),
    FileRow(
        "impact size", "kernel_set_design", TABLE, text("digits,1,", "digits,5,"),
        "the impact of size 1 was not measured",
    ),
    FileRow("impact edited", "kernel_set_design", TABLE, text("10.0", "11.0"), "was altered", True),
    FileRow("no sets", "nas_search", SETS, key("sets"), "key 'sets' is missing"),
    FileRow("set gone", "nas_search", SETS, key("sets", []), f"no kernel set '{SET}'"),
    FileRow("sets text", "nas_search", SETS, key("sets", "all"), "must list kernel sets by name"),
    FileRow("set sizes", "nas_search", SETS, key("sets/0/sizes", [2]), "2"),
    FileRow("part gone", "nas_search", PART, gone, "0.jsonl is missing or damaged"),
    FileRow("part empty", "nas_search", PART, empty, "0.jsonl is missing or damaged"),
    FileRow("part torn", "nas_search", PART, torn, "0.jsonl is missing or damaged"),
    FileRow("part noise", "nas_search", PART, noise, "0.jsonl is missing or damaged"),
    FileRow("part other", "nas_search", PART, text('"seed": 0', '"seed": 1'), "0.jsonl"),
    FileRow("part list", "nas_search", PART, write("[]\n"), "0.jsonl is missing or damaged"),
    FileRow("part object", "nas_search", PART, write("{}\n"), "0.jsonl is missing or damaged"),
    FileRow("no candidates", "train_final", CANDIDATES, gone, "candidates.csv is missing"),
    FileRow("no rank", "train_final", CANDIDATES, text("rank", "r"), "column 'rank' is missing"),
    FileRow("ranks", "train_final", CANDIDATES, write("archid,rank\n"), "no candidate of rank 1"),
    FileRow(
        "rank text", "train_final", CANDIDATES, write("archid,rank\nx,first\n"),
        "column 'rank' holds 'first', not a finite number",
    ),
    FileRow("archid", "train_final", CANDIDATES, write("archid,rank\nk3-k3,1\n"), "archid 'k3-k3'"),
    FileRow("two searches", "train_final", SEARCH, key("best_archid", "x"), "are of two searches"),
    FileRow("search of", "train_final", SEARCH, key("dataset", "x"), "the search was on x: give"),
    FileRow("sizes of", "train_final", SEARCH, key("kernel_sizes", []), "are of two searches, tho"),
    FileRow("search torn", "train_final", SEARCH, torn, "search.json is not valid JSON"),
    FileRow("search sizes", "train_final", SEARCH, key("kernel_sizes"), "'kernel_sizes' is miss"),
    FileRow("weights gone", "deployment", MODEL, gone, "model.safetensors is missing"),
    FileRow("weights torn", "deployment", MODEL, torn, "is not a whole safetensors file"),
    FileRow("weights edited", "deployment", MODEL, torn, "model.safetensors was altered", True),
    FileRow(
        "accuracy of", "deployment", METRICS, key("test_accuracy_percent", 0),
        "says 0.00 % of the test images, the weights beside it reach",
    ),
    FileRow("cell of", "deployment", METRICS, key("archid", "x"), "they come from two trainings"),
    FileRow("no identity", "deployment", METRICS, key("archid"), "key 'archid' is missing"),
    FileRow("metrics text", "tradeoff_table", METRICS, key("params", "many"), "params"),
    FileRow("accuracy", "tradeoff_table", METRICS, key("test_accuracy_percent", 101), "test_acc"),
    FileRow(
        "metrics of table", "tradeoff_table", METRICS, key("test_accuracy_percent", 99),
        "metrics.json was altered since it was made", True,
    ),
    FileRow(
        "metrics of page", "tradeoff_report", METRICS, key("firing_rate", 0.5),
        "metrics.json was altered since it was made", True,
    ),
    FileRow(
        "accuracy made up", "tradeoff_table", METRICS, key("test_accuracy_percent", 99.99),
        "test images (trained), and 99.99 % is recorded: the files were altered or are of diff",
    ),
    FileRow(
        "int8 made up", "tradeoff_table", DEPLOYMENT, key("int8_test_accuracy_percent", 99.99),
        "test images (int8), and 99.99 % is recorded: the files were altered or are of diff",
    ),
    FileRow(
        "trained anew", "tradeoff_table", METRICS, key("train_seconds", 1.0),
        "deployment.json is of another training than the metrics.json that was given",
    ),
    FileRow("metrics list", "tradeoff_table", METRICS, write("[]"), "metrics.json"),
    FileRow("search none", "tradeoff_table", SEARCH, write("{}"), "search.json"),
    FileRow("deployment torn", "tradeoff_table", DEPLOYMENT, torn, "is not valid JSON"),
    FileRow("deployment of", "tradeoff_table", DEPLOYMENT, key("archid", "x"), "deployment.json"),
    FileRow("predictions", "tradeoff_table", PREDICTIONS, torn, "predictions.npz"),
    FileRow("predictions gone", "tradeoff_table", PREDICTIONS, gone, "predictions.npz"),
    FileRow("predictions text", "tradeoff_table", PREDICTIONS, write("x"), "predictions.npz"),
    FileRow("selection gone", "export", SELECTION, gone, "selection.csv is missing"),
    FileRow("selection rows", "export", SELECTION, write("dataset\n"), "selection.csv"),
    FileRow("weights of export", "export", MODEL, torn, "is not a whole safetensors file"),
    FileRow("metrics of export", "export", METRICS, key("energy_pj"), "key 'energy_pj' is missing"),
    FileRow(
        "accuracy of export", "export", METRICS, key("test_accuracy_percent", 0),
        "says 0.00 % of the test images, the weights beside it reach",
    ),
    FileRow("models gone", "tradeoff_report", MODELS, gone, "models.csv is missing"),
    FileRow("models empty", "tradeoff_report", MODELS, empty, "is not a readable CSV file"),
    FileRow("models column", "tradeoff_report", MODELS, text("params", "p"), "column 'params' is"),
    FileRow("history", "tradeoff_report", f"{TRAINED}/history.csv", text("epoch", "e"), "'epoch'"),
    FileRow("layers", "tradeoff_report", f"{TRAINED}/layers.csv", empty, "was altered", True),
    FileRow("set of page", "tradeoff_report", SETS, key("sets/0/sizes", [1, 5]), "different runs"),
    FileRow("export torn", "tradeoff_report", EXPORT, torn, "export.json is not valid JSON"),
    FileRow("export keys", "tradeoff_report", EXPORT, write("{}"), "export.json"),
    FileRow(
        "record keys", "tradeoff_report", f"{R}/kernel_set_design/provenance.json", key("seconds"),
        "provenance.json was altered since it was written", True,
    ),
    FileRow(
        "record edited", "deployment", f"{TRAINED}/provenance.json",
        key("outputs/model.safetensors", "0" * 64), "provenance.json was altered since", True,
    ),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.replace(" ", "-"))
def test_file(row: FileRow, study: Study, tmp_path: Path) -> None:
    folder = study.before(BY_NAME[row.step], tmp_path / "study")
    path = folder / row.file
    row.edit(path)
    if not row.vouched:
        for record in path.parent.glob("provenance*.json"):
            record.unlink()
    ending = BY_NAME[row.step].run(folder)
    assert "Traceback" not in ending.text, ending.text
    assert ending.status == cli.EXIT_BAD_INPUT, ending.text
    assert row.expected in ending.text
