"""What features in irreps cannot see, against a search through all of O(3)."""

import pytest
import torch

from sympe.actions import Irreps, wigner_d
from sympe.auditing.architecture import POINT_GROUPS, invariants, view, views_of_sites
from sympe.groups import point_group
from sympe.groups.orthogonal import rotation_of_quaternion
from sympe.points import from_clouds, stabilizers

SETTINGS = {
    "L = 1": "0e+1o", "L = 2": "0e+1o+2e", "both parities": "0e+0o+1e+1o", "L = 3": "0e+1o+2e+3o",
    "both parities, L = 2": "0e+0o+1e+1o+2e+2o",
}  # fmt: skip
#: Networks that know rotations only; l up to 6 takes a minute and is in benchmarks/crystals.py.
ROTATIONS = {"L = 4": "0e+1e+2e+3e+4e", "L = 6": "0e+1e+2e+3e+4e+5e+6e"}
AXIAL = [f"{letter}{n}{suffix}" for n in (5, 7, 8) for letter, suffix in (("C", ""), ("C", "v"), ("D", "h"))] + ["S12"]
ORDER = {"Cinf": 1, "Cinfv": 2, "Cinfh": 2, "Dinf": 2, "Dinfh": 4, "K": 1, "Kh": 2}


def fixing(site: str, irreps: str, starts: int = 500, special: bool = False) -> tuple[int, int]:
    """The dimension of the group that fixes all invariant vectors of a site, and how many components or elements.

    A Newton search from many rotations and their negatives finds the elements that fix an orthonormal basis of them.
    """
    matrices = point_group(view(site, "0e", special).site).matrices
    mean = wigner_d(matrices, irreps).mean(0)
    values, vectors = torch.linalg.eigh((mean + mean.T) / 2)
    basis = vectors[:, values > 0.5]
    small = torch.eye(3, dtype=torch.float64)
    step = 1e-5
    rows = torch.linalg.cross(small[:, None].expand(3, 3, 3), small.expand(3, 3, 3), dim=2)
    turns = torch.matrix_exp(step * rows.transpose(1, 2))
    along = torch.stack([(wigner_d(t, irreps) @ basis - basis).flatten() / step for t in turns])
    dimension = 3 - int((torch.linalg.svdvals(along) > 1e-3).sum()) if basis.numel() else 3
    q = torch.randn(starts, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    g = rotation_of_quaternion(q / q.norm(dim=1, keepdim=True))
    g = g if special else torch.cat([g, -g])
    for _ in range(25):
        value = (wigner_d(g, irreps) @ basis - basis).flatten(1)
        slopes = torch.stack([(wigner_d(t @ g, irreps) @ basis - basis).flatten(1) - value for t in turns], 2) / step
        damped = slopes.transpose(1, 2) @ slopes + 1e-9 * torch.eye(3)
        move = -torch.linalg.solve(damped, slopes.transpose(1, 2) @ value[:, :, None])[:, :, 0]
        move = move * (0.7 / move.norm(dim=1, keepdim=True).clamp(min=0.7))
        axes = torch.zeros(len(g), 3, 3, dtype=torch.float64)
        axes[:, [2, 0, 1], [1, 2, 0]] = move
        g = torch.matrix_exp(axes - axes.transpose(1, 2)) @ g
    found = g[(wigner_d(g, irreps) @ basis - basis).flatten(1).norm(dim=1) < 1e-6] if basis.numel() else g
    if dimension == 3:
        return 3, len({int(d) for d in torch.linalg.det(found).round()})
    if dimension == 1:  # components: signs of the determinant, and of the axis that the circle turns about
        _, _, right = torch.linalg.svd(along.T)
        axis = right[-1]
        return 1, len({(int(d), bool(a > 0)) for d, a in zip(torch.linalg.det(found).round(), found @ axis @ axis,
                                                             strict=True)})  # fmt: skip
    distinct: list[torch.Tensor] = []
    for one in found:
        if all((one - other).norm() > 1e-2 for other in distinct):
            distinct.append(one)
    return 0, len(distinct)


def described(name: str) -> tuple[int, int]:
    if name in ORDER:
        return (3 if name in ("K", "Kh") else 1), ORDER[name]
    return 0, point_group(name).order


@pytest.mark.parametrize("irreps", SETTINGS.values(), ids=SETTINGS)
def test_against_a_search(irreps: str) -> None:
    """Every tenth group here; all of them with all settings in benchmarks/crystals.py."""
    place = list(SETTINGS.values()).index(irreps)
    for site in (*POINT_GROUPS, *AXIAL)[place::10]:
        found = view(site, irreps).looks_like
        assert fixing(site, irreps) == described(found), (site, irreps, found)


def test_rotations_against_a_search() -> None:
    for site in ("C4v", "D3", "Td", "Oh", "C5v"):
        found = view(site, ROTATIONS["L = 4"], special=True).looks_like
        assert fixing(site, ROTATIONS["L = 4"], 150, special=True) == described(found), (site, found)


def test_the_search_tells_groups_apart() -> None:
    assert fixing("D3", "0e+1o+2e+3o+4e") == (0, 6)
    assert fixing("Td", "0e+1o+2e") == (3, 2)
    assert fixing("C4v", "0e+1o") == (1, 2)


def test_known_cases() -> None:
    assert view("Td", "128x0e+128x1o").looks_like == "Kh"
    assert view("C3v", "128x0e+128x1o").looks_like == "Cinfv"
    assert view("Oh", "0e+1o+2e+3o").least_degree == 4
    assert view("O", "0e+1e+2e+3e+4e", special=True).is_faithful
    assert view("D4h", "0e", special=True).site == "D4"
    assert view("C1v", "0e").site == "Cs"
    assert view("Ci", "0x1o+0e").looks_like == "Kh"


def test_invariants_agree_with_projections() -> None:
    for name in ("C3h", "D2d", "Th", "S6"):
        for degree, parity in ((3, -1), (4, 1), (5, 1), (2, -1)):
            irreps = Irreps(((1, degree, parity),))
            traces = wigner_d(point_group(name).matrices, irreps).diagonal(dim1=1, dim2=2).sum(1)
            assert invariants(name, degree, parity) == round(float(traces.mean()))


def test_sites_of_a_molecule() -> None:
    methane = [[0, 0, 0], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]
    (group,) = stabilizers(from_clouds([methane], species=[[6, 1, 1, 1, 1]]))
    views = views_of_sites(group, "8x0e+8x1o")
    assert [(v.site, v.looks_like) for v in views[:2]] == [("Td", "Kh"), ("C3v", "Cinfv")]
    with pytest.raises(ValueError, match="expected finite symmetries; got Dinfh"):
        views_of_sites(stabilizers(from_clouds([[[0.0, 0, 1], [0.0, 0, -1]]]))[0], "0e")
    with pytest.raises(ValueError, match="expected the name of a finite point group"):
        view("X", "0e")
