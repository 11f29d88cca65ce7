"""SpiKernel: accurate spiking neural networks for a small memory, found by their kernel sizes."""

__version__ = "0.1.0"
