"""A multilayer perceptron: the network that knows of no symmetry at all."""

from torch import nn


class Perceptron(nn.Sequential):
    """Two hidden layers.

    Args:
        in_dim: Numbers that go in.
        out_dim: Numbers that come out.
        hidden: Width of the hidden layers.
    """

    def __init__(self, in_dim: int, out_dim: int, hidden: int) -> None:
        super().__init__(
            nn.Linear(in_dim, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, out_dim)
        )
