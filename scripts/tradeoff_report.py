"""Show the trade-off between accuracy and memory: figures and one self-contained page."""

from spikernel import cli
from spikernel.study.tradeoff_report import run

if __name__ == "__main__":
    cli.run(run)
