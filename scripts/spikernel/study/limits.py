"""Which batches are too large for a data set, and which memory is too small for nets. No torch."""

from collections.abc import Iterator
from dataclasses import replace

from spikernel import registry
from spikernel.config import FinalistConfig, WorkflowConfig
from spikernel.config.problems import Key, Problem
from spikernel.search.score import score_class
from spikernel.space.counts import memory_mb
from spikernel.study.bounds import Bounds

MOST_TRAINING_GB = 1000
"""Memory that no machine has in one place; a net whose weights alone need more is a slip."""
_BYTES_PER_PARAMETER = 12
"""A weight, its gradient and its momentum in training, as fp32."""


def search_problems(config: WorkflowConfig, name: str) -> Iterator[Problem]:
    """Yield why a data set whose size is known has too few images to score or train candidates."""
    search = config.nas_search
    if score_class(search.score).needs_images:
        wanted = search.batch_size * search.batches
        words = f"batch_size x batches = {wanted} training images"
        yield from _image_problems(
            config, name, ("nas_search", "batch_size"), wanted, words, "lower one of the two"
        )
    if search.finalists is not None:
        key = ("nas_search", "finalist_training", "training", "batch_size")
        how = search.finalist_training or FinalistConfig()
        yield from batch_problems(config, name, key, how.training.batch_size)


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
    widths = config.all_widths()
    params, widest = (
        replace(bounds, network=bounds.network.scaled(width)).smallest_params(
            sorted(config.all_kernel_sizes())
        )
        for width in (widths[0], widths[-1])
    )
    needed_gb = widest * _BYTES_PER_PARAMETER / 1e9
    if needed_gb > MOST_TRAINING_GB:
        yield Problem(
            config.network_key(name, "channels"),
            f"on data set {name}: even the smallest net has {widest:,} parameters, whose training "
            f"needs {needed_gb:,.0f} GB: lower channels or hidden",
        )
    report, chosen = config.tradeoff_report, config.export.memory_budget_mb
    least = memory_mb(params, report.precision)
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
