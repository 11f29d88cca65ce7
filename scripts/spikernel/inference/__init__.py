"""Released weights, and how a net predicts with them: normalise, run, average over time, compare.

Training, search, export and evaluation all use what is here, and it needs none of them.
"""
