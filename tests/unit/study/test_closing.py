from pathlib import Path
from typing import Any

from spikernel import artifacts, tables
from spikernel.study import closing

ROW = {
    "dataset": "digits", "budget_mb": 0.1, "precision": "fp32", "fits": "true",
    "kernel_set": "k1-3", "rank": 1, "archid": "k3-zero-skip-k1-avg-k3", "seeds": 2,
    "params": 12345, "memory_mb": 0.04938, "test_accuracy_percent_mean": 90.0,
    "test_accuracy_percent_low": 82.56, "test_accuracy_percent_high": 94.48, "test_images": 100,
    "smallest_memory_mb": 0.04, "chance_percent": 10.0,
}  # fmt: skip


def results(folder: Path, rows: list[dict[str, Any]]) -> Path:
    tables.write_csv(folder / "tradeoff_report" / "selection.csv", [{**ROW, **row} for row in rows])
    made = {"flash_bytes": 20_340, "ram_bytes": 5_120, "compiler": "gcc 12.2"}
    for dataset in {row.get("dataset", "digits") for row in rows}:
        export = {"kernel_set": "k1-3", "rank": 1, "c": {"int8": made, "float": {}}}
        artifacts.write_json(folder / dataset / "export" / "export.json", export)
        findings = {"equal_images": {"train/test": {"count": 0}}, "classes_without_images": {}}
        artifacts.write_json(folder / dataset / "prepare_data" / "findings.json", findings)
    return folder


def test_five_lines_of_the_model_of_the_largest_budget_that_one_meets(tmp_path: Path) -> None:
    rows = [{"budget_mb": 0.01, "fits": "false", "archid": ""}, {}, {"budget_mb": 0.5}]
    folder = results(tmp_path, rows)
    assert list(closing.lines(folder, ["digits"], exported=True)) == [
        "Model     digits: k3-zero-skip-k1-avg-k3, rank 1 of kernel set k1-3; the best by "
        "validation within 0.5 MB",
        "Accuracy  90.00 % of 100 test images (95 % interval 82.6 to 94.5 %), 2 seeds",
        "Memory    0.0494 MB as fp32, 12,345 parameters; 20.3 kB of flash, 5.1 kB of RAM as C code "
        "with int8 weights (gcc 12.2, -Os)",
        f"Page      {folder}/tradeoff_report/report.html",
        f"Export    {folder}/digits/export/MODEL_CARD.md",
    ]


def test_the_width_is_named_where_it_is_not_1(tmp_path: Path) -> None:
    first, *_ = closing.lines(results(tmp_path, [{"width": 0.5}]), ["digits"], exported=True)
    assert "k3-zero-skip-k1-avg-k3, rank 1 width 0.5 of kernel set k1-3;" in first


def test_without_export_and_with_several_data_sets(tmp_path: Path) -> None:
    folder = results(tmp_path, [{}, {"dataset": "cifar10", "seeds": 1}])
    lines = list(closing.lines(folder, ["digits", "cifar10"], exported=False))
    assert len(lines) == 10
    assert lines[2] == "Memory    0.0494 MB as fp32, 12,345 parameters"
    assert lines[4] == "Export    none (export/enabled: false)"
    assert lines[5].startswith("Model     cifar10: ")
    assert lines[6].endswith(", 1 seed")


def test_no_model_within_a_budget(tmp_path: Path) -> None:
    rows = [{"budget_mb": budget, "fits": "false", "archid": ""} for budget in (0.01, 0.02)]
    lines = list(closing.lines(results(tmp_path, rows), ["digits"], exported=True))
    assert lines[0] == "Model     digits: none fits 0.02 MB; the smallest needs 0.04 MB"
    assert [line[:6] for line in lines] == ["Model ", "Page  ", "Export"]


def test_a_net_at_chance_is_called_so(tmp_path: Path) -> None:
    row = {"test_accuracy_percent_mean": 12.0, "test_accuracy_percent_low": 9.9}
    _, accuracy, *_ = closing.lines(results(tmp_path, [row]), ["digits"], exported=True)
    assert accuracy.endswith(", 2 seeds; not shown to be above chance (10 %)")


def test_what_misleads_in_the_images_takes_a_line(tmp_path: Path) -> None:
    folder = results(tmp_path, [{}])
    findings = folder / "digits" / "prepare_data" / "findings.json"
    copies = {"count": 5, "pairs": []}
    record = {
        "equal_images": {"train": copies, "train/validation": copies, "train/test": {"count": 1}},
        "classes_without_images": {"train": [], "test": ["seven", "nine"]},
    }
    artifacts.write_json(findings, record)
    *_, last = closing.lines(folder, ["digits"], exported=True)
    assert last == (
        "Images    5 validation images equal a training image in every pixel; 1 test image equals "
        "a training image in every pixel; 2 classes have no test image (first: seven): "
        f"{findings} names them"
    )


def test_the_flash_of_another_model_is_not_said(tmp_path: Path) -> None:
    for row, said in (({}, True), ({"rank": 2}, False), ({"width": 2}, False)):
        lines = list(closing.lines(results(tmp_path, [row]), ["digits"], exported=True))
        assert ("kB of flash" in lines[2]) == said
