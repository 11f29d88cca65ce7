"""What a profile of Snakemake asks of a cluster. No torch."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from humanfriendly import InvalidTimespan, parse_timespan

from spikernel.config import strict_yaml
from spikernel.errors import ConfigError


@dataclass(frozen=True)
class Profile:
    """How many jobs may run at once, and what each asks for."""

    jobs: Any = "any number of"
    default: dict[str, Any] = field(default_factory=dict)
    """Resource -> what every job asks for."""
    by_rule: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Rule -> resource -> what its jobs ask for instead."""

    def asked(self, rule: str) -> dict[str, Any]:
        """Return what a job of a rule asks for."""
        return {**self.default, **self.by_rule.get(rule, {})}

    def first_minutes(self, rule: str) -> int | None:
        """Return the runtime of a rule's first attempt; None where no number tells it.

        Snakemake takes minutes, which may be multiplied by `attempt`, or a time span such as 2h.
        """
        first, *rest = str(self.asked(rule).get("runtime", "")).split("*")
        try:
            return int(first) if rest or first.isdecimal() else round(parse_timespan(first) / 60)
        except (ValueError, InvalidTimespan):
            return None


def read_profile(path: Path) -> Profile:
    """Read a profile, given by its folder or its file.

    Resources may stand in it as keys, or as on a command line: `mem_mb=4000`, and
    `train_final:mem_mb=4000` for a rule.

    Raises:
        ConfigError: there is none, it is not YAML, or names resources otherwise.

    """
    file = next(iter(sorted(path.glob("config*.yaml"))), path)
    if not file.is_file():
        raise ConfigError(f"{path}: holds no config*.yaml: name the folder of a profile")
    found = strict_yaml.read(file).data
    if not isinstance(found, dict):
        raise ConfigError(f"{file}: holds no keys: name the folder of a profile")
    return Profile(
        found.get("jobs", Profile.jobs),
        _assigned(found.get("default-resources"), f"{file}: default-resources"),
        _by_rule(found.get("set-resources"), f"{file}: set-resources"),
    )


def _by_rule(given: Any, where: str) -> dict[str, dict[str, Any]]:
    if isinstance(given, dict):
        return {rule: _assigned(value, f"{where}/{rule}") for rule, value in given.items()}
    listed: dict[str, list[str]] = defaultdict(list)
    for item in _listed(given):
        rule, colon, assignment = str(item).partition(":")
        if not colon:
            raise ConfigError(f"{where}: {item!r} must be rule:resource=value")
        listed[rule].append(assignment)
    return {rule: _assigned(items, f"{where}/{rule}") for rule, items in listed.items()}


def _assigned(given: Any, where: str) -> dict[str, Any]:
    if isinstance(given, dict):
        return given
    found: dict[str, Any] = {}
    for item in _listed(given):
        name, equals, value = str(item).partition("=")
        if not equals:
            raise ConfigError(f"{where}: {item!r} must be resource=value")
        found[name] = int(value) if value.isdecimal() else value
    return found


def _listed(given: Any) -> list[Any]:
    """Return the items of a list, which may be empty or one item without its list."""
    if given is None:
        return []
    return given if isinstance(given, list) else [given]
