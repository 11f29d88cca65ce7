"""What the score of a search must allow; free of torch, so that it is known before any job runs."""

from spikernel.config import NetworkConfig, SearchConfig
from spikernel.errors import ConfigError
from spikernel.search.score import score_class


def check_search(settings: SearchConfig, network: NetworkConfig) -> None:
    """Check that the score of a search can do what the search asks for.

    Raises:
        ConfigError: it allows no prefilter, no feedback cells, no nets of several widths, no
            convolutions of their type, or no thresholds.
    """
    score = score_class(settings.score)
    place = f"config: nas_search: score {settings.score}"
    if settings.prefilter is not None and not score.allows_prefilter:
        raise ConfigError(f"{place} allows no prefilter: remove prefilter, or take another score")
    if settings.cells == "feedback" and not score.allows_feedback:
        raise ConfigError(
            f"{place} knows forward cells only: remove cells: feedback, or take another"
        )
    if settings.budget.fill and score.needs_images:
        raise ConfigError(
            f"{place} compares nets of one width only: take predicted_accuracy, or remove "
            "budget/fill"
        )
    if score.dense_only and network.convolutions != "dense":
        raise ConfigError(
            f"{place} knows dense convolutions only: remove network/convolutions, or take another"
        )
    if settings.thresholds and not score.sees_thresholds:
        raise ConfigError(
            f"{place} does not look at thresholds: remove thresholds, or take another"
        )
