"""Our training loop against SNASNet's and SpikingJelly's, side by side on one machine.

The same net with equal weights, batch size, images and augmentation (crop and flip):
(a) SNASNet's loop as published: single-step modules, a Python loop over time, float32, a loader
with 4 workers; (b) an idiomatic SpikingJelly 2 multi-step loop and the same loader; ours. The last
two compute under bfloat16 autocast on a GPU, and on a CPU with `--cpu-bfloat16`.

Each loop lives in a process of its own, so that memory and settings of one do not reach another;
they are measured in turns, so that a disturbance of the machine hits all, and the median of the
turns counts. Batches that the loaders prepare while another loop is measured cost them nothing,
two for each worker, so turns are long.

Peak memory is that of the process (its loader workers not counted), on a GPU what PyTorch
allocated there. `mfu` is our FLOP/s in convolutions and matrix products, forward and backward,
by the measured rate of one large product.

Then our loop, by recipe `engine`, trains nets of macro-structure `compact`, integer neurons in one
pass and `if_soft` ones at T = 4, in turns with a loop that does the convolutions of the same step
alone, forward and backward, in the same shapes and the same number format. What is printed is our
images per second as a share of theirs, and on a GPU those without CUDA graphs. The last line is one
JSON object.
"""

import json
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated, Any

import torch
from common import environment, prepare_cifar10, wait_for
from training_loops import OurLoop, Setup, make_loop, matmul_rate

from spikernel import cli
from spikernel.config import NetworkConfig
from spikernel.errors import SpikernelError
from spikernel.network.device import DeviceName, choose_device

LOOPS = ("ours", "snasnet", "spikingjelly")
CELL = "k3-zero-skip-k3-zero-k3"
"""Three convolutions in a chain beside a direct connection: one LIF per convolution in all nets."""
COMPACT_CELL = "zero-zero-k3-zero-zero-zero"
COMPACT_NETS = {
    "integer": NetworkConfig(macro="compact"),
    "if_soft": NetworkConfig(macro="compact", neuron="if_soft", time_steps=4),
}
"""What is compared with its own convolutions: D = 4 levels in one pass, and T = 4."""
GOAL = 0.6
"""Share of the rate of the convolutions that our loop is meant to reach."""
DEFAULTS = {
    "cpu": {"channels": 16, "batch_size": 64, "steps": 40, "warmup": 2},
    "cuda": {"channels": 128, "batch_size": 128, "steps": 100, "warmup": 20},
}


def serve(name: str, setup: Setup, warmup: int, pipe: Connection) -> None:
    """In a process of its own: make a loop, then do as the pipe says until it says `end`.

    A number of steps is answered with seconds, `flop` and `matmul` with the loop's FLOP per
    image and the device's FLOP/s, and `end` with the peak memory in MB.
    """
    torch.set_num_threads(setup.threads)
    loop = make_loop(name, setup)
    loop.run(warmup)
    wait_for(setup.device)
    pipe.send(name)
    while (asked := pipe.recv()) != "end":
        if asked == "flop":
            assert isinstance(loop, OurLoop)
            pipe.send(loop.flop_per_image())
        elif asked == "matmul":
            dtype = torch.bfloat16 if setup.in_bfloat16() else torch.float32
            pipe.send(matmul_rate(setup.device, dtype))
        else:
            start = time.perf_counter()
            loop.run(asked)
            wait_for(setup.device)
            pipe.send(time.perf_counter() - start)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    if setup.device.type == "cuda":
        peak_mb = torch.cuda.max_memory_allocated(setup.device) / 1e6
    pipe.send(peak_mb)


def ask(pipe: Connection, question: int | str | None = None) -> Any:
    """Ask a question, if any, and return the answer.

    Raises:
        SpikernelError: the process has ended.

    """
    try:
        if question is not None:
            pipe.send(question)
        return pipe.recv()
    except (EOFError, BrokenPipeError):
        raise SpikernelError("the process of a loop has ended: its error is above") from None


