"""The conda environments, and which scripts rules run in them."""

import re
from modulefinder import ModuleFinder
from pathlib import Path

from spikernel import registry

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


def modules_of(script: str) -> list[Path]:
    """Return the script and every library module that it can import, chosen parts included."""
    finder = ModuleFinder(path=[str(ROOT / "scripts")])
    finder.run_script(str(ROOT / "scripts" / f"{script}.py"))
    files = [Path(module.__file__) for module in finder.modules.values() if module.__file__]
    loads = " ".join(path.read_text() for path in files)
    for kind, package in registry.PACKAGES.items():
        if f'load("{kind}"' in loads:
            for name in registry.names(kind):
                finder.import_hook(f"{package}.{name}")
    return [Path(module.__file__) for module in finder.modules.values() if module.__file__]
