"""Which Python the jobs of a workflow run in."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path


def offer_own_python() -> None:
    """Put this process's Python first on the PATH of what it starts, if it holds what jobs need.

    Jobs call `python`. So an environment that was not activated serves them too. A job's conda
    environment, where there is one, comes before it.
    """
    if find_spec("torch"):
        own = str(Path(sys.executable).parent)
        os.environ["PATH"] = os.pathsep.join([own, os.environ.get("PATH", os.defpath)])
