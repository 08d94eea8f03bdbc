r"""PyG: transforms that add encodings to data, and a module that joins them to the features of a batch.

A learned vector cannot be part of a transform, which runs in workers without gradients. So :class:`AddSymPE` stores the
drawn group element, one rank per node, and :class:`BreakSymmetry` in the model looks up the rows of v. The workers of a
``DataLoader`` then do the expensive part, exact labeling on the CPU.

**Randomness.** Use them as ``transform``; as ``pre_transform`` they would fix one draw forever. Each call draws

- with ``seed=None``, from the default generator of the process, like PyG's own transforms; PyTorch seeds it in each
  worker and epoch;
- with ``seed``, from a separate stream. In a worker it also depends on the seed that the loader gives the worker: no
  two workers and no two epochs share a stream, and all follow from ``seed`` and the loader's ``generator``;
- with ``seed`` and ``key``, the name of an attribute that numbers the graphs, from ``(seed, epoch, number)`` alone, for
  any number of workers and in any order. Set ``transform.epoch`` before each pass.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from sympe.breaking import Laplacian, SymPE
from sympe.breaking.base import joined
from sympe.canonicalize import Canonicalizer
from sympe.graphs import Graphs, from_pyg
from sympe.groups import Permutation
from sympe.kernel import InversionKernel
from sympe.seeding import sequence_generator

try:
    from torch_geometric.data import Data
    from torch_geometric.transforms import BaseTransform
except ImportError as error:
    raise ImportError("sympe.integrations.pyg needs PyG: pip install 'sympe[pyg]'") from error


class _Draws:
    """The generator that each call draws from; see the module."""

    def __init__(self, seed: int | None, key: str | None) -> None:
        if seed is not None and seed < 0:
            raise ValueError(f"seed must be at least 0; got {seed}")
        if key is not None and seed is None:
            raise ValueError(f"key {key!r} needs a seed to combine with; got none")
        self.seed, self.key, self.epoch = seed, key, 0
        self._origin: tuple[int, ...] | None = None
        self._stream: torch.Generator | None = None

    def generator(self, data: Any) -> torch.Generator | None:
        if self.seed is None:
            return None
        if self.key is not None:
            number = getattr(data, self.key, None)
            if number is None or torch.as_tensor(number).numel() != 1:
                raise ValueError(f"expected one number as attribute {self.key!r} of each graph; got {number!r}")
            return sequence_generator(self.seed, self.epoch, int(torch.as_tensor(number)))
        worker = torch.utils.data.get_worker_info()
        origin = (self.seed,) if worker is None else (self.seed, worker.seed)
        if self._stream is None or origin != self._origin:
            self._origin, self._stream = origin, sequence_generator(*origin)
        return self._stream

    def __getstate__(self) -> dict[str, Any]:
        # Generators cannot be pickled, so a copy restarts its stream.
        return vars(self) | {"_origin": None, "_stream": None}


class _Transform(BaseTransform):
    """A random transform."""

    def __init__(self, seed: int | None, key: str | None) -> None:
        self.draws = _Draws(seed, key)

    @property
    def epoch(self) -> int:
        """The pass over the data, which draws with a ``key`` depend on."""
        return self.draws.epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self.draws.epoch = epoch


class AddSymPE(_Transform):
    """Add the rank of each node in a sampled order, as an integer; :class:`BreakSymmetry` turns ranks into features.

    Args:
        canonicalizer: The order, such as ``sympe.canonicalize.Labeling()``.
        attr_name: Attribute to store the ranks in.
        seed, key: See the module.
        node_label: Attribute with an integer kind per node (``"z"``, say) that symmetries must preserve.
        edge_label: Attribute with an integer kind per edge.

    Raises:
        ValueError: If a seed is negative, or a key is given without one.

    Example:
        >>> import sympe
        >>> from torch_geometric.data import Data
        >>> edge = Data(edge_index=torch.tensor([[0, 1], [1, 0]]), num_nodes=2)
        >>> sorted(AddSymPE(sympe.canonicalize.Labeling(), seed=0)(edge).sympe_rank.tolist())
        [0, 1]
    """

    def __init__(
        self,
        canonicalizer: Canonicalizer[Permutation, Graphs],
        attr_name: str = "sympe_rank",
        seed: int | None = None,
        key: str | None = None,
        node_label: str | None = None,
        edge_label: str | None = None,
    ) -> None:
        super().__init__(seed, key)
        self.kernel = InversionKernel(canonicalizer)
        self.attr_name = attr_name
        self.node_label, self.edge_label = node_label, edge_label

    def forward(self, data: Any) -> Any:
        graphs = to_graphs(data, self.node_label, self.edge_label)
        with torch.no_grad():
            g = self.kernel(graphs, self.draws.generator(data))
        if g.shown is not None:
            raise ValueError("expected a canonicalizer that orders all nodes: ranks cannot store how many are shown")
        data[self.attr_name] = g.rank
        return data


class AddLaplacianPE(_Transform):
    """Add Laplacian eigenvectors whose law is exactly equivariant: whole eigenspaces are rotated, not only signs.

    Replaces PyG's ``AddLaplacianEigenvectorPE``, whose vectors on graphs with repeated eigenvalues (rings, molecules)
    depend on the storage order of the nodes.

    Args:
        k: Number of eigenvectors; smaller graphs are padded with zeros.
        attr_name: Attribute to store them in; None to join them to ``x``.
        seed, key: See the module.
        tolerance: Eigenvalues closer than this share an eigenspace, below 1 than this times the greater of them.
    """

    def __init__(
        self,
        k: int,
        attr_name: str | None = "laplacian_eigenvector_pe",
        seed: int | None = None,
        key: str | None = None,
        tolerance: float = 1e-6,
    ) -> None:
        super().__init__(seed, key)
        self.laplacian = Laplacian(k, tolerance)
        self.attr_name = attr_name

    def forward(self, data: Any) -> Any:
        weight = getattr(data, "edge_weight", None)
        if weight is not None and not bool((weight == 1).all()):
            raise ValueError(
                "expected edges without weights: the eigenvectors are those of the plain Laplacian; delete "
                "data.edge_weight, or set it to 1, if the weights should not count"
            )
        vectors = self.laplacian(to_graphs(data), self.draws.generator(data))
        if self.attr_name is None:
            return _join(data, vectors)
        data[self.attr_name] = vectors
        return data


class BreakSymmetry(nn.Module):
    """Join a symmetry-breaking encoding to the features ``x`` of a ``Data`` or ``Batch``, without changing the input.

    The draw consists of the ranks stored by :class:`AddSymPE`, or is made here if there are none.

    Args:
        encoding: :class:`~sympe.SymPE`, or anything that :func:`sympe.breaking.for_graphs` returns.
        attr_name: Attribute that may hold stored ranks.
        node_label, edge_label: As in :class:`AddSymPE`, for draws made here.
    """

    def __init__(
        self,
        encoding: nn.Module,
        attr_name: str = "sympe_rank",
        node_label: str | None = None,
        edge_label: str | None = None,
    ) -> None:
        super().__init__()
        self.encoding = encoding
        self.attr_name = attr_name
        self.node_label, self.edge_label = node_label, edge_label

    def forward(self, data: Any, generator: torch.Generator | None = None) -> Any:
        """The same data with ``encoding.dim`` more features per node.

        Raises:
            ValueError: If the data are not graphs, ``x`` holds integers, or the stored ranks are no order of the nodes.
        """
        graphs = to_graphs(data, self.node_label, self.edge_label)
        rank = getattr(data, self.attr_name, None)
        if rank is not None and isinstance(self.encoding, SymPE):
            encoded = self.encoding.encode(rank, graphs)
        else:
            encoded = self.encoding(graphs, generator)
        return _join(copy.copy(data), encoded)


def to_graphs(data: Any, node_label: str | None = None, edge_label: str | None = None) -> Graphs:
    """Graphs from data, with integer attributes of any name as labels.

    Raises:
        ValueError: If an attribute is missing; see also :func:`sympe.graphs.from_pyg`.
    """
    if node_label is None and edge_label is None:
        return from_pyg(data)
    plain = copy.copy(data)
    for kind, name in (("node_label", node_label), ("edge_label", edge_label)):
        if name is None:
            continue
        if getattr(data, name, None) is None:
            raise ValueError(f"expected data with the attribute {name!r}, the {kind.replace('_', ' ')}; got none")
        plain[kind] = data[name]
    return from_pyg(plain)


def _join(data: Data, encoded: Tensor) -> Data:
    x = getattr(data, "x", None)
    data.x = encoded if x is None else joined(x if x.dim() > 1 else x[:, None], encoded, 1)
    return data
