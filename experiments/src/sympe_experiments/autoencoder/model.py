r"""The autoencoder: a code per node, and a decoder that sees pairs of codes.

.. math:: z = f_\theta(x \oplus \tilde g v), \qquad
          \operatorname{logit} P(\text{edge } ij) = b + \sum_k w_k (z_{ik} - z_{jk})^2 .

Without symmetry breaking, nodes of one orbit get one code; their edges to a third node look alike, and an edge
between them looks like any other such edge.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from sympe.breaking import Laplacian, Noise, SymPE
from sympe.canonicalize import (
    BreadthFirst,
    Canonicalizer,
    Constant,
    DepthFirst,
    Labeling,
    NodeScore,
    Refinement,
    Sort,
    Spectral,
)
from sympe.encoding import RankEncoding
from sympe.graphs import Graphs
from sympe.kernel import InversionKernel
from sympe_experiments import weights
from sympe_experiments.autoencoder.config import METHODS, NAME, Config
from sympe_experiments.autoencoder.data import Batch
from sympe_experiments.nets import CompleteGraphNetwork, Perceptron
from sympe_experiments.old_names import config_now


class LaplacianScore(nn.Module):
    """A learned score of each node from its Laplacian eigenvectors.

    Their signs and rotations are the same in every call. That is arbitrary and depends on how nodes are stored, which a
    canonicalizer may: the kernel shuffles them.

    Args:
        num_vectors: Eigenvectors per node.
        hidden_dim: Features inside.
    """

    def __init__(self, num_vectors: int, hidden_dim: int = 32) -> None:
        super().__init__()
        self.laplacian = Laplacian(num_vectors)
        self.network = Perceptron(num_vectors, 1, hidden_dim)

    def forward(self, x: Graphs) -> Float[Tensor, "N 1"]:
        return self.network(self.laplacian(x, torch.Generator().manual_seed(0)))


def make_encoding(name: str, config: Config, max_nodes: int) -> nn.Module:
    """The encoding that methods list under this name."""
    if name == "noise":
        return Noise(config.encoding_dim)
    if name == "laplacian":
        return Laplacian(config.num_vectors)
    canonicalizers: dict[str, Any] = {
        "haar": Constant,
        "labeling": Labeling,
        "refinement": Refinement,
        "spectral": Spectral,
        "breadth-first": BreadthFirst,
        "depth-first": DepthFirst,
        "canonical-depth-first": lambda: DepthFirst(Refinement()),
        "sort": lambda: Sort(NodeScore(), temperature=config.temperature),
        "laplacian-sort": lambda: Sort(LaplacianScore(config.num_vectors), temperature=config.temperature),
        "sort-no-gradient": lambda: Sort(NodeScore(), temperature=None),
    }
    canonicalizer: Canonicalizer[Any, Any] = canonicalizers[name]()
    return SymPE(InversionKernel(canonicalizer), RankEncoding(config.encoding_dim, max_nodes))


@dataclass(frozen=True)
class Reconstruction:
    """How well each graph of a batch came back.

    Attributes:
        loss: Binary cross-entropy summed over ordered pairs of distinct nodes, in nats.
        wrong: Number of those pairs on the wrong side of 1/2.
    """

    loss: Float[Tensor, "B"]
    wrong: Int[Tensor, "B"]


class GraphAutoencoder(nn.Module):
    """Encoder, symmetry breaking and decoder.

    Args:
        config: Sizes and method.
        max_nodes: Nodes of the largest graph it will see; bounds the table of a rank encoding.
    """

    def __init__(self, config: Config, max_nodes: int) -> None:
        super().__init__()
        self.config = config
        self.max_nodes = max_nodes
        self.breaking = nn.ModuleList(
            make_encoding(name, config, max_nodes) for name in METHODS[config.method].encodings
        )
        in_dim = sum(int(encoding.dim) for encoding in self.breaking)  # type: ignore[arg-type, misc]
        self.encoder = CompleteGraphNetwork(in_dim, config.code_dim, config.hidden_dim, config.num_layers)
        self.weight = nn.Parameter(-torch.ones(config.code_dim))
        self.bias = nn.Parameter(torch.zeros(()))

    @property
    def is_random(self) -> bool:
        """Whether two encodings of one graph may differ."""
        return len(self.breaking) > 0

    def encode(self, batch: Batch, generator: torch.Generator | None = None) -> Float[Tensor, "B n code"]:
        """One code per node, for one draw of g~ per graph."""
        features = []
        for encoding in self.breaking:
            if isinstance(encoding, Laplacian) and batch.spectrum is not None:
                features.append(encoding.rotated(batch.spectrum, generator))
            else:
                features.append(encoding(batch.graphs, generator))
        count, n, _ = batch.adjacency.shape
        x = torch.cat(features, dim=1) if features else batch.adjacency.new_zeros(count * n, 0)
        return self.encoder(x.view(count, n, -1), batch.adjacency)

    def decode(self, code: Float[Tensor, "B n code"]) -> Float[Tensor, "B n n"]:
        """Logit of an edge for every pair of nodes."""
        norm = (code.square() @ self.weight)[..., None]
        return self.bias + norm + norm.transpose(1, 2) - 2 * (code * self.weight) @ code.transpose(1, 2)

    def compare(self, batch: Batch, code: Float[Tensor, "B n code"]) -> Reconstruction:
        """Decode the codes and compare with the graphs."""
        logits = self.decode(code)
        proper = 1 - torch.eye(logits.shape[1], device=logits.device)
        loss = binary_cross_entropy_with_logits(logits, batch.adjacency, reduction="none") * proper
        wrong = ((logits > 0) != (batch.adjacency > 0.5)) & (proper > 0)
        return Reconstruction(loss.sum((1, 2)), wrong.sum((1, 2)))

    def forward(self, batch: Batch, generator: torch.Generator | None = None) -> Reconstruction:
        return self.compare(batch, self.encode(batch, generator))

    @torch.no_grad()
    def best_of(
        self, batch: Batch, draws: int, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "B n code"], Reconstruction]:
        """Encode ``draws`` times and keep, for each graph, the code that decodes with the lowest loss.

        Still one code of the same size per node: the decoder does not learn which draw was kept.
        """
        if draws < 1:
            raise ValueError(f"draws must be at least 1; got {draws}")
        code = self.encode(batch, generator)
        kept = self.compare(batch, code)
        for _ in range(draws - 1):
            other_code = self.encode(batch, generator)
            other = self.compare(batch, other_code)
            better = other.loss < kept.loss
            code = torch.where(better[:, None, None], other_code, code)
            kept = Reconstruction(
                torch.where(better, other.loss, kept.loss), torch.where(better, other.wrong, kept.wrong)
            )
        return code, kept

    def to_bytes(self) -> bytes:
        """Weights and configuration as one safetensors file; equal models give equal bytes."""
        return weights.to_bytes(self, {"config": self.config.as_dict(), "max_nodes": self.max_nodes})

    @classmethod
    def load(cls, path: Path | str) -> "GraphAutoencoder":
        """Read a model that a run exported.

        Raises:
            ValueError: If the file is not such an export.
        """
        return weights.load(
            path, "a graph autoencoder", lambda it: cls(Config(**config_now(NAME, it["config"])), it["max_nodes"])
        )
