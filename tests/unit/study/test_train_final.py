"""What a final training records of its net, and which candidates it takes."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from spikernel import artifacts, provenance, tables
from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.errors import TableError
from spikernel.inference import predict
from spikernel.network.spiking_net import SpikingNet
from spikernel.study import train_final
from spikernel.study.candidate import Candidate
from spikernel.study.inputs import Machine


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


def test_integer_neurons_are_tested_as_binary_spikes(
    digits_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Tensor] = []
    logits = predict.binary_logits

    def watched(net: SpikingNet, *arguments: object) -> Tensor:
        def keep(_layer: nn.Module, inputs: tuple[Tensor]) -> None:
            given.append(inputs[0])

        convolutions = [m for m in net.modules() if isinstance(m, nn.Conv2d)][1:]  # but the stem
        hooks = [convolution.register_forward_pre_hook(keep) for convolution in convolutions]
        found = logits(net, *arguments)  # type: ignore[arg-type]
        for hook in hooks:
            hook.remove()
        return found

    monkeypatch.setattr(predict, "binary_logits", watched)
    network = {
        "macro": "compact", "channels": 4, "stages": 2, "stage_widths": [1, 2],
        "stem_channels": 4, "stem_weights": "learned", "levels": 3,
    }  # fmt: skip
    training = {"recipe": "engine", "epochs": 1, "batch_size": 60, "cpu_bfloat16": False}
    settings = train_final.Settings(
        seed=0,
        network=NetworkConfig.parse(network, "t"),
        training=TrainingConfig.parse(training, "t"),
    )
    candidate = Candidate.by_hand("k3-zero-skip-k1-zero-k3")
    outputs = train_final.Outputs.in_folder(tmp_path)
    train_final.train_candidate(digits_manifest, candidate, outputs, settings, Machine("cpu"))
    assert json.loads(outputs.metrics.read_text())["binary_steps"] == 3
    assert given
    for spikes in given:
        assert len(spikes) == 3 * 60  # all test images in one batch, three steps each
        assert set(torch.unique(spikes).tolist()) <= {0.0, 1.0}


def test_candidates_and_record_of_two_searches_are_refused(tmp_path: Path) -> None:
    tables.write_csv(tmp_path / "candidates.csv", [{"archid": "k3-k3-k3-k3-k3-k3", "rank": 1}])
    search = {
        "dataset": "digits", "kernel_set": "k1-3", "kernel_sizes": [1, 3],
        "best_archid": "k1-k1-k1-k1-k1-k1",
    }  # fmt: skip
    artifacts.write_json(tmp_path / "search.json", search)
    paths = tmp_path / "candidates.csv", tmp_path / "search.json"
    with pytest.raises(TableError, match="are of two searches: their best cells are k3-k3-k3"):
        Candidate.of_search(*paths, rank=1)
    # Two sets whose best cell is the same.
    same = {**search, "best_archid": "k3-k3-k3-k3-k3-k3"}
    for sizes, refused in (([1, 3], False), ([1, 5], True)):
        artifacts.write_json(tmp_path / "search.json", {**same, "kernel_sizes": sizes})
        if not refused:
            assert Candidate.of_search(*paths, rank=1).kernel_sizes == sizes
            continue
        with pytest.raises(TableError, match="though their best cells are the same"):
            Candidate.of_search(*paths, rank=1)
    # The record beside the candidates names the search.json that was written with them.
    artifacts.write_json(tmp_path / "search.json", same)
    provenance.write(
        tmp_path / "provenance.json", step="nas_search", settings={}, inputs=[], outputs=paths,
        seconds=0.0,
    )  # fmt: skip
    other = tmp_path / "other" / "search.json"
    artifacts.write_json(other, same)
    Candidate.of_search(paths[0], other, rank=1)
    artifacts.write_json(other, {**same, "kernel_set": "k1-3-5", "kernel_sizes": [1, 3, 5]})
    with pytest.raises(TableError, match="give those of kernel set k1-3-5"):
        Candidate.of_search(paths[0], other, rank=1)
