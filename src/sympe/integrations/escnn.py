r"""escnn: symmetry breaking for steerable networks on images.

:func:`wrap` adds channels to the ``GeometricTensor`` that a network takes. For each image it draws an element
:math:`\tilde g` of the space's finite fiber group (quarter turns, say, with or without reflections), which moves a
learned vector v of a representation :math:`\rho` of that group. :math:`\rho(\tilde g) v` is the same at every pixel: it
breaks the symmetry of rotations and reflections, but not of translations.

escnn needs a Fortran compiler and numpy below 2; give it its own environment.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sympe.actions import Action
from sympe.breaking import SymPE
from sympe.breaking.base import joined
from sympe.canonicalize import Canonicalizer
from sympe.encoding import RepresentationEncoding
from sympe.groups import FiniteGroup
from sympe.kernel import InversionKernel

try:
    from escnn.nn import FieldType, GeometricTensor
except ImportError as error:
    raise ImportError(
        "sympe.integrations.escnn needs escnn: pip install 'sympe[escnn]', in an environment with a Fortran compiler "
        "and numpy below 2"
    ) from error


class FiberAction(Action[Tensor, Tensor]):
    """How the fiber group moves images, both pixels and channels, as ``GeometricTensor.transform`` does.

    Elements are numbers; element i is ``elements[i]`` of escnn.

    Raises:
        ValueError: If the fiber group is infinite.
    """

    def __init__(self, field_type: FieldType) -> None:
        fiber_group = field_type.gspace.fibergroup
        if fiber_group.order() < 1:
            raise ValueError(f"expected a gspace with a finite fiber group; got {fiber_group.name}")
        self.field_type = field_type
        self.elements = list(fiber_group.elements)
        number = {element: i for i, element in enumerate(self.elements)}
        table = [[number[g @ h] for h in self.elements] for g in self.elements]
        self.group: FiniteGroup = FiniteGroup(torch.tensor(table), name=fiber_group.name)

    def act(self, g: Int[Tensor, "B"], x: Float[Tensor, "B c h w"]) -> Float[Tensor, "B c h w"]:
        """Each image moved by its element."""
        moved = torch.empty_like(x)
        for number in g.unique().tolist():
            chosen = g == number
            moved[chosen] = GeometricTensor(x[chosen], self.field_type).transform(self.elements[number]).tensor
        return moved


class FilterScore(Canonicalizer[Tensor, Tensor]):
    """The element whose inverse maximizes an image's response to fixed random filters of ``size`` pixels a side.

    The mean response over the image, with periodic borders, is invariant under translations. Group convolutions as
    canonicalizers: S.-O. Kaba et al., *Equivariance with learned canonicalization functions*, ICML 2023.
    """

    filters: Tensor

    def __init__(self, field_type: FieldType, size: int = 5) -> None:
        super().__init__()
        self.action: FiberAction = FiberAction(field_type)
        generator = torch.Generator().manual_seed(0)
        self.register_buffer("filters", torch.randn(4, field_type.size, size, size, generator=generator) / size)

    def forward(self, x: Float[Tensor, "B c h w"], generator: torch.Generator | None = None) -> Int[Tensor, "B"]:
        scores, pad = [], self.filters.shape[-1] // 2
        with torch.no_grad():
            for number in range(len(self.action.elements)):
                undone = self.action.act(self.action.group.inverse(torch.full((len(x),), number, device=x.device)), x)
                wrapped = nn.functional.pad(undone, (pad, pad, pad, pad), mode="circular")
                response = nn.functional.conv2d(wrapped, self.filters.to(x.dtype)).tanh()
                scores.append(response.mean((1, 2, 3)))
        # Rounding errors depend on the order of summation and must not choose among equal scores.
        return (torch.stack(scores, dim=1) / 1e-5).round().argmax(1)


class WrappedNetwork(nn.Module):
    """A steerable network with a moved vector as extra channels; made by :func:`wrap`."""

    def __init__(self, network: nn.Module, pe: SymPE[Tensor, Tensor], in_type: FieldType, out_type: FieldType) -> None:
        super().__init__()
        self.network, self.pe = network, pe
        self.in_type, self.out_type = in_type, out_type

    def forward(self, x: GeometricTensor, generator: torch.Generator | None = None) -> GeometricTensor:
        """The network's output for the input with the channels of the encoding.

        Raises:
            ValueError: If the input is not of type ``in_type``.
        """
        if x.type != self.in_type:
            raise ValueError(f"expected a GeometricTensor of type {self.in_type}; got {x.type}")
        moved = self.pe(x.tensor, generator)[:, :, None, None].expand(-1, -1, *x.tensor.shape[2:])
        return self.network(GeometricTensor(joined(x.tensor, moved, 1), self.out_type))


def joined_type(in_type: FieldType, representation: Any = None) -> FieldType:
    """The type that the network must take, input and encoding together; see :func:`wrap`."""
    gspace = in_type.gspace
    return in_type + FieldType(gspace, [gspace.regular_repr if representation is None else representation])


def wrap(network: nn.Module, in_type: FieldType, representation: Any = None) -> WrappedNetwork:
    """Join a steerable network and a symmetry-breaking encoding into one module, ``GeometricTensor`` in and out.

    Args:
        network: Called with a ``GeometricTensor`` of :func:`joined_type`.
        in_type: The type of the images without the encoding.
        representation: An escnn representation for the encoding; by default the regular one.

    Raises:
        ValueError: If the fiber group is infinite, or the network declares another type.
    """
    canonicalizer = FilterScore(in_type)
    action = canonicalizer.action
    representation = in_type.gspace.regular_repr if representation is None else representation
    expected, taken = joined_type(in_type, representation), getattr(network, "in_type", None)
    if taken is not None and taken != expected:
        raise ValueError(f"expected a network with in_type {expected}, input and encoding; got {taken}")
    matrices = torch.stack([torch.from_numpy(representation(element)) for element in action.elements])
    pe = SymPE(InversionKernel(canonicalizer), RepresentationEncoding(action.group, matrices))
    return WrappedNetwork(network, pe, in_type, expected)
