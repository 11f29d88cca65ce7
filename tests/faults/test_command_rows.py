"""Command lines that ask for something that is not there or makes no sense."""

from pathlib import Path

from runner import Row, check, rows

FROM = "--manifest m.json"
TRAIN = f"kernel_impact {FROM} --kernel-size 3 --metrics out/metrics.json --history out/history.csv"
SEARCH = f"nas_search {FROM} --candidates out/c.csv --search-record out/s.json"
FINAL = f"train_final {FROM} --candidates c.csv --search s.json"
E_YAML = {"e.yaml": "experiment: x\ndatasets: {digits: }\nnetwork: {pool: 2, hidden: 8}\n"}
TWO_YAML = {"e.yaml": E_YAML["e.yaml"].replace("digits: ", "digits: , cifar10: ")}


def _file(folder: Path) -> None:
    (folder / "out").write_text("in the way")


ROWS = [
    Row("nothing given", "kernel_impact", "the following arguments are required: --manifest"),
    Row("unknown flag", f"{TRAIN} --epochs 3", "unrecognized arguments: --epochs 3"),
    Row("flag cut short", f"{TRAIN} --thread 1", "unrecognized arguments: --thread 1"),
    Row("flag without value", f"{TRAIN} --seed", "argument --seed: expected one argument"),
    Row("seed text", f"{TRAIN} --seed one", "argument --seed: invalid int value: 'one'"),
    Row("no thread", f"{TRAIN} --threads 0", "at least one CPU thread is needed, got 0"),
    Row("no such device", f"{TRAIN} --device gpu", "argument --device: invalid choice: 'gpu'"),
    Row("control", f"{TRAIN} --control same", "argument --control: invalid choice: 'same'"),
    Row("no kernel set", SEARCH, "give either --kernel-sizes, or both --kernel-sets and"),
    Row("even kernel", f"{SEARCH} --kernel-sizes 2 3", "must be odd and positive, got 2"),
    Row("set and sizes", f"{SEARCH} --kernel-sizes 3 --kernel-set a", "give either"),
    Row("lost kernel sets", f"{SEARCH} --kernel-sets k.json --kernel-set a", "k.json is missing"),
    Row(
        "shard that is not there",
        f"nas_search_shard {FROM} --kernel-sizes 1 3 --shard 2 --part out/2.jsonl",
        "shard 2 is not one of 0..0",
    ),
    Row(
        "two folders", f"{FINAL} --metrics a/m.json --history b/h.csv --layers a/l.csv --model a/w",
        "metrics, history, layers and model must go to one folder",
    ),
    Row("split", "evaluate --model a --manifest m.json --split all", "invalid choice: 'all'"),
    Row("no run to export", "export_models --run results/x/digits", "holds no trained model"),
    Row("no training", "release --training none --folder models/x", "metrics.json is missing"),
    Row("no images", "new_study --images none", "none/train holds no images: --images must"),
    Row("no results", "verify_results --results none", "none holds no provenance record"),
    Row("no results to adopt", "adopt --config e.yaml", "holds no provenance record", E_YAML),
    Row("table without metrics", "kernel_impact_table --metrics --impact i.csv", "expected at"),
    Row("no such cell", "cells --cell k3-k3", "expected 6 operations joined by '-', found 2"),
    Row("cell of words", "cells --cell nonsense", "expected four rows of four digits 0 to 4"),
    Row("unknown operation", "cells --cell k3-zero-skip-k3-max-k3", "unknown edge operation 'max'"),
    Row(
        "other data set", "train_cell --config e.yaml --archid k3-zero-zero-zero-zero-zero "
        "--folder out --dataset cifar10", "--dataset must be one of digits, got cifar10", E_YAML,
    ),
    Row(
        "which data set", "train_cell --config e.yaml --archid k3-zero-zero-zero-zero-zero "
        "--folder out", "--dataset must be one of digits, cifar10, got None", TWO_YAML,
    ),
    Row(
        "dead cell", "train_cell --config e.yaml --archid k3-zero-zero-zero-zero-k3 --folder out",
        "no path leads from its input", E_YAML,
    ),
    Row(
        "kernel above images", "train_cell --config e.yaml --archid zero-zero-k9-zero-zero-zero "
        "--folder out", "kernel size 9 is larger than the 8x8 images", E_YAML,
    ),
    Row(
        "negative seed", "train_cell --config e.yaml --archid zero-zero-k3-zero-zero-zero "
        "--folder out --seed -1", "a seed must be at least 0 and below 2^32, got -1", E_YAML,
    ),
    Row(
        "folder that is a file", "train_cell --config e.yaml --folder out "
        "--archid zero-zero-k3-zero-zero-zero",
        "cannot use out/prepare_data/manifest.json: Not a directory", E_YAML, _file,
    ),
    Row(
        "report that is a file", "prepare_data --dataset digits --data '{kind: digits}' "
        "--data-dir data --manifest out/m.json", "cannot use out/m.json: Not a directory",
        make=_file,
    ),
    Row(
        "estimate on no core", "estimate --config e.yaml --cores 0",
        "--cores must be at least 1, got 0", E_YAML,
    ),
    Row(
        "cluster unknown", "estimate --config e.yaml --profile none",
        "none: holds no config*.yaml: name the folder", E_YAML,
    ),
    Row("runs to compare", "compare_runs --runs a a --folder out", "a, a: give two or more"),
    Row(
        "page in a run", "compare_runs --runs a b --folder b/tradeoff_report",
        "b/tradeoff_report lies among results of b, which stay as they are: name a folder",
    ),
]  # fmt: skip


@rows(ROWS)
def test_command(row: Row, tmp_path: Path) -> None:
    check(row, tmp_path)
