"""The search space: edge operations, cells, architectures and their exact size. No torch."""
