"""The conda environments, and which scripts rules run in them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENVS = sorted((ROOT / "envs").glob("*.yaml"))


def scripts_of(env: str) -> list[str]:
    """Return the scripts that rules run in an environment."""
    rules = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    blocks = re.split(r"^rule ", rules, flags=re.MULTILINE)[1:]
    names = []
    for block in blocks:
        if f"envs/{env}.yaml" in block:
            match = re.search(r"\{SCRIPTS:q\}/(\w+)\.py", block)
            assert match
            names.append(match[1])
    return names
