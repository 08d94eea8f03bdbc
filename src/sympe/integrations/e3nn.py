r"""e3nn: symmetry breaking for networks that are equivariant under O(3).

An e3nn network takes a mapping with positions ``pos``, features ``x`` in irreps, and ``batch``. :func:`wrap` draws
:math:`\tilde g v` for each cloud and joins it to the features of each of its points:

    pe = sympe.SymPE(sympe.InversionKernel(Frames()), IrrepsEncoding("2x1o+2x2e"))
    network = SimpleNetwork(irreps_in=joined_irreps("1x0e", pe), irreps_out="1x1o", ...)
    model = wrap(network, pe, "1x0e")
    y = model({"pos": pos, "x": x, "batch": batch}, generator=rng)

Crystals have a ``cell`` besides, and an encoding for crystals, such as ``SymPE(InversionKernel(CrystalFrames()),
SiteIrrepsEncoding("2x0e+2x1o", max_sites=64))``, with a row for each site. Whatever else the mapping holds, such as
periodic edges (:func:`sympe.crystals.edges`), goes to the network as it is.
"""

import inspect
from collections.abc import Mapping, Sequence
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

from sympe.actions import CrystalMotion, Irreps
from sympe.breaking.base import joined
from sympe.crystals import as_crystals
from sympe.points import PointClouds

try:
    # e3nn 0.4.4, which MACE asks for, loads slices with its constants.
    with torch.serialization.safe_globals([slice]):
        from e3nn import o3
except (ImportError, UnpicklingError) as error:
    raise ImportError("sympe.integrations.e3nn needs e3nn 0.4.4 or newer: pip install 'sympe[e3nn]'") from error

#: What a wrapped network reads of its data.
_NAMES = ("pos", "x", "z", "batch", "cell", "pbc")


class WrappedNetwork(nn.Module):
    """An e3nn network with a symmetry-breaking vector added to the features of its points; made by :func:`wrap`."""

    def __init__(
        self,
        network: nn.Module,
        encoding: nn.Module,
        irreps_x: Irreps,
        names: Mapping[str, str],
        arguments: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        self.names, self.arguments = dict(names), arguments
        self.network = network
        self.encoding = encoding
        self.irreps_x = irreps_x

    def forward(self, data: Mapping[str, Tensor], generator: torch.Generator | None = None, **kwargs: Any) -> Any:
        """``network({**data, "x": [x, encoding]}, **kwargs)``, with the names that :func:`wrap` was given.

        The draw depends only on positions and, if given, the integer species ``z``, and for crystals on ``cell`` and
        ``pbc``; its law stays equivariant.

        Raises:
            ValueError: If a name is missing, positions, features, ``batch`` and ``z`` do not fit together, or there is
                a ``cell`` and the encoding is for molecules: the symmetries of a crystal are a space group.
        """
        for name in ("pos", "x"):
            if self.names[name] not in data:
                raise ValueError(f"expected data with {self.names[name]!r}; got {', '.join(data)}: see names in wrap")
        pos, x = data[self.names["pos"]], data[self.names["x"]]
        cell = data.get(self.names["cell"])
        is_crystal = isinstance(getattr(self.encoding, "action", None), CrystalMotion)
        if cell is not None and bool((cell != 0).any()) and not is_crystal:
            raise ValueError("expected molecules; the data have a cell: break symmetry with CrystalFrames")
        if x.dim() != 2 or x.shape[1] != self.irreps_x.dim:
            raise ValueError(
                f"expected features of irreps {self.irreps_x}, shape [N, {self.irreps_x.dim}]; got {list(x.shape)}"
            )
        batch = data.get(self.names["batch"])
        batch = torch.zeros(len(pos), dtype=torch.long, device=pos.device) if batch is None else batch
        held = {name: data.get(self.names[name]) for name in _NAMES} | {"batch": batch}
        inputs = as_crystals(held) if is_crystal else PointClouds(pos, batch, held["z"])
        moved = self.encoding(inputs, generator)
        # One row per site, or one for each cloud as a whole.
        moved = moved if len(moved) == len(pos) else moved[batch]
        shown = {**data, self.names["batch"]: batch, self.names["x"]: joined(x, moved, 1)}
        if self.arguments is None:
            return self.network(shown, **kwargs)
        if missing := [name for name in self.arguments if name not in shown]:
            raise ValueError(f"expected data with {', '.join(self.arguments)}; got none of {', '.join(missing)}")
        return self.network(*(shown[name] for name in self.arguments), **kwargs)


def wrap(
    network: nn.Module,
    encoding: nn.Module,
    irreps_x: Any,
    names: Mapping[str, str] | None = None,
    arguments: Sequence[str] | None = None,
) -> WrappedNetwork:
    """Join an e3nn network and a symmetry-breaking encoding into one module.

    Args:
        network: Called with a mapping that holds ``pos``, ``x`` and ``batch``, like those in ``e3nn.nn.models``.
        encoding: :class:`~sympe.SymPE` with an :class:`~sympe.encoding.IrrepsEncoding`, or anything that
            :func:`sympe.breaking.for_points` returns.
        irreps_x: Irreps of the features ``x`` without the encoding.
        names: What the network calls ``pos``, ``x``, ``z``, ``batch``, ``cell`` and ``pbc``, where it differs: MACE,
            for instance, ``{"pos": "positions", "x": "node_attrs"}``.
        arguments: For a network that is called by position: which entries of the data it takes, in order, such as
            ``("x", "pos", "batch")``. By default it takes the mapping.

    Raises:
        ValueError: If the network declares other irreps, the encoding has none, a name is none of these, or the
            signature of the network does not fit.
    """
    names = {} if names is None else names
    if unknown := sorted(set(names) - set(_NAMES)):
        raise ValueError(f"expected names for {', '.join(_NAMES)}; got {', '.join(unknown)}")
    expected = joined_irreps(irreps_x, encoding)
    taken = getattr(network, "irreps_in", None)
    if taken is not None and o3.Irreps(taken).simplify() != expected.simplify():
        raise ValueError(f"expected a network with irreps_in {expected}, features and encoding; got {taken}")
    signature, taken = inspect.signature(network.forward), 1 if arguments is None else len(arguments)
    try:
        signature.bind(*range(taken))
    except TypeError as error:
        what = "a mapping" if arguments is None else ", ".join(arguments)
        raise ValueError(
            f"expected a network that is called with {what}; its forward takes {signature}: name what it takes by "
            f"position as arguments, such as ('x', 'pos', 'batch')"
        ) from error
    names = {name: name for name in _NAMES} | dict(names)
    return WrappedNetwork(network, encoding, Irreps.parse(irreps_x), names, arguments)


def joined_irreps(irreps_x: Any, encoding: nn.Module) -> Any:
    """The irreps that the network must take, features and encoding together, as an ``e3nn.o3.Irreps``.

    Raises:
        ValueError: If the encoding has no irreps, or ``irreps_x`` cannot be read.
    """
    return o3.Irreps(str(Irreps.parse(irreps_x) + _irreps_of(encoding)))


def _irreps_of(encoding: Any) -> Irreps:
    if getattr(encoding, "dim", None) == 0:
        return Irreps(())
    held = encoding
    while not isinstance(getattr(held, "irreps", None), Irreps):
        held = getattr(held, "encoding", None)
        if held is None:
            raise ValueError(f"expected an encoding in irreps of O(3); got {type(encoding).__name__}")
    irreps: Irreps = held.irreps
    return irreps