@contextmanager
def served(names: Sequence[str], setup: Setup, warmup: int) -> Iterator[dict[str, Connection]]:
    """Start one process per loop, wait until it is warm, and end all of them, come what may."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = {}, []
    try:
        for name in names:
            pipes[name], theirs = context.Pipe()
            process = context.Process(target=serve, args=(name, setup, warmup, theirs))
            process.start()
            theirs.close()  # so that a process that dies ends our wait
            processes.append(process)
            ask(pipes[name])  # ready: one after the other, not all on the same cores
        yield pipes
    finally:
        for process in processes:
            process.join(timeout=10)
            if process.is_alive():
                process.kill()


def measure(setup: Setup, steps: int, rounds: int, warmup: int) -> dict[str, Any]:
    """Return speed and peak memory of each loop, the ratios, and our share of the matmul rate."""
    seconds: dict[str, list[float]] = {name: [] for name in LOOPS}
    products = []
    with served(LOOPS, setup, warmup) as pipes:
        for number in range(1, rounds + 1):
            for name, pipe in pipes.items():
                seconds[name].append(ask(pipe, steps))
            products.append(ask(pipes["ours"], "matmul"))
            rates = (f"{name} {setup.batch_size * steps / seconds[name][-1]:.1f}" for name in LOOPS)
            print(f"round {number}/{rounds}, images/s: {', '.join(rates)}", flush=True)
        flop = ask(pipes["ours"], "flop")
        peaks = {name: ask(pipe, "end") for name, pipe in pipes.items()}
    matmul = max(products)
    rate = {
        name: setup.batch_size * steps / statistics.median(times) for name, times in seconds.items()
    }
    for name in LOOPS:
        print(f"{name}: {rate[name]:.1f} images/s, peak memory {peaks[name]:.0f} MB")
    kind = number_format(setup)
    print(f"ours: {flop * rate['ours'] / 1e12:.4f} TFLOP/s of {matmul / 1e12:.4f} ({kind} product)")
    return {
        "vs_snasnet_loop": rate["ours"] / rate["snasnet"],
        "vs_spikingjelly_loop": rate["ours"] / rate["spikingjelly"],
        "mfu": flop * rate["ours"] / matmul,
        "achieved_tflop_per_s": flop * rate["ours"] / 1e12,
        "matmul_tflop_per_s": matmul / 1e12,
        "matmul_dtype": kind,
        "training_flop_per_image": flop,
        "images_per_s": rate,
        "images_per_s_of_rounds": {
            name: [setup.batch_size * steps / value for value in times]
            for name, times in seconds.items()
        },
        "peak_memory_mb": peaks,
    }


def number_format(setup: Setup) -> str:
    """Return the type that our loop computes in."""
    return "bfloat16" if setup.in_bfloat16() else "float32"


def measure_share(name: str, setup: Setup, steps: int, rounds: int, warmup: int) -> dict[str, Any]:
    """Return the images per second of our loop and of its convolutions alone, and the share.

    On a GPU also those of our loop where the host queues kernel by kernel, not a step as one graph.
    """
    loops = ["ours", "convolutions"]
    if setup.device.type == "cuda":
        loops.append("kernel_by_kernel")
    seconds: dict[str, list[float]] = {loop: [] for loop in loops}
    with served(loops, setup, warmup) as pipes:
        for _ in range(rounds):
            for loop, pipe in pipes.items():
                seconds[loop].append(ask(pipe, steps))
        for pipe in pipes.values():
            ask(pipe, "end")
    images = setup.batch_size * steps
    rate = {loop: images / statistics.median(times) for loop, times in seconds.items()}
    share, kind = rate["ours"] / rate["convolutions"], number_format(setup)
    print(
        f"compact, {name}, T = {setup.network.time_steps}, {kind}: {rate['ours']:.1f} images/s, "
        f"its convolutions alone {rate['convolutions']:.1f}: {100 * share:.0f} % (goal "
        f"{100 * GOAL:.0f} %)",
        flush=True,
    )
    if "kernel_by_kernel" in rate:
        print(f"    queued kernel by kernel: {rate['kernel_by_kernel']:.1f} images/s", flush=True)
    return {"images_per_s": rate, "share_of_convolutions": share, "dtype": kind}


def main(
    data: Annotated[Path, "folder that holds CIFAR-10, or receives it"] = Path("data"),
    channels: Annotated[int | None, "C of the first cell; 16 on CPU, 128 on GPU"] = None,
    time_steps: Annotated[int, "T"] = 5,
    pool: Annotated[int, "pooling before the head"] = 4,
    batch_size: Annotated[int | None, "images per step; 64 on CPU, 128 on GPU"] = None,
    archid: Annotated[str, "forward cell of zero, skip, avg and k<size>"] = CELL,
    steps: Annotated[int | None, "steps per turn; 40 on CPU, 100 on GPU"] = None,
    rounds: Annotated[int, "turns of each loop"] = 5,
    warmup: Annotated[int | None, "steps before; 2 on CPU, 20 on GPU"] = None,
    images: Annotated[int | None, "use a stratified subset of this many images"] = None,
    workers: Annotated[int, "loader processes of the references"] = 4,
    threads: Annotated[int, "CPU threads of each loop"] = 2,
    device: Annotated[DeviceName, "auto takes a GPU where there is one"] = "auto",
    cpu_bfloat16: Annotated[bool, "our loop and SpikingJelly's in bfloat16 on a CPU"] = False,
    compact_batch_size: Annotated[int, "images per step of the compact nets"] = 200,
    compact_steps: Annotated[int, "steps per turn of the compact nets; 0: leave them out"] = 4,
    seed: Annotated[int, "seed"] = 0,
) -> None:
    """Measure and print."""
    torch.set_num_threads(threads)
    where = choose_device(device)
    chosen = {"channels": channels, "batch_size": batch_size, "steps": steps, "warmup": warmup}
    sizes = {
        name: DEFAULTS[where.type][name] if value is None else value
        for name, value in chosen.items()
    }
    network = NetworkConfig(channels=sizes["channels"], time_steps=time_steps, pool=pool)
    with tempfile.TemporaryDirectory(prefix="spikernel-") as folder:
        manifest = prepare_cifar10(data, Path(folder), images)
        setup = Setup(
            manifest, archid, network, sizes["batch_size"], workers, threads, where, seed,
            cpu_bfloat16=cpu_bfloat16,
        )  # fmt: skip
        result = measure(setup, sizes["steps"], rounds, sizes["warmup"])
        shares = {
            name: measure_share(
                name,
                replace(
                    setup, archid=COMPACT_CELL, network=net, batch_size=compact_batch_size,
                    cpu_bfloat16="auto", recipe="engine",
                ),
                compact_steps, rounds, sizes["warmup"],
            )
            for name, net in COMPACT_NETS.items()
            if compact_steps
        }  # fmt: skip
    settings = {**sizes, "time_steps": time_steps, "pool": pool, "archid": archid}
    more: dict[str, Any] = {
        "rounds": rounds,
        "workers": workers,
        "threads": threads,
        "cpu_bfloat16": cpu_bfloat16,
    }
    more |= {"compact": shares, "compact_batch_size": compact_batch_size}
    print(json.dumps({**result, **settings, **more, **environment(where)}))


if __name__ == "__main__":
    cli.run(main)
