"""One call of a training: what it goes on from, when it keeps its state, when it has to stop."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from spikernel.provenance import Stopwatch
from spikernel.training import state as run_state

Work = Literal["step", "validation"]


class Slice:
    """The part of a run that one call does. It may end before any piece of the run's work.

    Args:
        path: where the state is kept; None: nowhere.
        fingerprint: what the run depends on; a state with another one is not used.
        checkpoint_seconds: how often the state is kept.
        max_seconds: how long the slice may take, from here; None: as long as it wants.

    """

    def __init__(
        self,
        path: Path | None,
        fingerprint: Mapping[str, Any],
        checkpoint_seconds: float,
        max_seconds: float | None,
    ) -> None:
        self.path = path
        self.max_seconds = max_seconds
        self._fingerprint = fingerprint
        self._checkpoint_seconds = checkpoint_seconds
        self._watch = Stopwatch()
        self._saved = 0.0
        self._doing: Work | None = None
        self._began = 0.0
        self._took: dict[str, float] = {}

    def load(self) -> dict[str, Any] | None:
        """Return the state of the slice before; None where there is none to go on from."""
        found = None if self.path is None else run_state.load(self.path, self._fingerprint)
        if found is not None:
            self._took = found["took"]
        return found

    def save(self, state: Mapping[str, Any]) -> None:
        """Keep a state."""
        if self.path is not None:
            run_state.save(self.path, self._fingerprint, {**state, "took": self._took})
        self._saved = self._watch.seconds()

    def save_is_due(self) -> bool:
        """Return whether the last state is old."""
        passed = self._watch.seconds() - self._saved
        return self.path is not None and passed >= self._checkpoint_seconds

    def has_time_for(self, work: Work) -> bool:
        """Say whether a piece of work fits in; the piece before ends here.

        It is taken to last as long as the last of its kind, so that one that was held up shortens
        no slice but the next. One piece always fits in, so that every slice gets on.
        """
        now = self._watch.seconds()
        first = self._doing is None
        if self._doing is not None:
            self._took[self._doing] = now - self._began
        self._doing, self._began = work, now
        if first or self.max_seconds is None:
            return True
        return now + self._took.get(work, 0.0) <= self.max_seconds
