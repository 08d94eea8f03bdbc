r"""Which irreps a network carries at its nodes, layer by layer, and which site symmetries they cannot tell.

Layers of e3nn, and of MACE and NequIP, which are built of them, declare ``irreps_out``. Forward hooks find those whose
output has one row per node; layers on edges and readouts of whole graphs have another number of rows. What a layer
cannot see, nothing that reads this layer alone can.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from torch import Tensor, nn

from sympe.actions.irreps import Irreps
from sympe.auditing.architecture import POINT_GROUPS, View, view

#: Crystallographic point groups, and axial groups beyond them.
SITES = (*POINT_GROUPS, *(f"{c}{n}{s}" for n in (5, 7, 8) for c, s in (("C", ""), ("C", "v"), ("D", ""), ("D", "h"))))

#: Features of nodes in published settings, and whether the network knows rotations only.
PUBLISHED: dict[str, tuple[str, bool]] = {
    # V. G. Satorras, E. Hoogeboom, M. Welling, 2021. Its coordinates are one vector besides.
    "EGNN": ("0e", False),
    # K. T. Schuett, O. T. Unke, M. Gastegger, 2021.
    "PaiNN": ("0e+1o", False),
    # I. Batatia et al., 2022, and the sizes of MACE-MP-0, 2023.
    "MACE L = 0": ("0e", False),
    "MACE L = 1": ("0e+1o", False),
    "MACE L = 2": ("0e+1o+2e", False),
    # S. Batzner et al., 2022: features of both parities.
    "NequIP l = 2": ("0e+0o+1e+1o+2e+2o", False),
    # Y.-L. Liao et al., 2024; lmax_list in oc20/configs of atomicarchitects/equiformer_v2 and in configs/s2ef of
    # FAIR-Chem/fairchem: 4 with 31M parameters, 6 with 83M and 153M. Rotations only (issue 15 of the former).
    "EquiformerV2 l = 4": ("0e+1e+2e+3e+4e", True),
    "EquiformerV2 l = 6": ("0e+1e+2e+3e+4e+5e+6e", True),
}


@dataclass(frozen=True)
class Architecture:
    """What the features of each layer see.

    Attributes:
        layers: Irreps of the features of nodes by the name of the layer, in the order of their first calls.
        views: For each layer how it sees a site of each symmetry: the 32 point groups, and axial ones beyond.
    """

    layers: dict[str, Irreps]
    views: dict[str, list[View]]

    def blind(self, layer: str) -> list[View]:
        """The sites that look more symmetric to a layer than they are."""
        return [v for v in self.views[layer] if not v.is_faithful]

    def __str__(self) -> str:
        lines = []
        for name, irreps in self.layers.items():
            blind = self.blind(name)
            lines.append(f"{name}: {irreps}")
            seen = len(self.views[name]) - len(blind)
            lines.append(f"  tells {seen} of {len(self.views[name])} kinds of sites from more symmetric ones")
            taken: dict[str, list[str]] = {}
            for v in blind:
                taken.setdefault(v.looks_like, []).append(v.site)
            lines += [f"  takes for {other}: {', '.join(sites)}" for other, sites in taken.items()]
        return "\n".join(lines)


def audit_architecture(
    network: Any,
    *inputs: Any,
    nodes: int | None = None,
    attribute: str | None = None,
    special: bool = False,
) -> Architecture:
    """Find out which symmetries of sites a network's features cannot tell from higher ones.

    Args:
        network: A module of e3nn layers; irreps, such as ``"128x0e+128x1o"``; or the name of a published setting, in
            :data:`PUBLISHED`.
        *inputs: What to call a module with: one example, from which the layers with one row per node are found.
        nodes: Number of nodes of the example; by default that of its ``pos`` or ``positions``.
        attribute: Read the irreps from this attribute of the module instead, such as ``"irreps_hidden"``.
        special: The network is equivariant under rotations only.

    Raises:
        ValueError: If no layer declares irreps, or it is not known how many nodes there are.

    Example:
        >>> found = audit_architecture("MACE L = 1")
        >>> [v.site for v in found.views["MACE L = 1"] if v.is_faithful]
        ['C1', 'Cs']
    """
    if isinstance(network, str) and network in PUBLISHED:
        irreps, special = PUBLISHED[network]
        layers = {network: Irreps.parse(irreps)}
    elif not isinstance(network, nn.Module):
        layers = {"features": Irreps.parse(network)}
    elif attribute is not None:
        layers = {attribute: Irreps.parse(attrgetter(attribute)(network))}
    else:
        layers = _layers_on_nodes(network, inputs, _count(inputs) if nodes is None else nodes)
    sites = dict.fromkeys(view(site, "0e", special).site for site in SITES)
    return Architecture(
        layers, {name: [view(site, irreps, special) for site in sites] for name, irreps in layers.items()}
    )


def _layers_on_nodes(network: nn.Module, inputs: tuple[Any, ...], nodes: int) -> dict[str, Irreps]:
    found: dict[str, Irreps] = {}
    hooks = []
    for name, module in network.named_modules():
        declared = getattr(module, "irreps_out", None)
        declared = declared.get("node_features") if isinstance(declared, Mapping) else declared
        if declared is not None and (irreps := Irreps.parse(declared)).dim:

            def note(_: nn.Module, __: Any, y: Any, name: str = name or "network", irreps: Irreps = irreps) -> None:
                y = y.get("node_features") if isinstance(y, Mapping) else y
                if isinstance(y, Tensor) and y.shape == (nodes, irreps.dim):
                    found.setdefault(name, irreps)

            hooks.append(module.register_forward_hook(note))
    try:
        network(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    if not found:
        raise ValueError(
            f"expected layers that declare irreps_out, with a row for each of {nodes} nodes; {type(network).__name__} "
            f"has none: name an attribute, or pass the irreps"
        )
    return found


def _count(inputs: tuple[Any, ...]) -> int:
    for given in inputs:
        for name in ("pos", "positions", "position"):
            held = given.get(name) if isinstance(given, Mapping) else getattr(given, name, None)
            if isinstance(held, Tensor):
                return len(held)
    raise ValueError("expected an example that the network can be called with, and its number of nodes")
