"""A configuration for a folder of the user's own images, and what it will cost."""

import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from spikernel import artifacts
from spikernel.config import strict_yaml
from spikernel.data.findings import some
from spikernel.data.manifest import Manifest, SplitFiles
from spikernel.errors import ConfigError
from spikernel.study import experiment, proposal
from spikernel.study.estimate import describe, estimate

FEW = 20
"""A class with fewer images in a split is named in a warning."""
LOPSIDED = 5
"""So are the smallest and the largest class where they differ by more than this factor."""
FEW_TO_CHOOSE = 400
"""So are fewer validation images: with these an accuracy is known to five points."""
LOST = 0.25
"""So is a larger share of the images that lies outside their centre squares."""


@dataclass(frozen=True)
class Inputs:
    """Files read."""

    images: Annotated[Path, "folder with train/ and test/ or val/, in them a folder per class"]


@dataclass(frozen=True)
class Outputs:
    """The file written."""

    config: Annotated[Path | None, "YAML file to write; default: config/<name>.yaml"] = None


@dataclass(frozen=True)
class Settings:
    """What the images alone do not say."""

    name: Annotated[str | None, "of data set and experiment; default: the folder's"] = None
    memory_mb: Annotated[float, "largest memory of a net's int8 weights in MB"] = 0.5
    time: Annotated[bool, "time training steps, and print what the study will cost"] = True


def run(inputs: Inputs, outputs: Outputs, settings: Settings) -> None:
    """Write the configuration; print what it is for, warnings, the cost, and the next command.

    Raises:
        ConfigError: the file is there already, or the name cannot be one.
        BudgetError: no net for these images fits the memory.
        DataError: the folder is not arranged as it must be, or holds no images.

    """
    images = inputs.images
    if images.name in ("", ".."):
        images = images.resolve()
    name = settings.name or re.sub(r"[^A-Za-z0-9_.-]+", "-", images.name).lstrip("_.-")
    if not name:
        raise ConfigError(f"no name can be made of that of {images}: give --name, such as flowers")
    path = outputs.config or Path("config") / f"{name}.yaml"
    if path.exists():
        raise ConfigError(f"{path} is there already: remove it, or give another --config or --name")
    found = proposal.propose(name, images, settings.memory_mb)
    text = proposal.as_yaml(found, path)
    document = strict_yaml.parse(text, str(path))
    config = experiment.parse(document.data, document.place)
    artifacts.write_text(path, text)
    print(f"{path}: {found.about}; read it, and change what you like")
    for line in warnings(found.manifest, found.left_out, found.cropped):
        print(f"warning: {line}")
    cores = os.cpu_count() or 1
    if settings.time:
        print(describe(estimate(config, Path("results"), cores)))
    print(f"Next: snakemake --cores {cores} --configfile {path}")


def warnings(manifest: Manifest, left_out: Sequence[str], cropped: float) -> list[str]:
    """Return what is wrong with a data set.

    Args:
        manifest: whose classes may have too few images, or be lopsided.
        left_out: files and folders that are no part of it.
        cropped: share of an image, in the middle of all, that a centre square leaves out.

    """
    found = [
        line
        for name in ("train", "test")
        if (line := _few(manifest.classes, name, manifest.splits[name]))
    ]
    sizes = dict(zip(manifest.classes, manifest.splits["train"].per_class, strict=True))
    small, large = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    if sizes[large] > LOPSIDED * sizes[small]:
        found.append(
            f"classes are lopsided: {sizes[large]} training images of '{large}', {sizes[small]} of "
            f"'{small}': accuracy over all images will hide the small ones"
        )
    chosen_by = manifest.splits["validation"].count
    if chosen_by < FEW_TO_CHOOSE:
        # Two standard errors of an accuracy of a half.
        found.append(
            f"{chosen_by} validation images decide every choice: an accuracy on them is known to "
            f"{100 / math.sqrt(chosen_by):.0f} points only: add images, or raise "
            "validation_fraction"
        )
    if cropped > LOST:
        found.append(
            f"half of the images lose {100 * cropped:.0f} % or more at their edges, as the centre "
            "square is kept: pad or cut them to squares first, if that matters"
        )
    if left_out:
        found.append(f"left out, being no part of it: {some(left_out)}")
    return found


def _few(classes: tuple[str, ...], name: str, split: SplitFiles) -> str | None:
    few = [
        f"'{label}' ({number})"
        for label, number in zip(classes, split.per_class, strict=True)
        if number < FEW
    ]
    if not few:
        return None
    return f"fewer than {FEW} {name} images: {some(few, most=5)}: add images"
