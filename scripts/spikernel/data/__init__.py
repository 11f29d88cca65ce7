"""Data sets: found or downloaded, checked, split and stored as arrays for the later steps."""
