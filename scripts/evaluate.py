"""Reload released weights and measure their accuracy on a split.

The architecture, the preprocessing and the class names come from the weights' own file, which is
read as safetensors: nothing in it is executed. Where provenance.json lies beside it, the file
must be the one that was released there.
"""

from pathlib import Path
from typing import Annotated

from spikernel import cli
from spikernel.data.manifest import SplitName
from spikernel.study import evaluate_model
from spikernel.study.inputs import DeviceName, Machine


def main(
    model: Annotated[Path, "model.safetensors of train_final"],
    manifest: Annotated[Path, "manifest.json of prepare_data"],
    split: Annotated[SplitName, "which images"] = "test",
    output: Annotated[Path | None, "evaluation.json to write"] = None,
    device: Annotated[DeviceName, "auto takes a GPU where there is one"] = "auto",
    threads: Annotated[int, "CPU threads"] = 1,
) -> None:
    """Print the accuracy in percent, and write it where asked to."""
    evaluation = evaluate_model.run(model, manifest, split, Machine.choose(device, threads), output)
    print(evaluation)


if __name__ == "__main__":
    cli.run(main)
