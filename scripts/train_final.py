"""Train one searched architecture and test it once (SpiKernel, step 4)."""

from pathlib import Path
from typing import Annotated

from spikernel import cli
from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.study import train_final
from spikernel.study.inputs import DeviceName, Machine


def main(
    manifest: Annotated[Path, "manifest.json of prepare_data"],
    candidates: Annotated[Path, "candidates.csv of nas_search"],
    search: Annotated[Path, "search.json of the same search"],
    metrics: Annotated[Path, "metrics.json to write"],
    history: Annotated[Path, "history.csv to write, in the same folder"],
    layers: Annotated[Path, "layers.csv to write, in the same folder"],
    model: Annotated[Path, "model.safetensors to write, in the same folder"],
    rank: Annotated[int, "which candidate to train, 1 is the best"] = 1,
    seed: Annotated[int, "seed of the weights and the batches"] = 0,
    network: Annotated[NetworkConfig, "macro-structure"] = NetworkConfig(),
    training: Annotated[TrainingConfig, "how the net is trained"] = TrainingConfig(),
    device: Annotated[DeviceName, "auto takes a GPU where there is one"] = "auto",
    threads: Annotated[int, "CPU threads"] = 1,
    max_seconds: Annotated[
        float | None, "stop in time, with status 75; the same command goes on"
    ] = None,
) -> None:
    """Train the candidate, evaluate its last epoch on the test split, save its weights."""
    machine = Machine.choose(device, threads)
    outputs = train_final.Outputs(metrics, history, layers, model)
    candidate = train_final.Candidate.of_search(candidates, search, rank)
    train_final.run(manifest, candidate, seed, network, training, machine, outputs, max_seconds)


if __name__ == "__main__":
    cli.run(main)
