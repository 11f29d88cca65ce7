"""What is wrong with a configuration, in plain words: each problem by the path of its key."""

import difflib
import itertools
import typing
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from spikernel.errors import ConfigError

Key = tuple[str, ...]
"""Path of a key from the top level; a place in a list is a number, from 0."""

Place = str | Callable[[Key], str]
"""Where a configuration stands; or what says it of a key, with the line."""


@dataclass(frozen=True)
class Problem:
    """One thing to mend."""

    key: Key
    message: str


class RefusedError(ConfigError):
    """A configuration has problems: one line for each."""

    def __init__(self, problems: Iterable[Problem], place: Place) -> None:
        self.problems = tuple(problems)
        lines = [
            f"{place if isinstance(place, str) else place(problem.key)}: "
            f"{'/'.join(problem.key) or 'top level'}: {problem.message}"
            for problem in self.problems
        ]
        super().__init__("\n".join(dict.fromkeys(lines)))


class UnsoundError(Exception):
    """A check has read a value that has an error itself."""


def sound(found: Iterable[Problem]) -> Iterator[Problem]:
    """Yield problems up to where their check reads a value that has an error itself."""
    with suppress(UnsoundError):
        yield from found


def fault(message: str, *key: str) -> PydanticCustomError:
    """Return what a validator of a section raises about one of its keys.

    Args:
        message: what is wrong and what to do.
        key: path from the section.

    """
    return PydanticCustomError("fault", "{message}", {"message": message, "key": key})


def explain(model: type[BaseModel], error: ValidationError, data: Any) -> list[Problem]:
    """Return what pydantic found, in the words of someone who writes YAML.

    Args:
        model: what the data should fit.
        error: what pydantic found.
        data: what was given.

    """
    found = [(_key(item, data), item) for item in error.errors(include_url=False)]
    # Of a value that may be one number or a list, both are tried: the list that was meant counts.
    deeper = {key[:length] for key, _ in found for length in range(len(key))}
    found = [(key, item) for key, item in found if key not in deeper or item["type"] == "fault"]
    problems = []
    for key, group in itertools.groupby(found, key=lambda pair: pair[0]):
        items = [item for _, item in group]
        words = [_words(model, key, item) for item in items]
        first, *others = dict.fromkeys(words)
        message = " or ".join([first, *(text.removeprefix("must be ") for text in others)])
        problems.append(Problem(key, message + _given(items[0], message)))
    return problems


def _key(item: ErrorDetails, data: Any) -> Key:
    """Return the path of the key without the branches of a type, which pydantic names too."""
    parts = []
    for part in item["loc"]:
        entries = dict(enumerate(data)) if isinstance(data, list | tuple) else data
        if isinstance(entries, dict) and part in entries:
            data = entries[part]
        elif item["type"] != "missing" or isinstance(part, int):
            continue
        parts.append(str(part))
    return (*parts, *item.get("ctx", {}).get("key", ()))


_WORDS = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "dict_type": "must hold keys and values",
    "finite_number": "must be a finite number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of fewer digits",
    "int_type": "must be a whole number",
    "invalid_key": "a key must be text: put it in quotes",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "model_type": "must hold keys and values",
    "string_pattern_mismatch": (
        "must begin with a letter or a digit, and hold only letters, digits, '_', '.' and '-'"
    ),
    "string_type": "must be text: put it in quotes",
    "too_long": "must have at most {max_length} entries, not {actual_length}",
    "too_short": "must have at least {min_length} entries, not {actual_length}",
    "tuple_type": "must be a list, for instance [1, 3]",
}
"""Type of a pydantic error -> what it means to someone who writes YAML."""


def _words(model: type[BaseModel], key: Key, item: ErrorDetails) -> str:
    kind = item["type"]
    if kind == "extra_forbidden":
        return "unknown key" + _suggestion(model, key)
    if kind == "missing":
        return "an entry is missing" if isinstance(item["loc"][-1], int) else "this key is missing"
    if kind in _WORDS:
        return _WORDS[kind].format(**item.get("ctx", {}))
    message = item["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _given(item: ErrorDetails, message: str) -> str:
    value = item["input"]
    if item["type"] in ("fault", "missing", "extra_forbidden") or ", got " in message:
        return ""
    if value is None:
        return " (found nothing)"
    return f" (found {value!r})" if isinstance(value, int | float | str) else ""


def _suggestion(model: type[BaseModel], key: Key) -> str:
    *parents, wrong = key
    level: type[BaseModel] | None = model
    for part in parents:
        level = _descend(level, part) if level else None
    known = list(level.model_fields) if level else []
    close = difflib.get_close_matches(wrong, known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known keys are {', '.join(known)}" if known else ""


def _descend(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    """Return the model under `key`; a key of a mapping of models stands for itself."""
    field = model.model_fields.get(key)
    if field is None:
        return model
    return next(nested_models(field.annotation), None)


def nested_models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that a field's type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from nested_models(argument)
