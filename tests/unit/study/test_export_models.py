"""Every model of a finished run as files for devices, or the one that fits a device."""

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from spikernel import artifacts
from spikernel.config import ExportConfig
from spikernel.errors import DataError, ExportError
from spikernel.export import compiler, device
from spikernel.study import export_models


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
            assert "same class as expected 20 of 20" in done.stdout
        if device.TARGETS[0].runs:
            command = ["make", "-s", "-C", packed / "c_int8" / "device", "run"]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.stdout.startswith("images 20\nsame_class 20\n")


def test_weights_of_another_training_are_refused(finished_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "digits"
    shutil.copytree(finished_run, run, ignore=shutil.ignore_patterns("export-*"))
    first, other = sorted(run.glob("train_final/*/rank-1/seed-0/model.safetensors"))
    shutil.copy(other, first)
    with pytest.raises(DataError, match=r"deployment\.json was made of: run the step deployment"):
        export_models.run(export_models.Settings(run))
    assert not list(run.glob("export-k1-3-*"))


def test_what_takes_more_than_was_asked_for_is_named_with_its_processor() -> None:
    # As measured of a model whose constants are within 20 kB.
    devices = {
        "cortex-m3": {"flash_bytes": 25_400, "ram_bytes": 15_300, "stack_bytes": 1_300},
        "cortex-m4f": {"flash_bytes": 20_000, "static_ram_bytes": 15_500},
        "rv32imac": {"refused": "no room"},
    }
    made = {"flash_bytes": 21_700, "ram_bytes": 14_000, "devices": devices}
    report = {"c": {"int8": made, "float": {"flash_bytes": 90_000, "ram_bytes": 90_000}}}
    limits = export_models.Settings(Path("run"), budget_kb=20, ram_kb=15)
    assert export_models.above_limits(report, limits) == [
        "more than 20 kB of flash, its code included: 21.7 kB on this machine, 25.4 kB on "
        "cortex-m3",
        "more than 15 kB of RAM: 15.3 kB on cortex-m3, 15.5 kB without the stack on cortex-m4f",
    ]
    assert export_models.above_limits(report, export_models.Settings(Path("run"))) == []
    assert export_models.above_limits({"c": {"float": made}}, limits) == []


def test_model_for_a_device_is_exported_alone(
    finished_run: Path, caplog: pytest.LogCaptureFixture
) -> None:
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
    if compiler.find_compiler() is not None:
        assert f"more than {budget_kb:g} kB of flash, its code included: " in caplog.text
    card = (finished_run / f"export-{smallest}-rank-1" / "MODEL_CARD.md").read_text()
    assert f"within\n{budget_kb / 1000:g} MB of int8 weights and 500 kB of static RAM; of" in card
    with pytest.raises(ExportError, match=r"^no model fits 1 kB of int8 constants: the least"):
        export_models.run(export_models.Settings(finished_run, budget_kb=1))
