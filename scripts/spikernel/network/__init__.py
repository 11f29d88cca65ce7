"""Spiking nets in torch: neurons, cells, macro-structure, activity counters.

Shapes: T time steps, N batch, C channels, H and W pixels. Sequences are [T, N, C, H, W].
"""
