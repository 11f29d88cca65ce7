"""Release a finished training: its weights in fp16 or int8, with provenance and a model card.

The accuracy that is recorded is that of the released weights; scripts/evaluate.py gives it again.
"""

from spikernel import cli
from spikernel.study.release import run

if __name__ == "__main__":
    cli.run(run)
