"""Training and evaluation of one net; the training itself is in `loop`.

The export uses what is named here, and has no part of the loop in its environment.
"""
