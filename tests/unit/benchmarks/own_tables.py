"""A table of trained cells as `kernel_cells.py` writes it."""

import json
from pathlib import Path

from spikernel.config import NetworkConfig

NETWORK = NetworkConfig(time_steps=3, channels=12)


def own_table(path: Path, lines: str) -> Path:
    """Write lines below the columns that every table has, and what they were made with."""
    path.write_text("group,control,archid,seed,channels,params,test_accuracy_percent\n" + lines)
    described = {"network": NETWORK.model_dump(mode="json"), "dataset": {"kind": "cifar100"}}
    path.with_suffix(".json").write_text(json.dumps(described))
    return path
