"""The tables of the report and what its numbers are read from. No torch."""
