import ast
import re
import sys
import tomllib
from modulefinder import ModuleFinder
from pathlib import Path

import pytest
import yaml
from environments import ENVS, ROOT, scripts_of
from packaging.specifiers import SpecifierSet

from spikernel import registry

CONDA_NAMES = {"pytorch": "torch"}
IMPORT_NAMES = {
    "pydantic_core": "pydantic",
    "sklearn": "scikit-learn",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "vl_convert": "vl-convert-python",
}


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pairs = [line.split("==") for line in lines if "==" in line]
    return {name.lower(): version for name, version in pairs}


def pinned(path: Path) -> dict[str, str]:
    """Return package -> version of a conda environment, pip's part included."""
    found = {}
    for entry in yaml.safe_load(path.read_text())["dependencies"]:
        specs = entry["pip"] if isinstance(entry, dict) else [entry]
        for spec in specs:
            name, _, version = re.split(r"\s*(==?)\s*|$", spec, maxsplit=1)
            found[CONDA_NAMES.get(name, name)] = version or ""
    return found


def reached(script: str) -> set[Path]:
    """Return a script and all modules that it may load, with every part a config may choose."""
    finder = ModuleFinder(path=[str(ROOT / "scripts")])
    finder.run_script(str(ROOT / "scripts" / f"{script}.py"))
    while True:
        files = {Path(module.__file__) for module in finder.modules.values() if module.__file__}
        texts = "".join(path.read_text() for path in files)
        kinds = set(re.findall(r'registry\.load\("(\w+)"', texts))
        parts = {
            registry.module_name(kind, name) for kind in kinds for name in registry.names(kind)
        }
        if parts <= set(finder.modules):
            return files
        for part in parts:
            finder.import_hook(part)


def third_party(script: str) -> set[str]:
    """Return the packages that a script and the library modules it may load import."""
    found: set[str] = set()
    for path in reached(script):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    ours = found - set(sys.stdlib_module_names) - {"spikernel"}
    return {IMPORT_NAMES.get(name, name) for name in ours}


@pytest.mark.parametrize("path", ENVS, ids=lambda path: path.stem)
def test_versions_equal_the_lock(path: Path) -> None:
    lock = locked()
    for name, version in pinned(path).items():
        if name not in ("python", "pip"):
            assert lock[name] == version, f"{path.name}: {name}"
    channels = yaml.safe_load(path.read_text())["channels"]
    assert channels == ["conda-forge", "nodefaults"]


@pytest.mark.parametrize("path", ENVS, ids=lambda path: path.stem)
def test_environment_holds_what_its_scripts_import_and_no_more(path: Path) -> None:
    scripts = scripts_of(path.stem)
    assert scripts, f"no rule uses {path.name}"
    needed = set().union(*(third_party(script) for script in scripts))
    given = set(pinned(path)) - {"python", "pip"}
    # SpikingJelly asks for these, of any version: pip would replace PyTorch by one that fits them.
    asked = {"torchaudio", "torchvision"} if "spikingjelly" in needed else set()
    assert given == needed | asked


def test_table_steps_do_without_torch() -> None:
    tables = ("kernel_set_design", "kernel_impact_table", "tradeoff_table", "tradeoff_report")
    for script in (*tables, "finalist_ranking"):
        assert "torch" not in third_party(script)


def test_library_metadata_names_what_it_imports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    scripts = [path.stem for path in (ROOT / "scripts").glob("*.py")]
    needed = set().union(*(third_party(script) for script in scripts))
    assert set(project["dependencies"]) == needed
    lines = (ROOT / "requirements.in").read_text().splitlines()
    assert needed <= {line.split("==")[0] for line in lines}


def test_an_installed_library_has_its_data_files() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    library = ROOT / "scripts" / "spikernel"
    taken = {path for form in settings["package-data"]["spikernel"] for path in library.glob(form)}
    there = {path for path in library.rglob("*") if path.is_file()}
    assert {path for path in there - taken if path.suffix not in (".py", ".pyc")} == set()


def test_every_environment_has_a_python_that_the_library_allows() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    allowed = SpecifierSet(project["requires-python"])
    for path in ENVS:
        assert pinned(path)["python"] in allowed, path.name
