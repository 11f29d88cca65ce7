"""A trained model of the whole digits data set, and every form of it on all its test images."""

import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from spikernel import artifacts, tables
from spikernel.config import DatasetConfig, ExportConfig, NetworkConfig, TrainingConfig
from spikernel.data.splits import load_split
from spikernel.errors import DataError, ExportError, TableError
from spikernel.export import compiler, device, model_card
from spikernel.export.deployed import check_agreement
from spikernel.export.lowering import lower
from spikernel.export.program import Fire
from spikernel.inference.predict import to_device
from spikernel.inference.released import load_model
from spikernel.report.tables import predictions
from spikernel.space.cell import Cell
from spikernel.study import deployment, export, export_models, train_final
from spikernel.study.chosen_model import choose
from spikernel.study.inputs import Machine
from spikernel.study.prepare_data import prepare

CPU = Machine("cpu")
NETWORK = NetworkConfig(time_steps=3, channels=6, pool=2, hidden=32, votes=2, dropout=0.0)
TRAINING = TrainingConfig(
    recipe="modern", epochs=3, batch_size=32, learning_rate=0.01, crop_padding=0,
    flip="none", erase_probability=0, cutmix_alpha=0, mixup_alpha=0, ema_decay=0,
)  # fmt: skip
TEST_IMAGES = 359


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole_digits")
    path = folder / "prepare_data" / "manifest.json"
    prepare("digits", DatasetConfig(kind="digits"), folder / "data", path)
    return path


def trained(manifest: Path, folder: Path, archid: str, training: TrainingConfig) -> Path:
    """Train one cell and deploy it as the steps do; return its metrics.json."""
    cell = Cell.from_archid(archid)
    tables.write_csv(folder / "candidates.csv", [{"archid": cell.archid, "rank": 1}])
    search = {"kernel_set": "k1-3", "kernel_sizes": [1, 3], "best_archid": cell.archid}
    artifacts.write_json(folder / "search.json", search)
    inputs = train_final.Inputs(manifest, folder / "candidates.csv", folder / "search.json")
    outputs = train_final.Outputs.in_folder(folder)
    train_final.run(inputs, outputs, train_final.Settings(network=NETWORK, training=training), CPU)
    deployment.run(
        deployment.Inputs(manifest, outputs.metrics, outputs.model),
        deployment_outputs(outputs.metrics),
        CPU,
    )
    return outputs.metrics


def deployed_as(metrics: Path) -> Path:
    return metrics.parent / "deployment" / "deployment.json"


def deployment_outputs(metrics: Path) -> deployment.Outputs:
    record = deployed_as(metrics)
    return deployment.Outputs(record, record.with_name("predictions.npz"))


