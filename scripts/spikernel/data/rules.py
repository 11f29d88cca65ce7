"""What the kind of a data set asks of its settings; known before any job runs."""

from spikernel.config import DatasetConfig, WorkflowConfig
from spikernel.config.problems import Problem, RefusedError
from spikernel.data.reader import reader
from spikernel.errors import ConfigError


def image_size(name: str, settings: DatasetConfig) -> int:
    """Return the side of a data set's square images in pixels.

    Raises:
        ConfigError: the settings give it where the kind fixes it, or lack it where it does not.
    """
    fixed, given = reader(settings.kind).IMAGE_SIZE, settings.image_size
    if fixed is not None and given is not None:
        raise ConfigError(f"data set {name}: image_size is fixed for {settings.kind}: remove it")
    side = fixed or given
    if side is None:
        raise ConfigError(
            f"data set {name}: kind {settings.kind} needs image_size, the side its images are "
            "resized to"
        )
    return side


def check_datasets(config: WorkflowConfig) -> None:
    """Check the settings of every data set of an experiment, and that its kernels fit the images.

    Raises:
        RefusedError: sizes are missing or superfluous, or kernels larger than the images.
    """
    largest = max(config.all_kernel_sizes())
    problems = []
    for name, settings in config.datasets.items():
        try:
            side = image_size(name, settings)
        except ConfigError as error:
            problems.append(Problem(("datasets", name, "image_size"), str(error)))
            continue
        if largest > side:
            message = (
                f"kernel size {largest} is larger than the {side}x{side} images of data set "
                f"{name}: remove that size"
            )
            problems.append(Problem(("kernel_impact", "kernel_sizes"), message))
    if problems:
        raise RefusedError(problems, "config")
