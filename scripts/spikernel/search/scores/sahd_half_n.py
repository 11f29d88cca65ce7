"""SAHD as first published: alpha = 0.5 N, so that layers weigh by their size."""

from spikernel.search.scores._sahd import Sahd


class Score(Sahd):
    """SAHD with alpha = 0.5 N."""

    @staticmethod
    def alpha(neurons: int) -> float:
        """Return half the number of neurons."""
        return 0.5 * neurons
