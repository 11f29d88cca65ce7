"""Export a trained model to C99, ONNX and NIR, with a model card (SpiKernel, step 6)."""

from spikernel import cli
from spikernel.study.export import run

if __name__ == "__main__":
    cli.run(run)
