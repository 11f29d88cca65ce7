"""Set the models of finished experiments against each other on one page.

The page and its tables are those of the trade-off, with the models of all experiments in one pool.
"""

from spikernel import cli
from spikernel.study.compare_runs import run

if __name__ == "__main__":
    cli.run(run)
