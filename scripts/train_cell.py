"""Train one cell by its archid, with the settings of an experiment, outside its workflow.

Goes on where it stopped when it is started again; with --max-seconds it stops in time by itself
(status 75), so that a long training fits short slices of machine time. Once the training is
finished, its record can be written for docs/measurements.
"""

from spikernel import cli
from spikernel.study.train_cell import run

if __name__ == "__main__":
    cli.run(run)
