"""What is proposed for a folder of images: their size and splits, a net, and its training.

The nets and recipes are those of docs/training.md. How often they are trained follows from the
number of images.
"""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from spikernel.config import DatasetConfig, NetworkConfig
from spikernel.data.class_folders import list_images
from spikernel.data.manifest import Manifest
from spikernel.errors import BudgetError, ConfigError, DataError
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.space.counts import at_parameters, parameter_count
from spikernel.study.data_ahead import collection_ahead, manifest_ahead
from spikernel.study.shapes import image_shape

LOOKED_AT = 1000
"""Training images, spread over all of them, whose sizes are looked at."""
SMALLEST, LARGEST = 8, 64
"""Sides in pixels that are proposed; the cost of a training grows with their square."""
COMPACT_FROM = 16
"""Side in pixels from which macro-structure `compact`, which halves maps at once, is proposed."""
CHAIN = Cell.from_archid("k3-zero-skip-k3-zero-k3")
"""The net of this cell gets half of the memory, so that there is room for larger kernels."""
STEPS = 3000
"""Steps of a final training; those of docs/training.md have about as many."""
MOST_EPOCHS = 60


@dataclass(frozen=True)
class Proposal:
    """Values of a configuration."""

    name: str
    images: Path
    """The folder."""
    sides: tuple[int, ...]
    """Short sides of the images that were looked at, ascending."""
    data: DatasetConfig
    manifest: Manifest
    """Without statistics and hashes."""
    network: Mapping[str, Any]
    memory_mb: float
    cropped: float
    """Share of an image, in the middle of all, that lies outside its centre square."""
    left_out: tuple[str, ...]
    """Files and folders that are no part of the data set, by their names."""

    @property
    def batch_size(self) -> int:
        """The largest of four with which an epoch has 40 steps."""
        count = self.manifest.splits["train"].count
        return next((size for size in (200, 100, 50) if count >= 40 * size), min(25, count))

    @property
    def steps_per_epoch(self) -> int:
        """Training steps of an epoch."""
        return math.ceil(self.manifest.splits["train"].count / self.batch_size)

    @property
    def epochs(self) -> int:
        """Epochs of a final training."""
        return min(MOST_EPOCHS, math.ceil(STEPS / self.steps_per_epoch))

    @property
    def about(self) -> str:
        """The data set in words."""
        counts = ", ".join(f"{split.count} {name}" for name, split in self.manifest.splits.items())
        side = self.data.image_size
        return f"{counts} images of {len(self.manifest.classes)} classes at {side}x{side} pixels"


