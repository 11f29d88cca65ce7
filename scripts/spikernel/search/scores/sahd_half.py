"""SAHD as in the published code since July 2022: alpha = 0.5."""

from spikernel.search.scores._sahd import Sahd


class Score(Sahd):
    """SAHD with alpha = 0.5."""

    @staticmethod
    def alpha(neurons: int) -> float:  # noqa: ARG004
        """Return one half."""
        return 0.5
