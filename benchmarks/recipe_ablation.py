"""What each part of recipe `modern` adds: the part's absence against its presence, paired seeds.

One small net is trained on a subset of CIFAR-10 with the whole recipe (`base`), with each part
taken away (`no_...`) and with each candidate part added (`with_...`); how they are compared is in
`paired`. The last line printed is one JSON object.
"""

import json
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
from common import environment, prepare_cifar10
from paired import BASE, Images, Results, check_parts, print_table, summarise, train_missing

from spikernel import cli, provenance
from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.network.spiking_net import build_net
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.study.shapes import image_shape
from spikernel.training.loop import train

ENGINE = TrainingConfig(recipe="engine")
MUON = (
    "optimizer", "learning_rate", "norm_learning_rate", "head_learning_rate", "momentum",
    "renormalise", "weight_decay",
)  # fmt: skip
PARTS: dict[str, dict[str, Any]] = {
    "no_tet": {"objective": "mean"},
    "no_label_smoothing": {"label_smoothing": 0.0},
    "no_erasing": {"erase_probability": 0.0},
    "no_cutmix": {"cutmix_alpha": 0.0},
    "no_mixup": {"mixup_alpha": 0.0},
    "no_mixing": {"cutmix_alpha": 0.0, "mixup_alpha": 0.0},
    "no_ema": {"ema_decay": 0.0},
    "no_warmup": {"warmup_fraction": 0.0},
    "no_step_schedule": {"schedule_interval": "epoch"},
    "decay_on_norm": {"decay_norm": True},
    "no_crop": {"crop_padding": 0},
    "no_flip": {"flip": "none"},
    "no_adamw": {"optimizer": "sgd", "learning_rate": 0.1, "weight_decay": 5e-4},
    "with_gradient_clip": {"gradient_clip": 1.0},
    "with_straight_line": {"schedule": "linear"},
    "with_reflection": {"crop_fill": "reflect"},
    "with_alternating_flip": {"flip": "alternating"},
    "with_cutout": {"cutout": 8},
    "with_lookahead": {"lookahead": True, "ema_decay": 0.0},
    "with_muon": {name: getattr(ENGINE, name) for name in MUON},
}
"""Name -> what it changes in the recipe."""


def variant(base: Mapping[str, Any], part: str) -> TrainingConfig:
    """Return the settings with a part changed.

    Raises:
        ConfigError: there is no such part.

    """
    check_parts([part], {BASE: {}, **PARTS})
    return TrainingConfig.model_validate({**base, **PARTS.get(part, {})})


def main(
    output: Annotated[Path, "CSV of the finished trainings, to write or to go on with"],
    data: Annotated[Path, "folder that holds CIFAR-10, or receives it"] = Path("data"),
    parts: Annotated[list[str] | None, "parts to change; default: all"] = None,
    seeds: Annotated[list[int], "paired seeds"] = [0, 1, 2],  # noqa: B006
    epochs: Annotated[int, "epochs of each training"] = 7,
    images: Annotated[int, "training images"] = 3600,
    held_out: Annotated[int | None, "images to judge by; default: as many"] = None,
    batch_size: Annotated[int, "images per step"] = 50,
    learning_rate: Annotated[float, "peak learning rate of AdamW"] = 0.006,
    channels: Annotated[int, "C of the first cell"] = 12,
    time_steps: Annotated[int, "T"] = 3,
    stem_stride: Annotated[int, "stride of the stem"] = 2,
    archid: Annotated[str, "the cell"] = "k3-zero-skip-k3-zero-k3",
    threads: Annotated[int, "CPU threads"] = 1,
) -> None:
    """Train what is missing, seed by seed, then print the differences."""
    torch.set_num_threads(threads)
    parts = list(PARTS) if parts is None else parts
    held_out = images if held_out is None else held_out
    device = torch.device("cpu")
    environs = environment(device)
    network = NetworkConfig(
        channels=channels, time_steps=time_steps, stem_stride=stem_stride, pool=2, hidden=128,
        votes=4, dropout=0.2,
    )  # fmt: skip
    base = {
        "recipe": "modern", "epochs": epochs, "batch_size": batch_size,
        "learning_rate": learning_rate,
    }  # fmt: skip
    variants = {part: variant(base, part) for part in (BASE, *parts)}
    results = Results(
        output,
        {
            "base": variants[BASE].model_dump(mode="json"),
            "network": network.model_dump(mode="json"),
            "archid": archid,
            "images": images,
            "held_out": held_out,
        },
        environs,
    )
    with tempfile.TemporaryDirectory(prefix="spikernel-") as folder:
        total = images + held_out
        manifest = prepare_cifar10(data, Path(folder), total, validation_fraction=held_out / total)
        shown = Images.of(manifest)
        architecture = Architecture(
            Cell.from_archid(archid), network, image_shape(shown.learned.manifest)
        )

        def run(settings: TrainingConfig, seed: int) -> dict[str, Any]:
            net = build_net(architecture, seed, device)
            return shown.outcome(train(net, shown.splits, settings, seed))

        train_missing(
            results, seeds, {part: partial(run, given) for part, given in variants.items()}
        )
    summary = summarise(results, parts)
    print_table(results, summary)
    described = {"epochs": epochs, "images": images, "channels": channels, "archid": archid}
    code = provenance.code_version()
    print(json.dumps({"parts": summary, **described, "code": code, **environs}))


if __name__ == "__main__":
    cli.run(main)
