"""Which batches are too large for a data set, and which memory is too small for nets. No torch."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from spikernel import registry
from spikernel.config import NetworkConfig, ReportConfig, WorkflowConfig
from spikernel.config.problems import Key, Problem
from spikernel.search.score import score_class
from spikernel.space import macro
from spikernel.space.architecture import ImageShape
from spikernel.space.counts import memory_mb
from spikernel.space.macro import scaled
from spikernel.study.bounds import Bounds

MOST_TRAINING_GB = 1000
"""Memory that no machine has in one place; a net whose weights alone need more is a slip."""
_BYTES_PER_PARAMETER = 12
"""A weight, its gradient and its momentum in training, as fp32."""


def search_problems(config: WorkflowConfig, name: str) -> Iterator[Problem]:
    """Yield why a data set whose size is known has too few images to score candidates."""
    search = config.nas_search
    if score_class(search.score).needs_images:
        wanted = search.batch_size * search.batches
        words = f"batch_size x batches = {wanted} training images"
        yield from _image_problems(
            config, name, ("nas_search", "batch_size"), wanted, words, "lower one of the two"
        )


def batch_problems(
    config: WorkflowConfig, name: str, key: Key, batch_size: int
) -> Iterator[Problem]:
    """Yield why the batches of a training are too large for a data set whose size is known."""
    words = f"a step takes {batch_size} training images"
    yield from _image_problems(config, name, key, batch_size, words, "lower it")


def _image_problems(
    config: WorkflowConfig, name: str, key: Key, wanted: int, words: str, remedy: str
) -> Iterator[Problem]:
    data = config.datasets[name]
    published = registry.literal("reader", data.kind, "TRAIN_IMAGES", None)
    least = min((n for n in (published, data.train_images) if n is not None), default=None)
    if least is None:
        return
    # Those held out are counted class by class, and rounded; a folder may have its own.
    held_out = 0 if published is None else int(least * data.validation_fraction)
    if wanted > least - held_out + registry.literal("reader", data.kind, "CLASSES", 0):
        yield Problem(key, f"{words}, but data set {name} has {least - held_out} at most: {remedy}")


def size_problems(config: WorkflowConfig, name: str, bounds: Bounds) -> Iterator[Problem]:
    """Yield what even the smallest net is too large for."""
    widths, sizes = config.all_widths(), sorted(config.all_kernel_sizes())
    if config.nas_search.budget.fill:  # a cell has as many channels as its memory allows
        networks = [bounds.network.at(1)] * 2
    else:
        networks = [scaled(bounds.network, width) for width in (widths[0], widths[-1])]
    narrow, wide = (replace(bounds, network=network) for network in networks)
    widest = wide.smallest_params(sizes)
    needed_gb = widest * _BYTES_PER_PARAMETER / 1e9
    if needed_gb > MOST_TRAINING_GB:
        yield Problem(
            config.network_key(name, "channels"),
            f"on data set {name}: even the smallest net has {widest:,} parameters, whose training "
            f"needs {needed_gb:,.0f} GB: lower channels or hidden",
        )
    report, chosen = config.tradeoff_report, config.export.memory_budget_mb
    least = memory_mb(narrow.smallest_params(sizes), report.precision)
    for key, budget in (
        (("tradeoff_report", "memory_budgets_mb"), max(report.memory_budgets_mb)),
        (("export", "memory_budget_mb"), chosen),
    ):
        if budget is not None and budget < least:
            yield Problem(
                key,
                f"no net on data set {name} fits {budget:g} MB: the smallest needs {least:.4g} MB "
                f"as {report.precision}; raise it, or lower channels or hidden",
            )
    yield from _device_problems(report, name, narrow, sizes)


def _device_problems(
    report: ReportConfig, name: str, narrow: Bounds, sizes: Sequence[int]
) -> Iterator[Problem]:
    flash_kb = least_flash_bytes(narrow, sizes) / 1000
    ram_kb = largest_map_bytes(narrow.network, narrow.images) / 1000
    for option, least_kb, words in (
        ("flash_budgets_kb", flash_kb, f"the int8 weights of the smallest take {flash_kb:.4g} kB"),
        ("ram_budgets_kb", ram_kb, f"the largest map of the narrowest takes {ram_kb:.4g} kB"),
    ):
        # The default sizes are a list to look at, which nets of any size may be beyond.
        largest_kb = max(getattr(report, option), default=least_kb)
        if option in report.model_fields_set and largest_kb < least_kb:
            yield Problem(
                ("tradeoff_report", option),
                f"no net on data set {name} fits {largest_kb:g} kB: {words}; raise it, or lower "
                "channels or hidden",
            )


def least_flash_bytes(bounds: Bounds, sizes: Sequence[int]) -> int:
    """Return a size that the constants of every int8 net of some kernel sizes exceed.

    A weight takes one byte; scale and bias of a channel take more than the parameters of its batch
    norm and neurons. Of the votes for a class only their mean is kept.
    """
    network = bounds.network.model_copy(update={"votes": 1})
    return replace(bounds, network=network).smallest_params(sizes)


def largest_map_bytes(network: NetworkConfig, images: ImageShape) -> int:
    """Return the size of the largest map of real values, in fp32, that all nets compute.

    Static memory of the C code holds it, and more. A transition that pools convolves at full size.
    """
    parts = macro.parts(network, images.channels, images.size)
    pools = network.downsampling == "pool"
    elements = [parts[0].channels * parts[0].size ** 2]
    for before, part in itertools.pairwise(parts):
        side = before.size if pools and part.kind == "transition" else part.size
        elements.append(part.channels * side**2)
    return 4 * max(elements)
