"""What a device gets from a trained net, and nets that no device can get."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from trained_digits import (
    NETWORK,
    TEST_IMAGES,
    TRAINING,
    deployed_as,
    deployment_outputs,
    exported,
    trained,
)

from spikernel import code, registry
from spikernel.data.splits import load_split
from spikernel.errors import ExportError
from spikernel.export import quantise
from spikernel.export.deployed import check_agreement, deployed
from spikernel.export.lowering import lower
from spikernel.export.steps import Fire
from spikernel.inference.predict import to_device
from spikernel.inference.released import load_model
from spikernel.report.tables import predictions
from spikernel.study import deployment


def test_deployment_records_what_a_device_gets(manifest: Path, model: Path) -> None:
    record, made = (json.loads(path.read_text()) for path in (model, deployed_as(model)))
    assert made["archid"] == record["archid"]
    assert made["not_exported"] is None
    for split in ("val", "test"):
        int8 = made[f"int8_{split}_accuracy_percent"]
        assert abs(int8 - record[f"{split}_accuracy_percent"]) < 3
    assert made["int8_bytes"] < made["fp32_bytes"] / 3
    assert made["val_images"] == len(load_split(manifest, "validation").labels)
    assert made["test_images"] == TEST_IMAGES
    assert made["classes"] == [str(digit) for digit in range(10)]


def test_another_rule_of_the_neurons_is_other_code(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs, weights = deployment_outputs(model), model.with_name("model.safetensors")
    neurons = registry.module_name("neuron", NETWORK.neuron)
    made = json.loads(outputs.provenance.read_text())
    assert made["parts"] == [neurons]
    assert deployment.is_done(outputs, weights)
    meaning = code._meaning
    edited = code.SCRIPTS / f"{neurons.replace('.', '/')}.py"
    monkeypatch.setattr(
        code, "_meaning", lambda path: "edited" if path == edited else meaning(path)
    )
    assert not deployment.is_done(outputs, weights)


def test_predictions_are_those_behind_the_accuracies(manifest: Path, model: Path) -> None:
    record, made = (json.loads(path.read_text()) for path in (model, deployed_as(model)))
    found = predictions.read(deployment_outputs(model).predictions)
    test = load_split(manifest, "test")
    assert found.label.tolist() == test.labels.tolist()
    right, right_int8 = (predicted == found.label for predicted in (found.trained, found.int8))
    assert 100 * right.mean() == pytest.approx(record["test_accuracy_percent"])
    assert 100 * right_int8.mean() == pytest.approx(made["int8_test_accuracy_percent"])
    assert len(found.mistakes) == min(deployment.PICTURES, TEST_IMAGES - right.sum())
    assert not right[found.mistakes].any()
    assert (found.pictures == test.images[found.mistakes]).all()


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


def test_what_c_would_refuse_is_not_deployed(
    manifest: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first layer reads 9 pixels of up to 255, whose sum is at most 9 x 127 x 255 = 291,465."""
    net, _ = load_model(model.with_name("model.safetensors"), torch.device("cpu"))
    split = load_split(manifest, "test")
    images, labels = to_device(split, torch.device("cpu"))
    some = images[:20], labels[:20]
    for most, refused in (
        (291_465, None),
        (291_464, "stem: sums over 9 inputs of up to 255 may not fit 32 bits: use a smaller layer"),
    ):
        monkeypatch.setattr(quantise, "MOST_SUM", most)
        found, _ = deployed(net, split.manifest, some, some)
        assert found["not_exported"] == refused
        assert (found["ram_bytes"] is None) == (refused is not None)


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
