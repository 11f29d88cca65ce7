"""The smallest study that has every step, as the command lines of its steps."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from equal import same
from PIL import Image
from runner import Ending, call

R = "results/tiny/digits"
PAGE = "results/tiny/tradeoff_report"
SET = "k1-3"
TRAINED = f"{R}/train_final/{SET}/rank-1/seed-0"
DEPLOYED = f"{R}/deployment/{SET}/rank-1/seed-0"
SEARCHED = f"{R}/nas_search/{SET}"
HALVED = f"{R}/finalists/{SET}"
IMPACT = f"{R}/kernel_impact"
MANIFEST = f"{R}/prepare_data/manifest.json"

DATA = json.dumps({"kind": "imagefolder", "image_size": 8, "folder": "digits"})
NETWORK = json.dumps({"time_steps": 2, "channels": 4, "pool": 2, "hidden": 8, "votes": 1})
TRAINING = json.dumps({"recipe": "modern", "epochs": 2, "batch_size": 32})
SEARCH = json.dumps(
    {"score": "sahd_half_n", "iterations": 6, "batch_size": 16, "batches": 1, "shards": 2}
)
FINALISTS = json.dumps(
    {
        "beside": 2, "rungs": [1, 2], "seeds": [0], "reduction_factor": 2,
        "training": {"recipe": "modern", "batch_size": 32},
    }
)  # fmt: skip
REPORT = json.dumps({"memory_budgets_mb": [0.02]})
CLASSES, TRAIN_PER_CLASS, TEST_PER_CLASS = 10, 20, 6


@dataclass(frozen=True)
class Step:
    """One job of the study."""

    name: str
    script: str
    arguments: tuple[str, ...]
    reads: tuple[str, ...]
    """One file of every kind that it reads."""

    def run(self, folder: Path, **how: Any) -> Ending:
        """Run it in the folder of a study; see `runner.call`."""
        return call(self.script, self.arguments, folder, **how)


def _step(name: str, options: dict[str, str | list[str]], reads: list[str]) -> Step:
    arguments: list[str] = []
    for key, value in options.items():
        arguments += [f"--{key}", *([value] if isinstance(value, str) else value)]
    return Step(name, name.split(" ")[0], tuple(arguments), tuple(reads))


def _impact(size: int) -> Step:
    place = f"{IMPACT}/plain/k-{size}/seed-0"
    options: dict[str, str | list[str]] = {
        "manifest": MANIFEST, "kernel-size": str(size), "network": NETWORK, "training": TRAINING,
        "device": "cpu", "metrics": f"{place}/metrics.json", "history": f"{place}/history.csv",
    }  # fmt: skip
    reads = [MANIFEST, f"{R}/prepare_data/train_images.npy"]
    return _step(f"kernel_impact {size}", options, reads)


_FOR_SEARCH: dict[str, str | list[str]] = {
    "manifest": MANIFEST, "kernel-sets": f"{R}/kernel_set_design/kernel_sets.json",
    "kernel-set": SET, "network": NETWORK, "search": SEARCH, "device": "cpu",
}  # fmt: skip


def _shard(number: int) -> Step:
    part = f"{SEARCHED}/shards/{number}.jsonl"
    options = {**_FOR_SEARCH, "shard": str(number), "part": part}
    reads = [MANIFEST, f"{R}/kernel_set_design/kernel_sets.json"]
    return _step(f"nas_search_shard {number}", options, reads)


_FOR_FINALISTS: dict[str, str | list[str]] = {
    "manifest": MANIFEST, "candidates": f"{SEARCHED}/candidates.csv", "finalists": "2",
    "network": NETWORK, "training": FINALISTS,
}  # fmt: skip
_RUNGS = [f"{HALVED}/rung-{number}/0.jsonl" for number in (1, 2)]


def _rung(number: int) -> Step:
    options = {
        **_FOR_FINALISTS, "parts": _RUNGS[:number], "device": "cpu", "rung": str(number + 1),
        "shard": "0", "part": _RUNGS[number],
    }  # fmt: skip
    reads = [MANIFEST, f"{SEARCHED}/candidates.csv", *_RUNGS[:number]]
    return _step(f"finalist_rung {number}", options, reads)


_METRICS = [f"{IMPACT}/plain/k-{size}/seed-0/metrics.json" for size in (1, 3)]
_RESULT = {"metrics": f"{TRAINED}/metrics.json", "model": f"{TRAINED}/model.safetensors"}
_DEPLOYED = {
    "deployments": f"{DEPLOYED}/deployment.json",
    "predictions": f"{DEPLOYED}/predictions.npz",
}
_TABLES = {f"{name}": f"{PAGE}/{name}.csv" for name in ("models", "selection", "comparisons")}
_RECORDS = [
    *(f"{R}/{step}/provenance.json" for step in ("prepare_data", "kernel_set_design")),
    f"{TRAINED}/provenance.json",
]
_PARTS = [f"{SEARCHED}/shards/{number}.jsonl" for number in (0, 1)]

STEPS = (
    _step(
        "prepare_data",
        {"dataset": "digits", "data": DATA, "data-dir": "data", "manifest": MANIFEST},
        ["data/digits/train/3/5.png"],
    ),
    _impact(1),
    _impact(3),
    _step(
        "kernel_impact_table",
        {"metrics": _METRICS, "impact": f"{IMPACT}/impact.csv"},
        _METRICS[:1],
    ),
    _step(
        "kernel_set_design",
        {
            "impact": f"{IMPACT}/impact.csv", "manifest": MANIFEST, "network": NETWORK,
            "design": '{"fixed": [[1, 3]]}', "search": SEARCH,
            "kernel-sets": f"{R}/kernel_set_design/kernel_sets.json",
        },
        [f"{IMPACT}/impact.csv", MANIFEST],
    ),
    _shard(0),
    _shard(1),
    _step(
        "nas_search",
        {
            **_FOR_SEARCH, "parts": _PARTS, "candidates": f"{SEARCHED}/candidates.csv",
            "search-record": f"{SEARCHED}/search.json",
        },
        [*_PARTS[:1], f"{R}/kernel_set_design/kernel_sets.json"],
    ),
    _rung(0),
    _rung(1),
    _step(
        "finalist_ranking",
        {
            **_FOR_FINALISTS, "search": f"{SEARCHED}/search.json", "parts": _RUNGS,
            "ranked": f"{HALVED}/candidates.csv", "search-record": f"{HALVED}/search.json",
        },
        [f"{SEARCHED}/candidates.csv", f"{SEARCHED}/search.json", *_RUNGS],
    ),
    _step(
        "train_final",
        {
            "manifest": MANIFEST, "candidates": f"{SEARCHED}/candidates.csv",
            "search": f"{SEARCHED}/search.json", "network": NETWORK, "training": TRAINING,
            "device": "cpu", **_RESULT, "history": f"{TRAINED}/history.csv",
            "layers": f"{TRAINED}/layers.csv",
        },
        [
            f"{SEARCHED}/candidates.csv", f"{SEARCHED}/search.json", MANIFEST,
            *(f"{R}/prepare_data/{name}.npy" for name in ("train_images", "train_labels")),
            f"{R}/prepare_data/test_images.npy",
        ],
    ),
    _step(
        "deployment",
        {
            "manifest": MANIFEST, **_RESULT, "device": "cpu",
            "deployment": f"{DEPLOYED}/deployment.json",
            "predictions": f"{DEPLOYED}/predictions.npz",
        },
        [
            MANIFEST, *_RESULT.values(), f"{TRAINED}/provenance.json",
            f"{R}/prepare_data/validation_images.npy",
        ],
    ),
    _step(
        "tradeoff_table",
        {
            "metrics": _RESULT["metrics"], "searches": f"{SEARCHED}/search.json", **_DEPLOYED,
            "settings": REPORT, **_TABLES, "summary": f"{PAGE}/summary.md",
            "tables": f"{PAGE}/tables",
        },
        [_RESULT["metrics"], f"{SEARCHED}/search.json", *_DEPLOYED.values()],
    ),
    _step(
        "export",
        {
            "manifest": MANIFEST, "metrics": _RESULT["metrics"],
            "selection": _TABLES["selection"], "report": f"{R}/export/export.json",
        },
        [MANIFEST, _RESULT["model"], _RESULT["metrics"], _TABLES["selection"]],
    ),
    _step(
        "tradeoff_report",
        {
            **_TABLES, **_DEPLOYED, "metrics": _RESULT["metrics"],
            "histories": f"{TRAINED}/history.csv", "searches": f"{SEARCHED}/search.json",
            "candidates": f"{SEARCHED}/candidates.csv", "impacts": f"{IMPACT}/impact.csv",
            "kernel-sets": f"{R}/kernel_set_design/kernel_sets.json", "provenance": _RECORDS,
            "layers": f"{TRAINED}/layers.csv", "exports": f"{R}/export/export.json",
            "findings": f"{R}/prepare_data/findings.json", "experiment": "tiny",
            "settings": REPORT, "page": f"{PAGE}/report.html", "figures": f"{PAGE}/figures",
        },
        [
            *_TABLES.values(), f"{TRAINED}/history.csv", f"{TRAINED}/layers.csv",
            f"{SEARCHED}/candidates.csv", f"{R}/export/export.json", _RESULT["metrics"],
            *_DEPLOYED.values(), f"{SEARCHED}/search.json", f"{IMPACT}/impact.csv",
            f"{R}/kernel_set_design/kernel_sets.json", f"{TRAINED}/provenance.json",
            f"{R}/prepare_data/findings.json",
        ],
    ),
)  # fmt: skip
BY_NAME = {step.name: step for step in STEPS}


def write_images(folder: Path) -> None:
    """Write real handwritten digits as PNG files, in one folder per class."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    for label in range(CLASSES):
        found = digits.images[digits.target == label]
        for place, image in enumerate(found[: TRAIN_PER_CLASS + TEST_PER_CLASS]):
            split = "train" if place < TRAIN_PER_CLASS else "test"
            path = folder / split / str(label) / f"{place}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray((image * 255 / 16).astype(np.uint8)).save(path)


class Study:
    """A study whose steps run once, undisturbed, when they are first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: dict[str, list[str]] = {}
        """Files that each step wrote."""
        write_images(folder / "data" / "digits")

    def upto(self, step: Step) -> None:
        """Run all that is missing, until a step."""
        for needed in STEPS[: STEPS.index(step) + 1]:
            if needed.name not in self.made:
                known = _files(self.folder)
                ending = needed.run(self.folder)
                assert ending.status == 0, f"{needed.name}: {ending.text}"
                self.made[needed.name] = sorted(_files(self.folder) - known)

    def before(self, step: Step, folder: Path) -> Path:
        """Copy the study to a new folder, as it is before a step."""
        self.upto(step)
        shutil.copytree(self.folder, folder)
        for later in STEPS[STEPS.index(step) :]:
            for name in self.made.get(later.name, ()):
                (folder / name).unlink()
        return folder

    def difference(self, step: Step, folder: Path) -> list[str]:
        """Return the files of a step that are not as in the undisturbed study, but for times."""
        return [
            name
            for name in self.made[step.name]
            if not (folder / name).exists() or not same(self.folder / name, folder / name)
        ]


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
