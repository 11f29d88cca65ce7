"""Export models of a finished run: the best one within memory limits, or every one.

For instance: python scripts/export_models.py --run results/demo/digits --budget-kb 24 --ram-kb 32
"""

from spikernel import cli
from spikernel.study.export_models import run

if __name__ == "__main__":
    cli.run(run)
