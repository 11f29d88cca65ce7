"""Released weights: one safetensors file that holds all that is needed to use the net.

The header carries the architecture, the normalisation and the class names as JSON; the
file contains no code.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from spikernel import artifacts
from spikernel.config import NetworkConfig
from spikernel.data.manifest import Manifest
from spikernel.errors import DataError
from spikernel.network.spiking_net import SpikingNet, build_net
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell

_KEY = "spikernel"
SCALE = ".scale"
"""Suffix of the name of what an int8 weight is multiplied by, float32, one per output channel."""


@dataclass(frozen=True)
class Preprocessing:
    """How an image becomes the net's input: value / 255, minus mean, by standard deviation.

    Attributes:
        mean: of each channel.
        sd: standard deviation of each channel.
        classes: their names.
        train_sha256: hash of the array of training images, by which a data set that is split
            otherwise is told; None in files of earlier versions.

    """

    mean: list[float]
    sd: list[float]
    classes: list[str]
    train_sha256: str | None = None

    def is_of_split(self, manifest: Manifest) -> bool:
        """Whether the net was trained on a data set's training split, as far as its file says."""
        return self.train_sha256 in (None, manifest.splits["train"].images_sha256)


def save_model(
    path: Path, net: SpikingNet, manifest: Manifest, tensors: Mapping[str, Tensor] | None = None
) -> None:
    """Write a net's weights and description atomically.

    Args:
        path: of the file.
        net: the net.
        manifest: of its data set.
        tensors: its weights by name, in half precision or in int8 with scales; default: as it has
            them.

    """
    architecture = net.architecture
    preprocessing = Preprocessing(
        list(manifest.mean),
        list(manifest.sd),
        list(manifest.classes),
        manifest.splits["train"].images_sha256,
    )
    description = {
        "archid": architecture.cell.archid,
        "network": architecture.network.model_dump(mode="json"),
        "images": asdict(architecture.images),
        "preprocessing": asdict(preprocessing),
    }
    given = net.state_dict() if tensors is None else tensors
    plain = {name: value.detach().cpu().contiguous() for name, value in given.items()}
    artifacts.write_bytes(path, save(plain, metadata={_KEY: json.dumps(description)}))


def load_model(path: Path, device: torch.device) -> tuple[SpikingNet, Preprocessing]:
    """Rebuild a net from its file alone, in float32 whatever the file holds.

    Raises:
        DataError: the file is missing, damaged, not one of ours, or its weights do not fit the net
            it describes.

    """
    text = _read_description(path)
    try:
        description: dict[str, Any] = json.loads(text)
        architecture = Architecture(
            Cell.from_archid(description["archid"]),
            NetworkConfig.parse(description["network"], str(path)),
            ImageShape(**description["images"]),
        )
        preprocessing = Preprocessing(**description["preprocessing"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: its SpiKernel description is not complete: {error}") from None
    net = build_net(architecture, seed=0, device=device)
    tensors = _in_float32(path, load_file(path, device=str(device)))
    wanted = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise DataError(
                f"{path}: {name} is {found.get(name, 'missing')}, the net it describes has "
                f"{wanted.get(name, 'none')}"
            )
    net.load_state_dict(tensors)
    return net.eval(), preprocessing


def _in_float32(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    found = {}
    for name, value in tensors.items():
        if value.dtype == torch.int8:
            scale = tensors.get(name + SCALE)
            if scale is None or scale.shape != value.shape[:1]:
                raise DataError(f"{path}: {name} is int8 and lacks a scale for each of its filters")
            found[name] = value.float() * scale.view(-1, *(1,) * (value.ndim - 1))
        elif not name.endswith(SCALE):
            found[name] = value.float() if value.dtype == torch.float16 else value
    return found


def _read_description(path: Path) -> str:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except FileNotFoundError:
        raise DataError(f"{path} is missing: run train_final first") from None
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path} is not a whole safetensors file: {error}") from None
    if _KEY not in metadata:
        raise DataError(f"{path} holds no SpiKernel description: it was not written by train_final")
    return str(metadata[_KEY])
