from pathlib import Path

import pytest
import torch
from toy import load

from spikernel.config import SearchConfig
from spikernel.errors import ConfigError
from spikernel.search.batches import draw_batches

CPU = torch.device("cpu")
SETTINGS = SearchConfig(batch_size=16, batches=2, seed=3)


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
