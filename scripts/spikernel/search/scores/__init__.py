"""Training-free scores, chosen by `nas_search/score`: each module is one, under its own name.

A module defines a class `Score` on the base `spikernel.search.score.ArchitectureScore`, which says
what a score may need and allow. Nothing else lists it.
"""
