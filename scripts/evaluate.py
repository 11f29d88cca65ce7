"""Reload released weights and measure their accuracy on a split.

The architecture, the preprocessing and the class names come from the weights' own file, which is
read as safetensors: nothing in it is executed. Where provenance.json lies beside it, the file
must be the one that was released there.
"""

from spikernel import cli
from spikernel.study.evaluate import run

if __name__ == "__main__":
    cli.run(run)
