"""Write the reference of all configuration keys and its JSON schema, from the models.

`python tools/document_config.py --project .` (or `make docs-config`) writes both below the
project's folder; a test keeps the committed files equal to what this file makes.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

# The library lies in scripts/; no install is needed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from spikernel import artifacts, cli, registry
from spikernel.config.base import PartOf
from spikernel.config.network import MACROS
from spikernel.config.problems import nested_models
from spikernel.config.training import RECIPES
from spikernel.config.workflow import WorkflowConfig
from spikernel.errors import ConfigError

_INTRODUCTION = """\
# Configuration

One YAML file describes one experiment: `snakemake --cores 8 --configfile config/demo.yaml`.
Without `--configfile`, `config/config.yaml` is taken. A key that is not listed here is an
error, with a suggestion of the nearest one that is.

| file | what it is for |
|---|---|
| [demo.yaml](demo.yaml) | the whole study on embedded real digits, minutes on two CPU cores |
| [demo_modern.yaml](demo_modern.yaml) | the same, macro `modern`: nets of a quarter of the size |
| [cifar10_smoke.yaml](cifar10_smoke.yaml) | the study on real CIFAR-10, with narrow nets |
| [cifar10_smoke_modern.yaml](cifar10_smoke_modern.yaml) | the same, macro `modern` |
| [cifar10_cpu.yaml](cifar10_cpu.yaml) | one narrow net on all of CIFAR-10, on one CPU core |
| [cifar10_quick.yaml](cifar10_quick.yaml) | `make quick`: one net in 20 min on two CPU cores |
| [cifar10_small.yaml](cifar10_small.yaml) | one net for 0.25, 1 or 4 MB (`--width`) |
| [cifar_wide.yaml](cifar_wide.yaml) | CIFAR10, CIFAR100, nets near 10 M parameters, on a CPU |
| [cifar10.yaml](cifar10.yaml) | the study on CIFAR-10 in about 2 h of two CPU cores |
| [cifar10_memory.yaml](cifar10_memory.yaml) | the same with cells at equal memory |
| [cifar100.yaml](cifar100.yaml) | the same study on CIFAR-100 |
| [tinyimagenet.yaml](tinyimagenet.yaml) | the study on TinyImageNet in about 2 h |
| [cifar_compact.yaml](cifar_compact.yaml) | CIFAR10, CIFAR100, macro `compact`, on two CPU cores |
| [gpu.yaml](gpu.yaml) | CIFAR10, CIFAR100, TinyImageNet, one net each, minutes of a GPU |
| [config.yaml](config.yaml) | the paper's scale: CIFAR10, CIFAR100, TinyImageNet; needs GPUs |
| [cifar_modern.yaml](cifar_modern.yaml) | CIFAR10, CIFAR100, macro `modern`; needs GPUs |

`workflow/schemas/config.schema.json` is the same as a JSON schema; editors that read a
`# yaml-language-server: $schema=...` line complete and check the keys with it.

Everything below is generated from `scripts/spikernel/config` by `make docs-config`.
"""


def _sections(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield path, model
    for name, field in model.model_fields.items():
        for inner in nested_models(field.annotation):
            below = f"{name}/<name>" if name == "datasets" else name
            yield from _sections(inner, f"{path}/{below}" if path else below)


def _shown(value: Any) -> str:
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, tuple):
        return json.dumps(list(value))
    return json.dumps(value)


def _choices(field: FieldInfo) -> Sequence[str]:
    """Return the words that a field takes: those of a Literal, or names of files of the library."""
    for part in field.metadata:
        if isinstance(part, PartOf):
            return registry.names(part.kind)
    found: list[str] = []
    waiting = [field.annotation]
    while waiting:
        kind = waiting.pop()
        if get_origin(kind) is Literal:
            found += [choice for choice in get_args(kind) if choice not in found]
        else:
            waiting += reversed(get_args(kind))
    return found


def _table(model: type[BaseModel]) -> str:
    lines = ["| key | default | meaning |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        if field.is_required():
            default = "required"
        elif field.default_factory is not None:
            default = "{}"
        else:
            default = _shown(field.default)
        meaning = " ".join((field.description or "").split()).replace("|", "\\|")
        choices = [f"`{choice}`" for choice in _choices(field)]
        if any(choice not in meaning for choice in choices):
            meaning += f" One of {', '.join(choices)}."
        lines.append(
            f"| `{name}` | {default if default == 'required' else f'`{default}`'} | {meaning} |"
        )
    return "\n".join(lines)


def markdown() -> str:
    """Return the reference of all keys as Markdown."""
    parts = [_INTRODUCTION]
    for path, model in _sections(WorkflowConfig, ""):
        heading = f"`{path}`" if path else "Top level"
        summary = " ".join((model.__doc__ or "").split("\n\n")[0].split())
        parts.append(f"## {heading}\n\n{summary}\n\n{_table(model)}\n")
    parts += [
        _presets("Macro-structures", "macro", "network", MACROS),
        _presets("Recipes", "recipe", "training", RECIPES),
    ]
    return "\n".join(parts)


def _presets(title: str, key: str, section: str, presets: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        f"| `{name}` | "
        + (", ".join(f"{field}: {json.dumps(value)}" for field, value in fields.items()) or "-")
        + " |"
        for name, fields in presets.items()
    ]
    head = f"## {title}\n\nWhat each `{key}` changes in the defaults of `{section}`.\n"
    return "\n".join([head, f"| {key} | fields |", "|---|---|", *rows, ""])


def schema() -> str:
    """Return the JSON schema of a configuration file."""
    document = WorkflowConfig.model_json_schema()
    # Filled in from the data set's name before the model is checked.
    document["$defs"]["DatasetEntry"]["required"].remove("kind")
    return json.dumps(document, indent=2) + "\n"


def generated() -> dict[str, str]:
    """Return the text of every generated file by its path below the project's folder."""
    return {
        "config/README.md": markdown(),
        "workflow/schemas/config.schema.json": schema(),
    }


def check_defaults(committed: Mapping[str, Any]) -> None:
    """Refuse a default that differs from the committed one without saying so.

    A result depends on what differs from the defaults (`StrictModel.changes`), so one that was
    made with the old default would count as made with the new one.

    Args:
        committed: the JSON schema as it was.

    Raises:
        ConfigError: the field lacks `json_schema_extra={"was": old}`.

    """
    new = json.loads(schema())["$defs"]
    for name, model in committed.get("$defs", {}).items():
        for key, field in model.get("properties", {}).items():
            now = new.get(name, {}).get("properties", {}).get(key)
            if now is None or "default" not in field:
                continue
            if _is_kept(field["default"], now.get("default")):
                continue
            if now.get("was") != field.get("was", field["default"]):
                raise ConfigError(
                    f"the default of {name}.{key} changes from {field['default']!r}: results made "
                    'with it would not rerun; give the field json_schema_extra={"was": '
                    f"{field.get('was', field['default'])!r}}}"
                )


def _is_kept(old: Any, new: Any) -> bool:
    """Whether a default is as it was, but for what a section in it has gained since."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(_is_kept(value, new.get(key)) for key, value in old.items())
    return bool(old == new)


def main(project: Annotated[Path, "folder of config/ and workflow/"]) -> None:
    """Write the generated files."""
    known = project / "workflow/schemas/config.schema.json"
    if known.exists():
        check_defaults(artifacts.read_json(known))
    for name, text in generated().items():
        artifacts.write_text(project / name, text)


if __name__ == "__main__":
    cli.run(main)
