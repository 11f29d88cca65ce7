"""The page: its text, its tables, the card of every model. No torch."""
