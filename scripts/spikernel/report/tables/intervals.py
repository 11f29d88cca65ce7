"""What a number of test images can say about an accuracy: Wilson's interval, and a paired test.

Sources: E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209-212;
Q. McNemar, Psychometrika 12 (1947), 153-157, here with exact binomial probabilities.
"""

from statistics import NormalDist

import numpy as np
import pandas as pd
from scipy.stats import binomtest

CONFIDENCE = 0.95
"""Probability that an interval covers the accuracy on images beyond those of the split."""
LEVEL = 0.05
"""Models whose paired test has a p-value below this are told apart."""
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


def wilson(
    accuracy_percent: "pd.Series[float]", images: "pd.Series[float]"
) -> tuple["pd.Series[float]", "pd.Series[float]"]:
    """Return both ends of Wilson's score interval, in percent.

    An accuracy may be a mean over seeds: they share the images, so that the number of images
    stays. The interval is about the choice of the images, the standard deviation about seeds.

    Args:
        accuracy_percent: share of the images that are predicted right, in percent.
        images: their number; NaN where it is not known, and so are the ends then.

    """
    share = accuracy_percent / 100
    shrunk = 1 + _Z**2 / images
    centre = (share + _Z**2 / (2 * images)) / shrunk
    half = _Z * np.sqrt(share * (1 - share) / images + _Z**2 / (4 * images**2)) / shrunk
    return (100 * (centre - half)).clip(lower=0), (100 * (centre + half)).clip(upper=100)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the p-value of McNemar's exact test of two models on the same images, two-sided.

    Args:
        only_first: images that only the first model predicts right.
        only_second: images that only the second predicts right.

    """
    differing = only_first + only_second
    if not differing:
        return 1.0
    return float(binomtest(only_first, differing, 0.5).pvalue)
