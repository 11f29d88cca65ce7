"""A trained model of the whole digits data set, and every form of it on all its test images."""

import json
import zipfile
from pathlib import Path

import pytest
import torch
from trained_digits import TEST_IMAGES, deployed_as, exported

from spikernel.errors import DataError
from spikernel.export import compiler, device, model_card
from spikernel.inference.released import load_model
from spikernel.provenance import recorded_outputs
from spikernel.verification import verify


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
    for key in ("firing_rate", "effective_acs", "effective_macs", "dense_synops", "energy_pj"):
        assert report[key] == record[key]  # measured on the same images, all of the test set
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
            assert f"| {name}: {made['compiler']} |" in card
    assert "{{" not in card
    provenance = json.loads((tmp_path / "export" / "provenance.json").read_text())
    assert str(model.with_name("model.safetensors")) in provenance["inputs"]


def test_the_record_names_every_file_of_the_export_and_no_other(
    manifest: Path, model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    (folder / "c_int8").mkdir(parents=True)
    leftovers = {".DS_Store", "c_int8/.DS_Store", "c_int8/classify"}
    for name in leftovers:
        (folder / name).write_text("of a file manager, or of make")
    exported(manifest, model, tmp_path, c_weights=("float",), images=20)
    assert (folder / "c_float" / "device" / "main.c").exists()
    report = exported(manifest, model, tmp_path, c_weights=("int8",), images=20)
    assert not (folder / "c_float").exists()
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    named = set(recorded_outputs(folder / "provenance.json"))
    assert named == there - leftovers - {"provenance.json"}
    assert {"c_int8/main.c", "c_int8/device/main.c"} < named
    assert verify(folder) == len(named)
    with zipfile.ZipFile(folder / "model.zip") as archive:
        assert {name.partition("/")[2] for name in archive.namelist()} == named - {"model.zip"}
    assert report["nir"]["file"] in named
    source = folder / "c_int8" / "model.c"
    source.write_text(source.read_text().replace("1", "2", 1))
    with pytest.raises(DataError, match=r"c_int8/model\.c is not what provenance\.json"):
        verify(folder)


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


def test_the_card_says_that_its_model_is_above_the_budget(
    manifest: Path, model: Path, tmp_path: Path
) -> None:
    report = exported(manifest, model, tmp_path)
    report["chosen_for"] = {"budget_mb": 0.001, "precision": "int8", "fits": False}
    _, preprocessing = load_model(model.with_name("model.safetensors"), torch.device("cpu"))
    card = model_card.render(report, json.loads(model.read_text()), preprocessing)
    assert "No model was within 0.001 MB of int8 weights: THIS ONE NEEDS MORE." in card
