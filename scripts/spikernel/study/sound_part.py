"""What can still be judged of a configuration with errors, so that they are all said at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, NoReturn

from spikernel.config import StrictModel, WorkflowConfig
from spikernel.config.problems import Problem, RefusedError, UnsoundError


class _Partly:
    """A section with errors: of it nothing but the fields that were given soundly can be read."""

    def __init__(self, section: StrictModel, wrong: Collection[str]) -> None:
        vars(self).update((name, value) for name, value in section if name not in wrong)

    def __getattr__(self, name: str) -> NoReturn:
        """Stop a check: the field is wrong, or a method may read one that is."""
        raise UnsoundError


def sound_part(data: Any, problems: Iterable[Problem]) -> WorkflowConfig | None:
    """Return a configuration without what is wrong in it; None if too little is left.

    Data sets with errors are left out. A wrong field of a section raises UnsoundError where it is
    read, so that nothing is judged by its default. What stands outside of sections and data sets,
    such as `threads`, is read by no check.

    Args:
        data: what was given.
        problems: what is wrong with its fields.

    """
    wrong: dict[str, set[str]] = defaultdict(set)
    for problem in problems:
        section, name = (*problem.key, "", "")[:2]
        wrong[section].add(name)
    if not wrong.keys() <= WorkflowConfig.model_fields.keys():
        return None  # a misspelt section may be any
    kept, partly = dict(data), {}
    for section, names in wrong.items():
        given, default = kept.pop(section, None), WorkflowConfig.model_fields[section].default
        known = {*type(default).model_fields} if isinstance(default, StrictModel) else set()
        # A misspelt field may be any; one of the network may be what fills in others.
        partly[section] = names if section != "network" and names <= known else known
        if isinstance(given, dict) and (section == "datasets" or partly[section] is names):
            kept[section] = {key: value for key, value in given.items() if key not in names}
    try:
        config = WorkflowConfig.parse({"experiment": "any", **kept}, "")
    except RefusedError:
        return None  # a validator took offence at a default
    return config.model_copy(
        update={
            name: _Partly(section, partly[name])
            for name, section in config
            if name in partly and isinstance(section, StrictModel)
        }
    )
