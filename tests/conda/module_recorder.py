"""Loaded at the start of Python in a test's environments: notes where a job's modules came from."""

import atexit
import json
import os
import sys
import sysconfig
from pathlib import Path


def record() -> None:
    """Write the script, the environment, and the modules found outside it and the project."""
    allowed = (sys.prefix, sysconfig.get_path("stdlib"), os.environ["SPIKERNEL_TEST_PROJECT"])
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    outside = {
        name: file
        for name, file in files.items()
        # Some packages give their generated modules a __file__ that is not a path.
        if file and Path(file).is_absolute() and not str(Path(file)).startswith(allowed)
    }
    line = json.dumps({"script": sys.argv[0], "prefix": sys.prefix, "outside": outside})
    with Path(os.environ["SPIKERNEL_TEST_RECORD"]).open("a") as stream:
        stream.write(line + "\n")


if Path(sys.argv[0]).parent.name == "scripts":
    atexit.register(record)
