from pathlib import Path

import numpy as np
import pytest
import torch
from toy import NETWORK, load

from spikernel.config import NetworkConfig, SearchConfig
from spikernel.errors import ConfigError
from spikernel.network.neurons import lif
from spikernel.network.spiking_net import build_net
from spikernel.search.scorer import Scorer, draw_batches
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.study.shapes import image_shape

CPU = torch.device("cpu")
SETTINGS = SearchConfig(score="sahd_half_n", batch_size=16, batches=2, seed=3)


@pytest.fixture(scope="module")
def batches(digits_manifest: Path) -> list[torch.Tensor]:
    return draw_batches(load(digits_manifest)[0], SETTINGS, CPU)


def architecture(
    digits_manifest: Path, archid: str, network: NetworkConfig = NETWORK
) -> Architecture:
    shape = image_shape(load(digits_manifest)[0].manifest)
    return Architecture(Cell.from_archid(archid), network, shape)


MODERN = NetworkConfig(macro="modern", channels=4, time_steps=2, stem_convolutions=3)


@pytest.mark.parametrize(
    ("version", "network", "archid", "layers"),
    [
        # Six convolution edges per cell minus the pooled one, two cells, transition, head, hidden.
        ("sahd_half_n", NETWORK, "k3-k1-k3-k1-avg-k3", 5 + 5 + 3),
        ("sahd_half", NETWORK, "k3-k1-k3-k1-avg-k3", 5 + 5 + 3),
        # Two layers of the stem, two cells in each of three stages, two transitions, head.
        ("sahd_half", MODERN, "k3-d5-k3-f3-avg-k3", 2 + 3 * 2 * 5 + 2 + 1),
    ],
)
def test_score_equals_a_plain_loop_over_published_layers(
    digits_manifest: Path,
    batches: list[torch.Tensor],
    version: str,
    network: NetworkConfig,
    archid: str,
    layers: int,
) -> None:
    """One LIF per convolution edge, one call per time step, float64, as SNASNet counts them."""
    spec = architecture(digits_manifest, archid, network)
    net = build_net(spec, 3, CPU).train()
    codes: list[np.ndarray] = []

    def collect(module: torch.nn.Module, _: object, spikes: torch.Tensor) -> None:
        assert isinstance(module, lif.Neuron)
        for _edge in range(module.calls):
            codes.extend(spikes.flatten(2).double().numpy())

    for neuron in net.neurons():
        neuron.register_forward_hook(collect)
    scores = []
    for index, batch in enumerate(batches):
        codes.clear()
        for dropout in net.dropouts():
            dropout.generator = torch.Generator().manual_seed(3 + index)
        with torch.no_grad():
            net(batch)
        assert len(codes) == network.time_steps * layers
        kernel = np.zeros((16, 16))
        for code in codes:
            neurons = code.shape[1]
            rates = code.mean(1)
            distance = code @ (1 - code).T + (1 - code) @ code.T
            norm = neurons * (np.outer(rates, 1 - rates) + np.outer(1 - rates, rates))
            alpha = 0.5 * neurons if version == "sahd_half_n" else 0.5
            kernel += neurons - alpha * distance / (norm + 1e-3)
        scores.append(np.linalg.slogdet(kernel / len(codes))[1])
    scored = Scorer(batches, version, 3, CPU).score(spec)
    assert scored == pytest.approx(np.mean(scores), rel=1e-6)


def test_a_score_does_not_depend_on_what_was_scored_before(
    digits_manifest: Path, batches: list[torch.Tensor]
) -> None:
    spec = architecture(digits_manifest, "k3-zero-skip-k3-zero-k1")
    alone = Scorer(batches, "sahd_half_n", 0, CPU).score(spec)
    scorer = Scorer(batches, "sahd_half_n", 0, CPU)
    scorer.score(architecture(digits_manifest, "k1-k1-k1-k1-k1-k1"))
    assert scorer.score(spec) == alone
    assert scorer.score(spec) == alone
    assert Scorer(batches, "sahd_half_n", 1, CPU).score(spec) != alone


def test_batches_are_seeded_distinct_and_normalised(digits_manifest: Path) -> None:
    split = load(digits_manifest)[0]
    batches = draw_batches(split, SETTINGS, CPU)
    assert [tuple(batch.shape) for batch in batches] == [(16, 1, 8, 8)] * 2
    again = draw_batches(split, SETTINGS, CPU)
    assert all(torch.equal(a, b) for a, b in zip(batches, again, strict=True))
    everything = SearchConfig(batch_size=len(split.labels), batches=1)
    pixels = draw_batches(split, everything, CPU)[0]
    assert pixels.mean().item() == pytest.approx(0, abs=1e-4)
    assert pixels.std().item() == pytest.approx(1, abs=1e-3)
    with pytest.raises(ConfigError, match="needs batch_size x batches = 10000 training images"):
        draw_batches(split, SearchConfig(batch_size=5000, batches=2), CPU)
