"""What a short phase of binary steps gains by each gradient, after training with integer neurons.

A net with IF neurons and soft reset is trained on CIFAR-10 with integer neurons in one pass
(`base`, judged so). The same weights are then judged by T binary steps of IF neurons
(`converted`), and after one more phase of such steps, with the gradient through all of them
(`time`) and through the mean firing rates (`rate`; Yu et al., NeurIPS 2024). How the parts are
compared is in `paired`; `seconds` is the time of the part alone, on a machine where nothing else
runs. A training that is killed goes on from at most five minutes before.

The last line printed is one JSON object.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from common import environment, prepare_cifar10
from paired import (
    BASE,
    Images,
    Results,
    print_table,
    summarise,
    train_missing,
    train_named,
    work_folder,
)

from spikernel import cli, provenance
from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import accuracy_percent, to_device
from spikernel.inference.released import load_model, save_model
from spikernel.network.spiking_net import build_net
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.study.inputs import Machine
from spikernel.study.shapes import image_shape
from spikernel.training.loop import Trained

CONVERTED, GRADIENTS = "converted", ("time", "rate")
INTEGER: dict[str, Any] = {"neuron": "integer", "time_steps": 1}
BINARY = NetworkConfig(
    macro="compact", channels=32, neuron="if_soft", time_steps=4, threshold=2, levels=4,
    level_range=1,
)  # fmt: skip
"""Both neurons give x / 2 of what they get, in steps of a quarter."""


class Bench:
    """The trainings of one comparison.

    Args:
        manifest: of the images.
        cell: of the net.
        network: with the neurons of the binary steps.
        training: recipe of both phases.
        phases: epochs of the first and of the second, and learning rate of the second.
        machine: where they run.
        work: folder of unfinished trainings and of the weights after the first phase.

    """

    def __init__(
        self,
        manifest: Path,
        cell: Cell,
        network: NetworkConfig,
        training: TrainingConfig,
        phases: tuple[int, int, float],
        machine: Machine,
        work: Path,
    ) -> None:
        self.images = Images.of(manifest)
        self._manifest, self._cell, self._binary = manifest, cell, network
        self._training, self._phases, self._machine, self._work = training, phases, machine, work

    def first(self, seed: int) -> dict[str, Any]:
        """Train with integer neurons, and keep the weights as those of a net of binary steps."""
        trained = self._train(BASE, {"epochs": self._phases[0]}, seed, self._network(INTEGER))
        net = build_net(self._network({}), 0, self._machine.torch_device)
        net.load_state_dict(trained.net.state_dict())
        save_model(self._weights(seed), net, self.images.learned.manifest)
        return self.images.outcome(trained)

    def converted(self, results: Results, seed: int) -> dict[str, Any]:
        """Judge the same weights, whose training is among the results, by binary steps."""
        (loss,) = (
            row["train_loss"] for row in results.rows if (row["part"], row["seed"]) == (BASE, seed)
        )
        device, manifest = self._machine.torch_device, self.images.judged.manifest
        net, _ = load_model(self._weights(seed), device)
        normalise = Normaliser(manifest.mean, manifest.sd, device)
        accuracy = accuracy_percent(net, *to_device(self.images.judged, device), normalise)
        return {"val_accuracy_percent": accuracy, "train_loss": loss, "seconds": 0.0}

    def further(self, gradient: str, seed: int) -> dict[str, Any]:
        """Train the same weights on by binary steps."""
        _, epochs, learning_rate = self._phases
        phase = {"epochs": epochs, "learning_rate": learning_rate, "gradient": gradient}
        changes = {"phases": [phase], "initial_weights": str(self._weights(seed))}
        return self.images.outcome(self._train(gradient, changes, seed, self._network({})))

    def _train(
        self, part: str, changes: dict[str, Any], seed: int, architecture: Architecture
    ) -> Trained:
        given = {**self._training.model_dump(mode="json", exclude={"epochs"}), **changes}
        settings = TrainingConfig.parse(given, "training")
        name = self._work / f"{part}-{seed}"
        return train_named(
            name, architecture, settings, seed, self.images, self._machine, self._manifest
        )

    def _network(self, changes: dict[str, Any]) -> Architecture:
        given = {**self._binary.model_dump(mode="json"), **changes}
        shape = image_shape(self.images.learned.manifest)
        return Architecture(self._cell, NetworkConfig.parse(given, "network"), shape)

    def _weights(self, seed: int) -> Path:
        return self._work / f"integer-{seed}.safetensors"


def main(
    output: Annotated[Path, "CSV of the finished trainings, to write or to go on with"],
    data: Annotated[Path, "folder that holds CIFAR-10, or receives it"] = Path("data"),
    epochs: Annotated[int, "with integer neurons"] = 8,
    further: Annotated[int, "epochs with binary steps"] = 1,
    learning_rate: Annotated[float, "peak, of these"] = 0.01,
    seeds: Annotated[list[int], "paired seeds"] = [0, 1, 2],  # noqa: B006
    held_out: Annotated[int, "images to judge by, of the 50,000"] = 5000,
    archid: Annotated[str, "the cell"] = "zero-zero-k3-zero-zero-zero",
    network: Annotated[NetworkConfig, "of the binary steps"] = BINARY,
    training: Annotated[TrainingConfig, "of both phases"] = TrainingConfig(
        recipe="engine", lookahead=True
    ),
    threads: Annotated[int, "CPU threads"] = 2,
) -> None:
    """Train what is missing, seed by seed, then print the differences from integer neurons."""
    machine = Machine("cpu", threads)
    environs = environment(machine.torch_device)
    made_with = {
        "training": training.model_dump(mode="json", exclude={"epochs"}),
        "network": network.model_dump(mode="json"),
        "archid": archid,
        "phases": [epochs, further, learning_rate],
        "held_out": held_out,
    }
    results = Results(output, made_with, environs)
    manifest = prepare_cifar10(
        data, output.with_name(f".{output.stem}"), validation_fraction=held_out / 50_000
    )
    bench = Bench(
        manifest, Cell.from_archid(archid), network, training,
        (epochs, further, learning_rate), machine, work_folder(manifest, made_with),
    )  # fmt: skip
    runs: dict[str, Callable[[int], dict[str, Any]]] = {
        BASE: bench.first,
        CONVERTED: partial(bench.converted, results),
        **{gradient: partial(bench.further, gradient) for gradient in GRADIENTS},
    }
    train_missing(results, seeds, runs)
    summary = summarise(results, (CONVERTED, *GRADIENTS))
    print_table(results, summary)
    code = provenance.code_version()
    print(json.dumps({"parts": summary, "code": code, **environs}))


if __name__ == "__main__":
    cli.run(main)
