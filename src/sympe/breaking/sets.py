r"""Symmetry-breaking sets: the orbit of a generic object under the symmetries of the input.

Y. Xie, T. Smidt, *Equivariant symmetry breaking sets*, TMLR 2024. An input :math:`x` gets a set of objects on which
:math:`\mathrm{Stab}(x)` acts freely, and the network sees :math:`x` and one of them, drawn uniformly. The smallest such
set is one orbit, and the inversion kernel draws from it: with :math:`\tilde g` uniform on a coset of the stabilizer,
:math:`\tilde g b` is uniform on an orbit: SymPE with a generic (asymmetric) object instead of a learned one.

**Partial breaking.** An object with symmetries :math:`K` preserves them: its orbit has only
:math:`\lvert \mathrm{Stab}(x) \rvert / \lvert K \rvert` members, and no output is less symmetric than :math:`K`.
Averaging makes such an object of any vector, learned or not: :math:`b = \frac{1}{\lvert K \rvert} \sum_{k \in K} k v`.
"""

import torch
from torch import Tensor

from sympe.actions.base import Data, Element, copies
from sympe.breaking.sympe import SymPE
from sympe.encoding import Encoding
from sympe.groups import Group
from sympe.kernel import Kernel


class SymmetryBreakingSet(SymPE[Element, Data]):
    """Draw one object of the set uniformly: :class:`~sympe.SymPE` with a vector frozen at its random initial value.

    For partial breaking pass ``KeepSubgroup(encoding, ...)``.

    Args:
        kernel: The law of g~ given the input; the set is smallest if its canonicalizer is exact.
        encoding: The object, and how the group moves it.

    Example:
        >>> import sympe
        >>> kernel = sympe.InversionKernel(sympe.canonicalize.Labeling())
        >>> objects = SymmetryBreakingSet(kernel, sympe.RankEncoding(dim=8, max_nodes=16))
        >>> any(parameter.requires_grad for parameter in objects.parameters())
        False
    """

    def __init__(self, kernel: Kernel[Element, Data], encoding: Encoding[Element]) -> None:
        super().__init__(kernel, encoding)
        self.encoding.requires_grad_(False)


class KeepSubgroup(Encoding[Tensor]):
    r"""An encoding whose vector a given subgroup fixes: :math:`\frac{1}{\lvert K \rvert} \sum_{k \in K} k v`.

    Under the inversion kernel a draw preserves the symmetries :math:`\tilde g K \tilde g^{-1}` of an input. So K is a
    subgroup of the stabilizer of the *canonical form*: to preserve the symmetries :math:`H` of an input :math:`x`, pass
    :math:`g^{-1} H g` with any draw :math:`g` for :math:`x`, which :func:`in_canonical_form` computes.

    Args:
        encoding: The vector, learned or not.
        group: The group that acts.
        subgroup: All elements of K as one batch: matrices ``[k, 3, 3]``, or numbers ``[k]`` of a finite group.

    Raises:
        ValueError: If the subgroup is empty or fixes only zero, or ``group`` cannot move the encoding.
    """

    subgroup: Tensor

    def __init__(self, encoding: Encoding[Tensor], group: Group[Tensor, Tensor], subgroup: Tensor) -> None:
        super().__init__()
        if not len(subgroup):
            raise ValueError("expected at least one element, the identity; got an empty subgroup")
        encoding.check_group(group)
        self.encoding = encoding
        self.group: Group[Tensor, Tensor] = group
        self.dim = encoding.dim
        self.register_buffer("subgroup", subgroup)
        with torch.no_grad():
            kept = self(group.identity(subgroup[:1]))
            size = encoding(group.identity(subgroup[:1])).abs().max()
        if float(kept.abs().max()) < 1e-4 * float(size):
            advice = "choose a larger one"
            raise ValueError(f"these {len(subgroup)} elements fix no vector of the encoding but zero; {advice}")

    def forward(self, g: Tensor) -> Tensor:
        """The vector averaged over the subgroup, then moved."""
        k = len(self.subgroup)
        kept = copies(self.subgroup.to(g.device, g.dtype), len(g))
        moved = self.encoding(self.group.compose(g.repeat_interleave(k, dim=0), kept))
        averaged: Tensor = moved.unflatten(0, (len(g), k)).mean(1)
        return averaged


def in_canonical_form(group: Group[Tensor, Tensor], g: Tensor, subgroup: Tensor) -> Tensor:
    """Symmetries of an input as seen in its canonical form: ``g^-1 h g`` for each h in ``subgroup``.

    The draw ``g`` for that input is a batch of one.
    """
    each = g.expand(len(subgroup), *g.shape[1:])
    return group.compose(group.compose(group.inverse(each), subgroup), each)
