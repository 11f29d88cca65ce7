"""The pages of the documentation site, which MkDocs asks for while it builds (`make docs`).

A page keeps its path in the project, so that one link holds in the repository and on the site. A
file that a page links to becomes part of the site. Every package of the library gets a page with
its docstrings, every released net its model card.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PROJECT = Path(__file__).resolve().parents[1]
LIBRARY = PROJECT / "scripts" / "spikernel"
CARDS = "models/*/MODEL_CARD.md"
PAGES = ("*.md", "config/*.md", "data/*.md", "docs/*.md", CARDS)
LINK = re.compile(r"\]\(([^()\s#:]+)(?:#[^()\s]*)?\)")
"""A link to a file."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the released nets and the reference to the navigation."""
    cards = sorted(path.relative_to(PROJECT) for path in PROJECT.glob(CARDS))
    config.nav = [
        *(config.nav or []),
        {"Released nets": [{card.parent.name: card.as_posix()} for card in cards]},
        {"Reference": [{name: _page(name)} for name in packages()]},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Replace the files of docs/ by the project's pages, what they link to, and the reference."""
    for file in [file for file in files if file.src_dir == config.docs_dir]:
        files.remove(file)
    for name in sorted(project_files()):
        files.append(File.generated(config, name, abs_src_path=str(PROJECT / name)))
    for name, modules in packages().items():
        text = "\n\n".join([f"# {name}", *(f"::: {module}" for module in modules)])
        files.append(File.generated(config, _page(name), content=text))
    return files


def project_files() -> set[str]:
    """Return the paths in the project of all pages, and of the files that they link to."""
    pages = [page for pattern in PAGES for page in PROJECT.glob(pattern)]
    linked = {path for page in pages for path in _linked(page)}
    return {path.relative_to(PROJECT).as_posix() for path in {*pages, *linked}}


def _linked(page: Path) -> Iterator[Path]:
    """Yield the files that a page links to; what is missing is left to MkDocs, which says so."""
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        path = (page.parent / target).resolve()
        if path.is_file() and path.is_relative_to(PROJECT):
            yield path


def packages() -> dict[str, list[str]]:
    """Return the modules of every package of the library by its full name, the package first."""
    found = {}
    for start in sorted(LIBRARY.rglob("__init__.py")):
        name = ".".join(start.parent.relative_to(LIBRARY.parent).parts)
        names = sorted(path.stem for path in start.parent.glob("*.py"))
        found[name] = [name, *(f"{name}.{stem}" for stem in names if not stem.startswith("_"))]
    return found


def _page(package: str) -> str:
    return f"reference/{package}.md"
