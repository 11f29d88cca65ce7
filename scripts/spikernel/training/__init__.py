"""Training of one net: `loop` is called by others, `trainer` knows what a step does."""