def propose(name: str, images: Path, memory_mb: float) -> Proposal:
    """Look at a folder of images and choose the values of a configuration for it.

    Args:
        name: of the data set.
        images: the folder, arranged as data/README.md says.
        memory_mb: largest memory of int8 weights in MB (10^6 bytes).

    Raises:
        BudgetError: even a narrow net needs more memory.
        ConfigError: the memory is no size.
        DataError: the folder is not arranged so, or holds no images.

    """
    if not 0 < memory_mb < math.inf:
        raise ConfigError(f"--memory-mb must be a positive number, got {memory_mb:g}")
    sizes = image_sizes(images / "train")
    sides = tuple(sorted(map(min, sizes)))
    cropped = statistics.median(1 - min(size) / max(size) for size in sizes)
    side = max(SMALLEST, min(LARGEST, int(statistics.median(sides)) // 4 * 4))
    folder = None if images.name == name else images.name
    data = DatasetConfig(kind="imagefolder", folder=folder, image_size=side)
    found = collection_ahead(name, data, images.parent)
    if found.validation is None:
        share = 0.1 if len(found.train.labels) >= 5000 else 0.2
        data = data.model_copy(update={"validation_fraction": share})
    manifest = manifest_ahead(name, data, found)
    network: dict[str, Any] = {"macro": "compact"}
    if side < COMPACT_FROM:
        network = {"macro": "modern", "stages": 2, "cells_per_stage": 1}
    wide = Architecture(CHAIN, NetworkConfig.parse(network, "network"), image_shape(manifest))
    channels = at_parameters(wide, round(memory_mb * 1e6 / 2)).network.channels // 4 * 4
    network["channels"] = max(4, channels)
    least = Architecture(CHAIN, NetworkConfig.parse(network, "network"), image_shape(manifest))
    if channels == 0 and parameter_count(least).total > memory_mb * 1e6:
        raise BudgetError(
            f"a net of 4 channels for {side}x{side} images needs more than {memory_mb:g} MB: raise "
            "--memory-mb"
        )
    left_out = tuple(found.remarks.skipped)
    return Proposal(name, images, sides, data, manifest, network, memory_mb, cropped, left_out)


def image_sizes(folder: Path) -> list[tuple[int, int]]:
    """Return width and height in pixels of image files below a folder.

    Raises:
        DataError: there are none.

    """
    names = [name for name, _ in list_images(folder).images] if folder.is_dir() else []
    sizes = []
    for path in (folder / name for name in names[:: max(1, len(names) // LOOKED_AT)]):
        try:
            with Image.open(path) as image:
                sizes.append(image.size)
        except Exception:  # a damaged file leads Pillow to errors of any type
            continue  # the reader names it
    if not sizes:
        raise DataError(
            f"{folder} holds no images: --images must be a folder with train/<class>/ and "
            "test/<class>/, see data/README.md"
        )
    return sizes


_FILLING = """\
# Step 3: every cell of each set gets the most channels that the memory allows, and is scored,
# without training. Finalists cost some training, and their ranking is worth more than a score.
nas_search:
  strategy: exhaustive
  budget: {{max_memory_mb: {memory_mb!r}, precision: int8, fill: true}}
  # finalists: 4
  # finalist_training: {{beside: 2, rungs: [{short}], training: {{recipe: {recipe}}}}}
"""
"""For macro-structure `compact`, whose cells the score that fills a memory was fitted to."""
_WIDTHS = "  widths: [0.7, 1] # times the channels: about half of the memory, all of it\n"

_EQUAL_WIDTH = """\
# Step 3: every cell of each set that fits the memory is scored, without training.
nas_search:
  strategy: exhaustive
  budget: {{max_memory_mb: {memory_mb!r}, precision: int8}}
"""

_TEMPLATE = """\
# {about}, from {images}.
# Proposed by scripts/new_study.py; config/README.md explains every key. After a change:
#   python scripts/estimate.py --config {path}
#   snakemake --cores 2 --configfile {path}
experiment: {name}
data_dir: {data_dir}
device: auto # a GPU where there is one
threads: 1 # CPU threads of each job; jobs run side by side

datasets:
  {name}:
    kind: imagefolder # every image becomes RGB, grey ones too
{data}
network:
{network}
# Step 1: which kernel sizes are worth their memory. Short trainings, of which the order counts.
kernel_impact:
  kernel_sizes: [1, 3, 5, 7]
  seeds: [0, 1]
  training: &training
    recipe: {recipe}
    batch_size: {batch_size} # at least 40 steps in an epoch, where there are enough images
    epochs: {short}
    # flip: none # where left and right carry meaning, as in letters and digits

# Step 2: three sets of two or three sizes, and the baseline {{1, 3}}.
kernel_set_design:
  keep: 3
  baseline: [1, 3]

{search}
# Step 4: the best cell of each set, trained to the end. More epochs cost time, and help.
train_final:
  ranks: 1
{widths}  seeds: [0, 1]
  training:
    <<: *training
    epochs: {epochs} # {steps} steps

# Step 5: the best model within each of these budgets, in MB of int8 weights.
tradeoff_report:
  memory_budgets_mb: {budgets}
  precision: int8
  published_points: false # published results are on other data sets

# Step 6: the model for the largest budget as C code, ONNX and NIR.
export:
  c_weights: [int8]
"""


def as_yaml(found: Proposal, path: Path) -> str:
    """Return a proposal as the commented text of a configuration file.

    Args:
        found: the values.
        path: of the file, for the commands in its comments.

    """
    data: list[tuple[str, object, str]] = [
        ("image_size", found.data.image_size, f"the images have {_range(found.sides)} pixels"),
    ]
    if found.data.folder is not None:
        data.append(("folder", found.data.folder, ""))
    if "validation_fraction" in found.data.model_fields_set:
        share = found.data.validation_fraction
        data.append(("validation_fraction", share, "of the training images, for every choice"))
    about = {
        "macro": "docs/method.md says what it is",
        "channels": "a cell of three 3x3 convolutions takes half of the memory",
    }
    compact, memory_mb = found.network["macro"] == "compact", found.memory_mb
    recipe, short = "engine" if compact else "modern", min(found.epochs, max(2, found.epochs // 5))
    search = (_FILLING if compact else _EQUAL_WIDTH).format(
        memory_mb=memory_mb, recipe=recipe, short=short
    )
    return _TEMPLATE.format(
        about=found.about,
        images=found.images,
        path=path,
        name=_scalar(found.name),
        data_dir=_scalar(str(found.images.parent)),
        data="".join(f"    {_line(*entry)}" for entry in data),
        network="".join(f"  {_line(k, v, about.get(k, ''))}" for k, v in found.network.items()),
        search=search,
        widths=_WIDTHS if compact else "",
        recipe=recipe,
        batch_size=found.batch_size,
        short=short,
        epochs=found.epochs,
        steps=f"{found.epochs * found.steps_per_epoch:,}",
        # The last is what cells may fill, to the byte.
        budgets=[*(float(f"{share * memory_mb:.3g}") for share in (0.55, 0.75)), memory_mb],
    )


def _scalar(value: object) -> str:
    """Return a value as YAML, quoted where it must be."""
    return yaml.safe_dump(value, default_flow_style=True, width=math.inf).split("\n...")[0].strip()


def _line(key: str, value: object, comment: str) -> str:
    return f"{key}: {_scalar(value)}{f' # {comment}' if comment else ''}\n"


def _range(sides: tuple[int, ...]) -> str:
    if sides[0] == sides[-1]:
        return str(sides[0])
    return f"{sides[0]} to {sides[-1]}, in the middle {sides[len(sides) // 2]},"
