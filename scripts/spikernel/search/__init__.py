"""Training-free search: scores, strategies and the resumable search itself."""
