"""How long nets take on this machine, and how much memory: a few steps of each, timed.

The nets of a rule are timed in a process of their own, whose start and peak memory are then those
of a job.
"""

import io
import math
import resource
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import numpy as np
import torch
from torch import Tensor

from spikernel.config import SearchConfig
from spikernel.data.manifest import Manifest
from spikernel.data.splits import Split
from spikernel.errors import ExportError, SpikernelError
from spikernel.export.lowering import lower
from spikernel.export.program_accuracy import logits
from spikernel.export.quantise import quantise
from spikernel.inference.predict import mean_logits
from spikernel.network.device import DeviceName
from spikernel.provenance import Stopwatch
from spikernel.search.score import ArchitectureScore, score_class
from spikernel.study import training_run
from spikernel.study.inputs import Machine
from spikernel.study.planned_nets import PlannedNet
from spikernel.training.cuda_graph import WARM_STEPS
from spikernel.training.passes import Pass
from spikernel.training.progress import Progress
from spikernel.training.trainer import Trainer, make_trainer

STEPS = 5
"""Most training steps that are timed, after one that is not."""
SECONDS = 3.0
"""No further step is timed after so many."""
IMAGES = 128
"""Images of a validation that is timed."""


@dataclass(frozen=True)
class NetTimes:
    """What one net takes, in seconds, and the size of its unfinished training."""

    train: float
    """All epochs, validation included."""
    test: float
    deploy: float
    """Test as trained, validation and test with int8 weights, these if it can be exported."""
    score: float
    """The score of a search, once; 0 where none chooses the net."""
    state_bytes: int


@dataclass(frozen=True)
class RuleTimes:
    """What the nets of a rule take, in seconds, and the peak memory of its jobs."""

    nets: tuple[NetTimes, ...]
    start: float
    """Until a job computes."""
    memory_bytes: int
    gpu_bytes: int
    """0 where there is no GPU."""


def time_nets(
    nets: Sequence[PlannedNet],
    manifest: Manifest,
    search: SearchConfig,
    device: DeviceName,
    threads: int,
) -> RuleTimes:
    """Time nets on random images of the shape of a data set.

    Raises:
        SpikernelError: the process was killed, as it is where memory is too small.
        DeviceError: there is no such device.
        ConfigError: the settings of a training do not fit its net.

    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        asked = time.time()
        work = pool.submit(_time_rule, tuple(nets), manifest, search, device, threads, asked)
        try:
            return work.result()
        except BrokenProcessPool:
            raise SpikernelError(
                f"{nets[0].rule} on {manifest.dataset}: a training step was killed, most likely "
                "for want of memory: lower batch_size or network/channels"
            ) from None


def _time_rule(
    nets: tuple[PlannedNet, ...],
    manifest: Manifest,
    search: SearchConfig,
    device: DeviceName,
    threads: int,
    asked: float,
) -> RuleTimes:
    start = time.time() - asked
    machine = Machine(device, threads)
    on, shape = machine.torch_device, _shape(manifest)
    score = score_class(search.score)
    count = search.batches if score.needs_images else 0
    batches = [torch.randn(search.batch_size, *shape, device=on) for _ in range(count)]
    made = score(search, batches, on)
    found = tuple(_time_net(net, manifest, made, machine) for net in nets)
    # The images of a data set lie in memory whole, and on the device.
    resident = sum(manifest.splits[name].count for name in ("train", "validation"))
    resident *= int(np.prod(shape))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + resident
    gpu = torch.cuda.max_memory_allocated(on) + resident if on.type == "cuda" else 0
    return RuleTimes(found, start, peak, gpu)


def _shape(manifest: Manifest) -> tuple[int, int, int]:
    return manifest.channels, manifest.image_size, manifest.image_size


def _time_net(
    planned: PlannedNet, manifest: Manifest, score: ArchitectureScore, machine: Machine
) -> NetTimes:
    counts = {name: split.count for name, split in manifest.splits.items()}
    batch = min(planned.training.batch_size, counts["train"])
    settings = planned.training.model_copy(update={"batch_size": batch})
    split = _random_split(manifest, max(IMAGES, STEPS * batch))
    net = training_run.make_net(planned.architecture, 0, split, machine)
    trainer = make_trainer(net, (split, split), settings, 0)
    images = trainer.whole_images[:IMAGES]
    first_epoch = math.ceil(counts["train"] / batch) * _step_seconds(trainer, batch)
    work = [phase.flop_per_image for phase in trainer.phases for _ in range(phase.settings.epochs)]
    pass_once = partial(mean_logits, trainer.kept(), [trainer.normalise(images)])
    pass_once()  # asks for memory, which the other passes of an epoch need not
    image = _seconds(pass_once, trainer.device) / IMAGES
    binary = counts["test"] * image * net.binary_steps / planned.architecture.network.time_steps
    state = io.BytesIO()
    torch.save(trainer.state(), state)
    measured = counts["validation"] + counts["test"]
    return NetTimes(
        train=first_epoch * sum(work) / work[0] + len(work) * counts["validation"] * image,
        test=counts["test"] * image + binary,
        deploy=binary + measured * _int8_seconds(trainer, images, manifest) / IMAGES,
        score=_score_seconds(score, planned, trainer.device),
        state_bytes=state.tell(),
    )


def _random_split(manifest: Manifest, count: int) -> Split:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (count, *_shape(manifest)), np.uint8)
    return Split(images, generator.integers(0, len(manifest.classes), count), manifest)


def _step_seconds(trainer: Trainer, batch: int) -> float:
    """Return the mean time of a training step.

    The first, which asks for memory, does not count, nor do those before a step is a CUDA graph.
    """
    progress = Progress([1.0], batch, silent=True)

    def step() -> None:
        trainer.train_epoch(Pass(1, torch.arange(batch, device=trainer.device), 1), progress)

    for _ in range(WARM_STEPS + 2 if trainer.device.type == "cuda" else 1):
        step()
    steps, total = 0, 0.0
    while steps < STEPS and total < SECONDS:
        total += _seconds(step, trainer.device)
        steps += 1
    return total / steps


def _score_seconds(score: ArchitectureScore, net: PlannedNet, device: torch.device) -> float:
    if net.candidates == 0:  # and then its width may not be that of the nets that are searched
        return 0.0
    score_once = partial(score.score, net.architecture)
    score_once()  # makes what all cells share
    return _seconds(score_once, device)


def _int8_seconds(trainer: Trainer, images: Tensor, manifest: Manifest) -> float:
    try:
        program = lower(trainer.kept(), manifest.mean, manifest.sd, manifest.classes)
    except ExportError:
        return 0.0
    return _seconds(partial(logits, quantise(program), images), trainer.device)


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """Return how long work takes, that of the device included."""
    watch = Stopwatch()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return watch.seconds()
