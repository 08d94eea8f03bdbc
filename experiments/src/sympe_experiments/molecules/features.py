r"""What the network of DiGress sees beside the noisy graph: cycles, the Laplacian spectrum, valences.

C. Vignac et al., *DiGress*, ICLR 2023, appendix B.1; cycles after N. Alon, R. Yuster, U. Zwick, *Finding and counting
given length cycles*, Algorithmica 1997. All of it is equivariant: instead of single eigenvectors, which a solver picks
arbitrarily from an eigenspace, nodes get the squared norm of their projection on the whole eigenspace.
"""

import torch
from jaxtyping import Float
from torch import Tensor

#: Bonds that an atom makes when it is neutral, and its weight in daltons; elements without an entry get zeros.
VALENCE = {"H": 1, "B": 3, "C": 4, "N": 3, "O": 2, "F": 1, "Si": 4, "P": 3, "S": 2, "Cl": 1, "Br": 1, "I": 1}
WEIGHT = {
    "H": 1.008, "B": 10.81, "C": 12.011, "N": 14.007, "O": 15.999, "F": 18.998, "Si": 28.085, "P": 30.974,
    "S": 32.06, "Cl": 35.45, "Br": 79.904, "I": 126.904,
}  # fmt: skip

#: Eigenvalues among the features of a graph, and eigenspaces among those of nodes.
NUM_VALUES, NUM_SPACES = 5, 2
#: Features per node and per graph: cycles and spectrum, then those of molecules.
NODE_FEATURES, GRAPH_FEATURES = 3 + 1 + NUM_SPACES, 4 + 1 + NUM_VALUES
NODE_CHEMISTRY, GRAPH_CHEMISTRY = 2, 1

# Eigenvalues closer than this are equal; single precision errs by less for graphs of some hundred nodes.
_TOLERANCE = 1e-3


def count_cycles(a: Float[Tensor, "B n n"]) -> tuple[Float[Tensor, "B n 3"], Float[Tensor, "B 4"]]:
    """Cycles of length 3 to 5 through each node, and of length 3 to 6 in each graph."""
    degree = a.sum(2)
    a2 = a @ a
    a3 = a2 @ a
    a4 = a2 @ a2
    closed3, closed4 = _diagonal(a3), _diagonal(a4)
    closed5 = (a2 * a3.transpose(1, 2)).sum(2)
    four = closed4 - degree * (degree - 1) - (a @ degree[..., None])[..., 0]
    # Closed walks of five steps that run around a triangle: with a step to and fro at the node, or elsewhere.
    around = closed3 * (2 * degree - 5) + (a @ closed3[..., None])[..., 0] + 2 * ((a * a2) @ degree[..., None])[..., 0]
    five = closed5 - around
    nodes = torch.stack([closed3, four, five], dim=2) / 2
    six = (
        (a3 * a3.transpose(1, 2)).sum((1, 2))
        - 3 * closed3.square().sum(1)
        + 9 * (a * a2.square()).sum((1, 2))
        - 6 * (degree * closed4).sum(1)
        + 6 * closed4.sum(1)
        - 4 * closed3.sum(1)
        + 4 * degree.pow(3).sum(1)
        + 3 * a3.sum((1, 2))
        - 12 * degree.square().sum(1)
        + 4 * degree.sum(1)
    ) / 12
    per_graph = nodes.sum(1) / nodes.new_tensor([3.0, 4.0, 5.0])
    return nodes, torch.cat([per_graph, six[:, None]], dim=1)


def spectral_features(a: Float[Tensor, "B n n"]) -> tuple[Float[Tensor, "B n 3"], Float[Tensor, "B 6"]]:
    """Nodes outside a largest component and projections on the lowest eigenspaces; components and eigenvalues.

    The spectrum is that of :math:`L = D - A`. Eigenvalue 0 comes once per component; the next ones are features, or 2
    where there are no more. Eigenvalues above it that are closer than 1e-3 count as one eigenspace, as the lowest two
    of a path of 173 nodes are.
    """
    count, n, _ = a.shape
    values, vectors = torch.linalg.eigh(torch.diag_embed(a.sum(2)) - a)
    size = _component_size(a)
    components = (1 / size).sum(1, keepdim=True).round().long()
    place = components + torch.arange(NUM_VALUES, device=a.device)
    padded = torch.cat([values, values.new_full((count, NUM_VALUES), 2.0)], dim=1)
    lowest = padded.gather(1, place)

    # The zeros are one eigenspace, number 0; those that follow are 1, 2, ...
    at = torch.arange(n, device=a.device)
    differs = values.diff(prepend=values[:, :1]) > _TOLERANCE
    space = ((at == components) | (at > components) & differs).cumsum(1)
    inside = torch.stack([space == k for k in range(1, NUM_SPACES + 1)], dim=2).to(a.dtype)
    outside = (size < size.amax(1, keepdim=True)).to(a.dtype)
    nodes = torch.cat([outside[..., None], n * vectors.square() @ inside], dim=2)
    return nodes, torch.cat([components.to(a.dtype) / n, lowest], dim=1)


def chemical_features(
    kind: Float[Tensor, "B n a"], order: Float[Tensor, "B n"], elements: tuple[str, ...]
) -> tuple[Float[Tensor, "B n 2"], Float[Tensor, "B 1"]]:
    """Bonds of each atom and how many it lacks; weight of each molecule, in 100 daltons.

    Args:
        kind: Indicators of the elements.
        order: Sum of the orders of the bonds of each atom.
        elements: Names of the elements.
    """
    usual = kind.new_tensor([float(VALENCE.get(name, 0)) for name in elements])
    weight = kind.new_tensor([WEIGHT.get(name, 0.0) for name in elements])
    return torch.stack([order, kind @ usual - order], dim=2), (kind @ weight).sum(1, keepdim=True) / 100


def is_chemical(elements: tuple[str, ...]) -> bool:
    """Whether kinds of nodes are elements."""
    return any(name in VALENCE for name in elements)


def _component_size(a: Float[Tensor, "B n n"]) -> Float[Tensor, "B n"]:
    """Number of nodes in the component of each node."""
    n = a.shape[1]
    reach = ((a + torch.eye(n, dtype=a.dtype, device=a.device)) > 0).to(a.dtype)
    steps = 1
    while steps < n - 1:
        reach = (reach @ reach > 0).to(a.dtype)
        steps *= 2
    return reach.sum(2)


def _diagonal(matrix: Tensor) -> Tensor:
    return matrix.diagonal(dim1=1, dim2=2)
