"""The static figures and the interactive chart. No torch."""
