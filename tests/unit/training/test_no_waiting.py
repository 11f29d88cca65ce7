"""Nothing in an epoch waits for the device, as far as it can be seen without one.

On a GPU a host that reads a value, or sends one from pageable memory, waits for all queued work.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from toy import ARCHID, FEEDBACK, MODERN, NETWORK, fresh_net, load

from spikernel.config import TrainingConfig
from spikernel.network.neurons import lif
from spikernel.training.progress import Progress
from spikernel.training.trainer import make_trainer

READS = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "lift_fresh")
"""Operators that read values on the host or whose size depends on them, or that bring in a
tensor made on the host."""
SETTINGS = TrainingConfig.model_validate(
    {
        "recipe": "modern", "epochs": 2, "batch_size": 32,
        "mix_probability": 1.0, "gradient_clip": 1.0,
    }
)  # fmt: skip


class Watch(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen.add(func.name().split("::")[1].split(".")[0])
        return func(*args, **(kwargs or {}))


def test_watch_sees_reads() -> None:
    with Watch() as watch:
        float(torch.ones(()).sum())
        torch.tensor([1.0])
    assert {"_local_scalar_dense", "lift_fresh"} <= watch.seen


NETS = {
    "forward": (NETWORK, ARCHID),
    "feedback": (NETWORK, FEEDBACK),
    "feedback_learned_tau": (MODERN, FEEDBACK),
}


@pytest.mark.parametrize(
    ("net_name", "recipe"),
    [*((name, recipe) for name in NETS for recipe in ("sgd", "adamw", "engine")),
     ("forward", "engine_by_rates")],
)  # fmt: skip
def test_an_epoch_reads_nothing_back(
    digits_manifest: Path,
    monkeypatch: pytest.MonkeyPatch,
    net_name: str,
    recipe: str,
) -> None:
    network, archid = NETS[net_name]
    # The CPU's neurons read a learned tau, which is no wait there; the GPU's are looked at.
    monkeypatch.setattr(lif.Neuron, "sequence", lif.Neuron.sequence_fused)
    if recipe.startswith("engine"):
        phase = {"epochs": 2, "gradient": "rate" if recipe == "engine_by_rates" else "time"}
        more = {"lookahead": True, "cutout": 2, "crop_padding": 1, "phases": [phase]}
        settings = TrainingConfig.parse({"recipe": "engine", "batch_size": 32, **more}, "t")
    else:
        settings = SETTINGS.model_copy(update={"optimizer": recipe})
    net = fresh_net(digits_manifest, network=network, archid=archid)
    trainer = make_trainer(net, load(digits_manifest), settings, 0)
    progress = Progress([1, 1], len(trainer.labels))
    trainer.train_epoch(trainer.begin_epoch(1), progress)  # the optimiser makes its state
    with Watch() as watch:
        trainer.train_epoch(trainer.begin_epoch(2), progress)
    assert "convolution" in watch.seen
    assert "convolution_backward" in watch.seen
    assert not watch.seen & set(READS)
