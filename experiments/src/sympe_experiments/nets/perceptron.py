"""A multilayer perceptron: a network without any symmetry."""

from torch import nn


class Perceptron(nn.Sequential):
    """Two hidden layers.

    Args:
        in_dim: Numbers that go in.
        out_dim: Numbers that come out.
        hidden_dim: Features inside.
    """

    def __init__(self, in_dim: int, out_dim: int, hidden_dim: int) -> None:
        super().__init__(
            nn.Linear(in_dim, hidden_dim),
            nn.SiLU(),
            nn.Linear(hidden_dim, hidden_dim),
            nn.SiLU(),
            nn.Linear(hidden_dim, out_dim),
        )
