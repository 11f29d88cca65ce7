import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from toy import NETWORK, load

from spikernel.config import NetworkConfig, SearchConfig
from spikernel.network.neuron import NeuronLayer
from spikernel.network.spiking_net import build_net
from spikernel.search.batches import draw_batches
from spikernel.search.sahd import Alpha
from spikernel.search.scorer import Scorer
from spikernel.search.scores import sahd_half, sahd_half_n
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.study.shapes import image_shape

CPU = torch.device("cpu")
HALF_N, HALF = sahd_half_n.Score.alpha, sahd_half.Score.alpha
SETTINGS = SearchConfig(score="sahd_half_n", batch_size=16, batches=2, seed=3)


@pytest.fixture(scope="module")
def batches(digits_manifest: Path) -> list[torch.Tensor]:
    return draw_batches(load(digits_manifest)[0], SETTINGS, CPU)


def architecture(
    digits_manifest: Path, archid: str, network: NetworkConfig = NETWORK
) -> Architecture:
    shape = image_shape(load(digits_manifest)[0].manifest)
    return Architecture(Cell.from_archid(archid), network, shape)


INTEGER = NetworkConfig(
    neuron="integer", levels=3, time_steps=1, channels=4, pool=2, hidden=8, votes=1
)
MODERN = NetworkConfig(macro="modern", channels=4, time_steps=2, stem_convolutions=3)


@pytest.mark.parametrize(
    ("alpha", "network", "archid", "layers"),
    [
        # Six convolution edges per cell minus the pooled one, two cells, transition, head, hidden.
        (HALF_N, NETWORK, "k3-k1-k3-k1-avg-k3", 5 + 5 + 3),
        (HALF, NETWORK, "k3-k1-k3-k1-avg-k3", 5 + 5 + 3),
        # Two layers of the stem, two cells in each of three stages, two transitions, head.
        (HALF, MODERN, "k3-d5-k3-f3-avg-k3", 2 + 3 * 2 * 5 + 2 + 1),
        # Three binary steps in place of one time step.
        (HALF, INTEGER, "k3-k1-k3-k1-avg-k3", 3 * (5 + 5 + 3)),
    ],
)
def test_score_equals_a_plain_loop_over_published_layers(
    digits_manifest: Path,
    batches: list[torch.Tensor],
    alpha: Alpha,
    network: NetworkConfig,
    archid: str,
    layers: int,
) -> None:
    """One LIF per convolution edge, one call per time step, float64, as SNASNet counts them."""
    spec = architecture(digits_manifest, archid, network)
    net = build_net(spec, 3, CPU).train()
    codes: list[np.ndarray] = []

    def collect(module: torch.nn.Module, _: object, spikes: torch.Tensor) -> None:
        assert isinstance(module, NeuronLayer)
        levels = module.levels  # a neuron of D levels counts as its D binary spikes
        for _edge, step in itertools.product(range(module.calls), range(levels)):
            codes.extend((spikes > (step + 0.5) / levels).flatten(2).double().numpy())

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
            weight = 0.5 * neurons if alpha is HALF_N else 0.5
            kernel += neurons - weight * distance / (norm + 1e-3)
        scores.append(np.linalg.slogdet(kernel / len(codes))[1])
    scored = Scorer(batches, alpha, 3, CPU).score(spec)
    assert scored == pytest.approx(np.mean(scores), rel=1e-6)


def test_a_score_does_not_depend_on_what_was_scored_before(
    digits_manifest: Path, batches: list[torch.Tensor]
) -> None:
    spec = architecture(digits_manifest, "k3-zero-skip-k3-zero-k1")
    alone = Scorer(batches, HALF_N, 0, CPU).score(spec)
    scorer = Scorer(batches, HALF_N, 0, CPU)
    scorer.score(architecture(digits_manifest, "k1-k1-k1-k1-k1-k1"))
    assert scorer.score(spec) == alone
    assert scorer.score(spec) == alone
    assert Scorer(batches, HALF_N, 1, CPU).score(spec) != alone
