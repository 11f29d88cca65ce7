"""Put all trained models into one table and select the best for each memory budget."""

from spikernel import cli
from spikernel.study.tradeoff_table import run

if __name__ == "__main__":
    cli.run(run)