@pytest.fixture(scope="session")
def model(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("forward")
    return trained(manifest, folder, "k3-zero-skip-k1-avg-k3", TRAINING)


@pytest.fixture(scope="session")
def feedback_model(manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    short = TRAINING.model_copy(update={"epochs": 1})
    folder = tmp_path_factory.mktemp("feedback")
    return trained(manifest, folder, "k3-k1-skip-k1r-k1-k3", short)


def exported(manifest: Path, metrics: Path, folder: Path, **settings: Any) -> dict[str, Any]:
    report = folder / "export" / "export.json"
    wanted = {"c_weights": ("int8", "float"), **settings}
    chosen = export.Settings(ExportConfig(**wanted))
    export.run(export.Inputs(manifest, [metrics]), export.Outputs(report), chosen)
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def test_deployment_records_what_a_device_gets(manifest: Path, model: Path) -> None:
    record, deployed = (json.loads(path.read_text()) for path in (model, deployed_as(model)))
    assert deployed["archid"] == record["archid"]
    assert deployed["not_exported"] is None
    for split in ("val", "test"):
        int8 = deployed[f"int8_{split}_accuracy_percent"]
        assert abs(int8 - record[f"{split}_accuracy_percent"]) < 3
    assert deployed["int8_bytes"] < deployed["fp32_bytes"] / 3
    assert deployed["val_images"] == len(load_split(manifest, "validation").labels)
    assert deployed["test_images"] == TEST_IMAGES
    assert deployed["classes"] == [str(digit) for digit in range(10)]


def test_predictions_are_those_behind_the_accuracies(manifest: Path, model: Path) -> None:
    record, deployed = (json.loads(path.read_text()) for path in (model, deployed_as(model)))
    found = predictions.read(deployment_outputs(model).predictions)
    test = load_split(manifest, "test")
    assert found.label.tolist() == test.labels.tolist()
    right, right_int8 = (predicted == found.label for predicted in (found.trained, found.int8))
    assert 100 * right.mean() == pytest.approx(record["test_accuracy_percent"])
    assert 100 * right_int8.mean() == pytest.approx(deployed["int8_test_accuracy_percent"])
    assert len(found.mistakes) == min(deployment.PICTURES, TEST_IMAGES - right.sum())
    assert not right[found.mistakes].any()
    assert (found.pictures == test.images[found.mistakes]).all()


def test_training_records_what_each_layer_does(model: Path) -> None:
    record = json.loads(model.read_text())
    assert record["test_accuracy_percent"] > 80
    assert record["neurobench"]["ClassificationAccuracy"] == record["test_accuracy_percent"] / 100
    layers = pd.read_csv(model.with_name("layers.csv"))
    assert list(layers.columns) == [
        "layer", "kind", "firing_rate", "dense_ops", "macs", "acs", "energy_pj", "neurons",
        "state_bytes", "params",
    ]  # fmt: skip
    assert layers["params"].sum() == record["params"]
    assert layers["acs"].sum() == pytest.approx(record["effective_acs"])
    assert layers["macs"].sum() == pytest.approx(record["effective_macs"])
    assert layers["dense_ops"].sum() == pytest.approx(record["dense_synops"])
    assert layers["energy_pj"].sum() == pytest.approx(record["energy_pj"])
    assert layers["state_bytes"].sum() == record["state_bytes"] == 4 * record["neurons"]
    rates = layers.dropna(subset="firing_rate").set_index("layer")["firing_rate"].to_dict()
    assert rates == pytest.approx(record["layer_firing_rates"])


def test_altered_weights_and_metrics_are_neither_deployed_nor_exported(
    manifest: Path, model: Path, tmp_path: Path
) -> None:
    for path in model.parent.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    weights, metrics = tmp_path / "model.safetensors", tmp_path / "metrics.json"
    sound = weights.read_bytes()
    weights.write_bytes(sound[:-4] + b"\0\0\0\0")
    inputs = deployment.Inputs(manifest, metrics, weights)
    with pytest.raises(DataError, match=r"model\.safetensors was altered since it was made"):
        deployment.run(inputs, deployment_outputs(metrics), CPU)
    with pytest.raises(DataError, match=r"model\.safetensors was altered since it was made"):
        exported(manifest, metrics, tmp_path)
    weights.write_bytes(sound)
    metrics.write_text(metrics.read_text().replace('"rank": 1', '"rank": 2'))
    with pytest.raises(DataError, match=r"metrics\.json was altered since it was made"):
        exported(manifest, metrics, tmp_path)


def test_candidates_and_record_of_two_searches_are_refused(tmp_path: Path) -> None:
    tables.write_csv(tmp_path / "candidates.csv", [{"archid": "k3-k3-k3-k3-k3-k3", "rank": 1}])
    search = {"kernel_set": "k1-3", "kernel_sizes": [1, 3], "best_archid": "k1-k1-k1-k1-k1-k1"}
    artifacts.write_json(tmp_path / "search.json", search)
    paths = tmp_path / "candidates.csv", tmp_path / "search.json"
    with pytest.raises(TableError, match="are of two searches: their best cells are k3-k3-k3"):
        train_final.Candidate.of_search(*paths, rank=1)


@pytest.mark.skipif(compiler.find_compiler() is None, reason="needs a C compiler")
def test_every_form_agrees_on_the_whole_test_set(
    manifest: Path, model: Path, tmp_path: Path
) -> None:
    report = exported(manifest, model, tmp_path)
    record, deployed = (json.loads(path.read_text()) for path in (model, deployed_as(model)))
    accuracy = report["test_accuracy_percent"]
    assert accuracy["fp32"] == pytest.approx(record["test_accuracy_percent"])
    assert accuracy["int8"] == pytest.approx(deployed["int8_test_accuracy_percent"])
    for weights, precision in (("int8", "int8"), ("float", "fp32")):
        made = report["c"][weights]
        assert made["images"] == made["same_class"] == TEST_IMAGES
        assert made["equal_to_the_bit"]
        assert made["accuracy_percent"] == pytest.approx(accuracy[precision])
        assert made["ram_bytes"] >= made["state_bytes"] + made["activation_bytes"]
        assert made["synops_per_image"] > 0
    assert report["c"]["int8"]["parameter_bytes"] == deployed["int8_bytes"]
    assert report["c"]["int8"]["ram_bytes"] == deployed["ram_bytes"]
    assert report["onnx"]["fp32"]["same_class"] == TEST_IMAGES
    assert report["nir"]["same_class"] == TEST_IMAGES
    card = (tmp_path / "export" / "MODEL_CARD.md").read_text()
    assert f"| as trained | {record['test_accuracy_percent']:.2f} % |" in card
    assert f"{TEST_IMAGES} of {TEST_IMAGES} | 0, equal to the bit |" in card
    targets = [target.name for target in device.TARGETS if target.runs]
    for form in report["c"].values():
        assert [name for name in form["devices"] if "emulator" in form["devices"][name]] == targets
        for name in targets:
            made = form["devices"][name]
            assert made["equal_to_the_bit"]
            assert made["same_class"] == made["images"] > 0
            assert made["flash_bytes"] > form["parameter_bytes"]
            assert made["ram_bytes"] == made["static_ram_bytes"] + made["stack_bytes"]
            assert made["static_ram_bytes"] > form["ram_bytes"]
            assert made["instructions_per_image"] > form["synops_per_image"]
            assert f"| {name}: {made['compiler']}, `{made['options']}` |" in card
    assert "{{" not in card
    provenance = json.loads((tmp_path / "export" / "provenance.json").read_text())
    assert str(model.with_name("model.safetensors")) in provenance["inputs"]


@pytest.mark.skipif(compiler.find_compiler() is None, reason="needs a C compiler")
def test_feedback_goes_to_c_and_onnx_and_not_to_nir(
    manifest: Path, feedback_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "model.nir").write_text("of an earlier model")
    report = exported(manifest, feedback_model, tmp_path, c_weights=("int8",))
    assert report["c"]["int8"]["same_class"] == TEST_IMAGES
    assert report["c"]["int8"]["equal_to_the_bit"]
    assert report["onnx"]["fp32"]["same_class"] == TEST_IMAGES
    assert report["nir"]["refused"].startswith("cell1_feedback1, cell2_feedback1: feedback of")
    assert not (tmp_path / "export" / "model.nir").exists()
    assert "NIR | none: cell1_feedback1" in (tmp_path / "export" / "MODEL_CARD.md").read_text()


def test_without_a_compiler_the_files_are_written_and_it_is_said(
    manifest: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("CC", raising=False)
    with caplog.at_level("INFO"):
        report = exported(manifest, model, tmp_path, c_weights=("int8",), images=5)
    assert report["c"]["int8"]["compiled"] is False
    assert report["c"]["int8"]["devices"] == {}
    assert "no C compiler: the int8 files were written, not compiled or run" in caplog.text
    assert (tmp_path / "export" / "c_int8" / "model.c").stat().st_size > 0
    card = (tmp_path / "export" / "MODEL_CARD.md").read_text()
    assert "not compiled: there was no C compiler" in card


@pytest.fixture(scope="session")
def finished_run(
    manifest: Path, model: Path, feedback_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Two models as the workflow leaves them, of different kernel sets."""
    run = tmp_path_factory.mktemp("finished") / "digits"
    shutil.copytree(manifest.parent, run / "prepare_data")
    for kernel_set, metrics in (("k1-3", model), ("other", feedback_model)):
        place = Path(kernel_set) / "rank-1" / "seed-0"
        shutil.copytree(metrics.parent, run / "train_final" / place)
        shutil.move(run / "train_final" / place / "deployment", run / "deployment" / place)
        named = run / "train_final" / place / "metrics.json"
        artifacts.write_json(named, {**json.loads(named.read_text()), "kernel_set": kernel_set})
        named.with_name("provenance.json").unlink()  # which has the hash of the file before
    return run


def test_every_model_of_a_run_is_exported_and_packed(finished_run: Path, tmp_path: Path) -> None:
    few = ExportConfig(images=20)
    export_models.run(export_models.Settings(finished_run, export=few))
    for kernel_set, forms in (("k1-3", 3), ("other", 2)):
        folder = finished_run / f"export-{kernel_set}-rank-1"
        with zipfile.ZipFile(folder / "model.zip") as archive:
            names = {Path(name).parts[0] for name in archive.namelist()}
            assert names == {f"digits-{kernel_set}-rank-1-seed-0"}
            archive.extractall(tmp_path)
        packed = tmp_path / names.pop()
        assert len([path for path in packed.iterdir() if path.suffix in (".onnx", ".nir")]) == forms
        assert (packed / "export.json").read_bytes() == (folder / "export.json").read_bytes()
        made = json.loads((packed / "export.json").read_text())
        assert made["chosen_for"] is None
        if compiler.find_compiler() is not None:
            done = subprocess.run(
                ["make", "-s", "-C", packed / "c_int8", "run"], capture_output=True, text=True
            )
            assert "same class as the Python model 20 of 20" in done.stdout
        if device.TARGETS[0].runs:
            command = ["make", "-s", "-C", packed / "c_int8" / "device", "run"]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.stdout.startswith("images 20\nsame_class 20\n")


def test_model_for_a_device_is_exported_alone(finished_run: Path) -> None:
    sizes = {
        path.parts[-4]: json.loads(path.read_text())
        for path in finished_run.glob("deployment/*/*/*/deployment.json")
    }
    smallest = min(sizes, key=lambda name: sizes[name]["int8_bytes"])
    budget_kb = sizes[smallest]["int8_bytes"] / 1000
    for folder in finished_run.glob("export-*"):
        shutil.rmtree(folder)
    few = ExportConfig(images=5)
    export_models.run(export_models.Settings(finished_run, budget_kb, ram_kb=500, export=few))
    assert [path.name for path in finished_run.glob("export-*")] == [f"export-{smallest}-rank-1"]
    card = (finished_run / f"export-{smallest}-rank-1" / "MODEL_CARD.md").read_text()
    assert f"within\n{budget_kb / 1000:g} MB of int8 weights and 500 kB of static RAM; of" in card
    with pytest.raises(ExportError, match=r"^no model fits 1 kB of int8 constants: the least"):
        export_models.run(export_models.Settings(finished_run, budget_kb=1))


def test_an_export_that_answers_otherwise_is_refused(
    manifest: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if compiler.find_compiler() is None:
        pytest.skip("needs a C compiler")
    honest: Callable[..., Any] = compiler.classify

    def shifted(*arguments: Any) -> Any:
        answers = honest(*arguments)
        return replace(answers, logits=answers.logits[:, ::-1].copy())

    monkeypatch.setattr(compiler, "classify", shifted)
    with pytest.raises(ExportError, match=r"the C model gives another class than the Python model"):
        exported(manifest, model, tmp_path, c_weights=("int8",), images=20)


def selection(folder: Path, rows: list[dict[str, Any]]) -> Path:
    defaults = {
        "dataset": "digits", "precision": "int8", "kernel_set": "k1-3", "rank": 1, "fits": "true",
        "smallest_memory_mb": 0.01,
    }  # fmt: skip
    path = folder / "selection.csv"
    tables.write_csv(path, [{**defaults, **row} for row in rows])
    return path


def record(folder: Path, name: str, **values: Any) -> Path:
    path = folder / name / "metrics.json"
    defaults = {"dataset": "digits", "kernel_set": "k1-3", "rank": 1, "seed": 0, "archid": "k1"}
    artifacts.write_json(path, {**defaults, "val_accuracy_percent": 90.0, **values})
    return path


def test_the_largest_budget_that_is_met_names_the_model_and_validation_its_seed(
    tmp_path: Path,
) -> None:
    paths = [
        record(tmp_path, "a", rank=2, val_accuracy_percent=99.0),
        record(tmp_path, "b", seed=0, val_accuracy_percent=91.0, test_accuracy_percent=99.0),
        record(tmp_path, "c", seed=1, val_accuracy_percent=92.0, test_accuracy_percent=80.0),
        record(tmp_path, "d", seed=2, val_accuracy_percent=92.0),
        record(tmp_path, "e", dataset="cifar10", val_accuracy_percent=100.0),
    ]
    table = selection(
        tmp_path,
        [
            {"budget_mb": 0.1, "rank": 2},
            {"budget_mb": 0.5},
            {"budget_mb": 0.01, "fits": "false", "rank": None, "kernel_set": ""},
            {"budget_mb": 9.0, "dataset": "cifar10"},
        ],
    )
    chosen = choose(paths, table, "digits", None)
    assert chosen.metrics_path == paths[2]
    assert chosen.budget == {"budget_mb": 0.5, "precision": "int8", "fits": True}
    assert choose(paths, table, "digits", 0.1).metrics_path == paths[0]
    with pytest.raises(ExportError, match=r"has no row for digits and that memory budget"):
        choose(paths, table, "digits", 3.0)
    with pytest.raises(ExportError, match=r"names rank 1 of k1-3 .* but its metrics\.json was not"):
        choose(paths[:1], table, "digits", None)
    with pytest.raises(ExportError, match=r"5 models are given: name one, or give a selection"):
        choose(paths, None, "digits", None)


def test_a_budget_names_one_width(tmp_path: Path) -> None:
    paths = [
        record(tmp_path, "old"),  # of an earlier version, so of width 1
        record(tmp_path, "half", width=0.5),
        record(tmp_path, "twice", width=2.0),
    ]
    rows = [{"budget_mb": size, "width": size} for size in (0.5, 1, 2, 4)]
    table = selection(tmp_path, rows)
    for budget, path in ((0.5, paths[1]), (1, paths[0]), (2, paths[2])):
        assert choose(paths, table, "digits", budget).metrics_path == path
    half = choose(paths, table, "digits", 0.5)
    assert half.short_name == "digits-k1-3-rank-1_width-0.5-seed-0"
    assert half.name == "digits, kernel set k1-3, k1, width 0.5, seed 0"
    with pytest.raises(ExportError, match="names rank 1 width 4 of k1-3 on digits"):
        choose(paths, table, "digits", None)


def test_where_no_model_fits_the_smallest_is_exported_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = [
        record(tmp_path, "a", rank=1, params=900, val_accuracy_percent=99.0),
        record(tmp_path, "b", rank=2, params=800, seed=0, val_accuracy_percent=91.0),
        record(tmp_path, "c", rank=2, params=800, seed=1, val_accuracy_percent=92.0),
        record(tmp_path, "d", rank=1, params=10, dataset="cifar10"),
    ]
    nothing = {"fits": "false", "rank": None, "kernel_set": ""}
    table = selection(tmp_path, [{"budget_mb": size, **nothing} for size in (0.001, 0.002)])
    chosen = choose(paths, table, "digits", None)
    assert chosen.metrics_path == paths[2]
    assert chosen.budget == {"budget_mb": 0.002, "precision": "int8", "fits": False}
    assert "no model of digits fits 0.002 MB: the smallest, which needs 0.01 MB" in caplog.text


def test_the_card_says_that_its_model_is_above_the_budget(
    manifest: Path, model: Path, tmp_path: Path
) -> None:
    report = exported(manifest, model, tmp_path)
    report["chosen_for"] = {"budget_mb": 0.001, "precision": "int8", "fits": False}
    _, preprocessing = load_model(model.with_name("model.safetensors"), torch.device("cpu"))
    card = model_card.render(report, json.loads(model.read_text()), preprocessing)
    assert "No model was within 0.001 MB of int8 weights: THIS ONE NEEDS MORE." in card


def test_results_of_an_older_version_are_refused(
    manifest: Path, model: Path, tmp_path: Path
) -> None:
    shutil.copytree(model.parent, tmp_path / "old")
    path = tmp_path / "old" / "metrics.json"
    old = json.loads(path.read_text())
    del old["energy_pj_int8"]
    path.write_text(json.dumps(old))
    path.with_name("provenance.json").unlink()  # which would refuse the altered file first
    with pytest.raises(ExportError, match=r"metrics\.json: key 'energy_pj_int8' is missing"):
        exported(manifest, path, tmp_path)


def test_model_of_another_data_set_is_refused(manifest: Path, model: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "manifest.json"
    shutil.copytree(manifest.parent, other.parent)
    data = json.loads(other.read_text())
    data["classes"] = [f"class {name}" for name in data["classes"]]
    other.write_text(json.dumps(data))
    other.with_name("provenance.json").unlink()  # which would refuse the altered file first
    with pytest.raises(DataError, match=r"its classes are not those that the net was trained on"):
        exported(other, model, tmp_path)


def test_images_of_another_shape_are_refused(model: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for split in ("train", "test"):
        for label in range(10):
            for place in range(3):
                path = tmp_path / "data" / "wide" / split / str(label) / f"{place}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                pixels = generator.integers(0, 256, (12, 12, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(path)
    manifest = tmp_path / "prepared" / "manifest.json"
    settings = DatasetConfig(kind="imagefolder", image_size=12, validation_fraction=0.4)
    prepare("wide", settings, tmp_path / "data", manifest)
    with pytest.raises(DataError, match=r"its images are 3 x 12 x 12, .* made for 1 x 8 x 8"):
        exported(manifest, model, tmp_path)


def test_net_that_cannot_be_exported_still_trains(
    digits_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spikernel.export import lowering
    from spikernel.network.blocks import Head

    monkeypatch.delitem(lowering.RULES, Head)
    once = TRAINING.model_copy(update={"epochs": 1})
    metrics = trained(digits_manifest, tmp_path, "zero-zero-k1-zero-zero-zero", once)
    record = json.loads(deployed_as(metrics).read_text())
    assert record["int8_test_accuracy_percent"] is None
    assert record["not_exported"].startswith("head: Head cannot be exported; known are")
    net, _ = load_model(metrics.with_name("model.safetensors"), torch.device("cpu"))
    assert net.architecture.cell.archid == "zero-zero-k1-zero-zero-zero"
    with pytest.raises(ExportError, match=r"^head: Head cannot be exported"):
        exported(digits_manifest, metrics, tmp_path)


def test_lowering_that_is_out_of_step_is_noticed_in_training(manifest: Path, model: Path) -> None:
    """As if a module had learned to do more than its rule knows."""
    net, _ = load_model(model.with_name("model.safetensors"), torch.device("cpu"))
    split = load_split(manifest, "test")
    program = lower(net, split.manifest.mean, split.manifest.sd, split.manifest.classes)
    images = to_device(split, torch.device("cpu"))[0][:100]
    check_agreement(net, program, split.manifest, images)
    steps = tuple(
        replace(step, dynamics=replace(step.dynamics, tau=64.0)) if isinstance(step, Fire) else step
        for step in program.steps
    )
    with pytest.raises(ExportError, match=r"a rule in spikernel\.export\.lowering is out of step"):
        check_agreement(net, replace(program, steps=steps), split.manifest, images)
