"""Strict configuration: unknown keys are errors that suggest the right one."""

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo

from spikernel import registry
from spikernel.config import strict_yaml
from spikernel.config.problems import Place, RefusedError, explain, fault


def _odd(size: int) -> int:
    if size < 1 or size % 2 == 0:
        raise ValueError(f"a kernel size must be odd and positive, got {size}")
    return size


def _kernel_set(sizes: tuple[int, ...]) -> tuple[int, ...]:
    if not sizes:
        raise ValueError("a kernel set must hold at least one kernel size")
    if len(set(sizes)) != len(sizes):
        raise ValueError(f"a kernel set must not repeat a size, got {list(sizes)}")
    return tuple(sorted(sizes))


KernelSize = Annotated[int, AfterValidator(_odd)]
KernelSizes = Annotated[tuple[KernelSize, ...], AfterValidator(_kernel_set)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""What every generator of random numbers takes."""


Values = TypeVar("Values", bound=tuple[float, ...])


def distinct(values: Values) -> Values:
    """Refuse a list of numbers that is empty or holds one twice."""
    if not values or len(set(values)) != len(values):
        raise ValueError(f"must list at least one value and none twice, got {list(values)}")
    return values


Names = TypeVar("Names", bound=tuple[str, ...])


def named_once(names: Names) -> Names:
    """Refuse a list that holds a name twice."""
    if len(set(names)) != len(names):
        raise ValueError(f"must name nothing twice, got {list(names)}")
    return names


Seeds = Annotated[tuple[Seed, ...], AfterValidator(distinct)]


@dataclass(frozen=True)
class PartOf:
    """Marks a field that names a part of a kind, see `spikernel.registry`."""

    kind: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        """Let only the names of parts that are there pass."""
        return AfterValidator(self._check).__get_pydantic_core_schema__(source, handler)

    def __get_pydantic_json_schema__(
        self, schema: Any, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """List the names, for editors."""
        return {**handler(schema), "enum": list(registry.names(self.kind))}

    def _check(self, name: str) -> str:
        if name not in registry.names(self.kind):
            raise ValueError(f"must be one of {', '.join(registry.names(self.kind))}")
        return name


class StrictModel(BaseModel):
    """Base of every configuration section: frozen, typed, no unknown keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_truth_as_number(cls, data: Any) -> Any:
        """Python takes `true` for 1; who writes it means something else."""
        for name, value in data.items() if isinstance(data, dict) else ():
            kinds = _kinds(cls.model_fields[name].annotation) if name in cls.model_fields else set()
            if kinds & {int, float} and bool not in kinds and _holds_truth(value):
                raise fault("must be a number, not true or false", name)
        return data

    @classmethod
    def parse(cls, data: Any, where: Place) -> Self:
        """Validate `data`.

        Raises:
            RefusedError: a line for each problem: its place, what is wrong and what to do.

        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise RefusedError(explain(cls, error, data), where) from None

    def changes(self) -> dict[str, Any]:
        """Return the JSON-ready fields that differ from what counts as unset; they parse back.

        A result depends on these alone. So a field that is added later, with a default that leaves
        everything as it was, touches no finished result. Where a default is changed later,
        `json_schema_extra={"was": old}` keeps the old one as what counts as unset.
        """
        found: dict[str, Any] = {}
        for name, plain in self.model_dump(mode="json").items():
            if name not in self.preset() and plain == unset(type(self).model_fields[name]):
                continue
            value = getattr(self, name)
            if isinstance(value, StrictModel):
                found[name] = value.changes()
            elif isinstance(value, tuple):
                items = zip(value, plain, strict=True)
                found[name] = [v.changes() if isinstance(v, StrictModel) else p for v, p in items]
            else:
                found[name] = plain
        return found

    def preset(self) -> Mapping[str, Any]:
        """Return the fields that a named preset of this section fills in."""
        return {}

    def parts(self) -> list[str]:
        """Return the full names of the modules that the fields name, nested sections included."""
        found = set()
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if value is not None:
                found |= {registry.module_name(kind, value) for kind in _part_kinds(field)}
            for inner in value if isinstance(value, tuple) else (value,):
                if isinstance(inner, StrictModel):
                    found |= set(inner.parts())
        return sorted(found)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Parse a YAML file.

        Raises:
            ConfigError: it cannot be read, is not YAML, or does not fit the section.

        """
        return cls._fit(strict_yaml.read(path))

    @classmethod
    def parse_argument(cls, text: str) -> Self:
        """Parse a command line value: the path of a YAML file, or YAML (so also JSON) itself.

        Raises:
            ConfigError: the text is neither, or does not fit the section.

        """
        if text.endswith((".yaml", ".yml", ".json")):
            return cls.read(Path(text))
        return cls._fit(strict_yaml.parse(text, cls.__name__))

    @classmethod
    def _fit(cls, document: strict_yaml.Document) -> Self:
        return cls.parse(document.data, document.place)


def _kinds(annotation: Any) -> set[Any]:
    """Return all types that an annotation names, those inside others included."""
    return {annotation}.union(*map(_kinds, typing.get_args(annotation)))


def _holds_truth(value: Any) -> bool:
    """Whether a value is true or false, or a list or mapping that holds one at any depth."""
    if isinstance(value, dict):
        return any(map(_holds_truth, value.values()))
    return isinstance(value, bool) or (
        isinstance(value, list | tuple) and any(map(_holds_truth, value))
    )


def _part_kinds(field: FieldInfo) -> Iterator[str]:
    """Yield the kind of part that a field names, also where it may be None."""
    inner = (
        mark
        for argument in typing.get_args(field.annotation)
        for mark in getattr(argument, "__metadata__", ())
    )
    for mark in (*field.metadata, *inner):
        if isinstance(mark, PartOf):
            yield mark.kind


def unset(field: FieldInfo) -> Any:
    """Return the JSON-ready value of a field that counts as unset; None for a required one."""
    if isinstance(field.json_schema_extra, dict) and "was" in field.json_schema_extra:
        return field.json_schema_extra["was"]
    if field.is_required():
        return None
    return TypeAdapter(Any).dump_python(field.get_default(call_default_factory=True), mode="json")
