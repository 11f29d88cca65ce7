"""Trainings on a GPU; the nets that they give are those that a CPU runs."""

from pathlib import Path

import pytest
import torch
from toy import fresh_net, load

from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import binary_logits, to_device
from spikernel.training import trainer
from spikernel.training.cuda_graph import WARM_STEPS, GraphedStep
from spikernel.training.loop import train
from spikernel.training.mixing import MixedBatch
from spikernel.training.muon import Muon

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
COMPACT = {
    "macro": "compact",
    "stage_widths": [1, 2],
    "stem_channels": 8,
    "stem_weights": "learned",
}
NETWORKS = {
    "integer": COMPACT,
    "if_soft": {**COMPACT, "neuron": "if_soft", "time_steps": 4},
    "lif": {"macro": "modern", "time_steps": 2},
    "plif": {"macro": "modern", "time_steps": 2, "learnable_tau": True},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_net_trained_on_a_gpu_gives_the_same_classes_on_a_cpu(
    digits_manifest: Path, name: str
) -> None:
    network = NetworkConfig.parse({"channels": 8, "stages": 2, **NETWORKS[name]}, "toy")
    settings = TrainingConfig.parse(
        {"recipe": "engine", "epochs": 12, "batch_size": 36, "flip": "none", "crop_padding": 0},
        "toy",
    )
    splits = load(digits_manifest)
    net = fresh_net(digits_manifest, network=network).to("cuda")
    trained = train(net, splits, settings, 0)
    assert trained.history[-1].train_accuracy_percent > 40  # ten classes: chance is 10 %
    logits = {}
    for place in ("cuda", "cpu"):
        device = torch.device(place)
        images, _ = to_device(splits[1], device)
        manifest = splits[1].manifest
        normalise = Normaliser(manifest.mean, manifest.sd, device)
        logits[place] = binary_logits(trained.net.to(device), images, normalise).cpu()
    assert torch.equal(logits["cuda"].argmax(1), logits["cpu"].argmax(1))
    torch.testing.assert_close(logits["cuda"], logits["cpu"], rtol=1e-3, atol=1e-3)


def test_a_training_runs_its_steps_as_a_graph(
    digits_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replays = []
    replay = torch.cuda.CUDAGraph.replay

    def counted(graph: torch.cuda.CUDAGraph) -> None:
        replays.append(graph)
        replay(graph)

    monkeypatch.setattr(torch.cuda.CUDAGraph, "replay", counted)
    splits = load(digits_manifest)
    count = len(splits[0].labels)
    network = NetworkConfig.parse({"channels": 8, "stages": 2, **COMPACT}, "toy")
    settings = TrainingConfig.parse(
        {"recipe": "engine", "epochs": 8, "batch_size": count // 7, "cutmix_alpha": 1.0,
         "mix_probability": 0.5},
        "toy",
    )  # fmt: skip
    losses = {}
    for as_graph in (True, False):
        if not as_graph:
            monkeypatch.setattr(trainer, "can_be_graph", lambda *_: False)
        net = fresh_net(digits_manifest, network=network).to("cuda")
        losses[as_graph] = train(net, splits, settings, 0).history[-1].train_loss
        # Whatever does not fill a batch is no graph.
        assert len(replays) == 8 * 7 - WARM_STEPS
    assert losses[True] == pytest.approx(losses[False], rel=0.2)
    assert losses[True] < 2


def test_a_graph_reads_rates_images_and_shares_anew() -> None:
    weights = torch.nn.Parameter(torch.ones(2, device="cuda"))
    group = {"params": [weights], "lr": 1.0, "momentum": 0.0, "weight_decay": 0.0,
             "orthogonal": False}  # fmt: skip
    optimiser = Muon([group], renormalise=False)

    def learn(batch: MixedBatch) -> tuple[torch.Tensor, torch.Tensor]:
        optimiser.zero_grad(set_to_none=True)
        loss = batch.share * (weights * batch.images).sum()
        loss.backward()
        optimiser.step()
        return loss.detach(), batch.labels.sum()

    step = GraphedStep(learn, optimiser, batch_size=2)
    expected = torch.ones(2)
    for number in range(WARM_STEPS + 5):
        rate, share = 1 / (1 + number), 0.5 + number / 64
        images, labels = torch.tensor([number, 1.0]), torch.tensor([number, 2])
        optimiser.param_groups[0]["lr"] = rate
        on_device = images.cuda(), labels.cuda()
        loss, hits = step(MixedBatch(on_device[0], on_device[1], on_device[1], share))
        assert loss.item() == pytest.approx(share * (expected * images).sum().item(), rel=1e-4)
        assert hits == number + 2
        expected = expected - rate * share * images
        torch.testing.assert_close(weights.detach().cpu(), expected)


def test_a_step_that_no_graph_can_hold_is_done_kernel_by_kernel(
    caplog: pytest.LogCaptureFixture,
) -> None:
    parameter = torch.nn.Parameter(torch.ones(2, device="cuda"))
    optimiser = torch.optim.SGD([parameter], lr=0.5)
    seen = []

    def learn(batch: MixedBatch) -> tuple[torch.Tensor, torch.Tensor]:
        seen.append(batch.images.sum().item())  # the host may not wait within a capture
        return batch.images.sum(), batch.labels.sum()

    step = GraphedStep(learn, optimiser, batch_size=2)
    images, labels = torch.ones(2, 1, device="cuda"), torch.zeros(2, device="cuda")
    for _ in range(WARM_STEPS + 2):
        loss, _ = step(MixedBatch(images, labels, labels, 1.0))
        assert loss == 2
    assert seen == [2] * (WARM_STEPS + 2)
    assert "could not be captured" in caplog.text
    assert optimiser.param_groups[0]["lr"] == 0.5
