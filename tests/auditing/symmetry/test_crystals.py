"""The audit of crystals: the floor of vectors and scalars at sites, where it sits, and files with targets."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("ase")
pytest.importorskip("moyopy")

import ase.io
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

import sympe
from command_line import call
from crystal_laws import examples, symmetries
from sympe.actions import CrystalMotion, wigner_d
from sympe.auditing import CrystalSymmetry
from sympe.auditing.symmetry.crystals import shares
from sympe.canonicalize import CrystalFrames
from sympe.crystals import concatenate, from_ase, from_cells

EXAMPLES = examples()


@pytest.mark.parametrize("name", ["perovskite", "wurtzite", "2 x 2 x 2 cells", "slab", "tube", "quartz, chiral"])
def test_floor_against_brute_force(name: str, generator: torch.Generator) -> None:
    """The mean over symmetries that are found by brute force is the best prediction."""
    x = from_ase(EXAMPLES[name])
    images, matrices = symmetries(x)
    for irreps, width in (("1x1o", 3), ("1x0e+1x1e", 4)):
        y = torch.randn(x.num_points, width, generator=generator, dtype=torch.float64)
        moved = torch.einsum("kab,ib->kia", wigner_d(matrices, irreps), y)
        best = torch.empty_like(moved).scatter_(1, images[..., None].expand_as(moved), moved).mean(0)
        report = sympe.audit(x, target=y, options=sympe.auditing.Options(irreps=irreps))
        assert report.summary.irreducible_error == pytest.approx(float((y - best).square().sum(1).mean()), rel=1e-6)
        by_site, by_irrep = shares(x, y, irreps)
        for part in (by_site, by_irrep):
            assert sum(share.error for share in part) == pytest.approx(float((y - best).square().sum()), rel=1e-6)


def test_symmetric_targets_cost_nothing(generator: torch.Generator) -> None:
    """The mean of the draws of an equivariant law is symmetric."""
    x = from_ase(EXAMPLES["lead titanate, polar"])
    _, (permutation, matrix) = CrystalFrames().equally_likely(x)
    rows = torch.randn(5, 3, generator=generator, dtype=torch.float64)[permutation.rank.view(-1, 5)]
    report = sympe.audit(x, target=(rows @ matrix.transpose(1, 2)).mean(0))
    assert not report.needed
    assert report.summary.point_groups == {"P4mm": 1}


def test_irreps_that_the_error_is_in() -> None:
    """An off-center ion in a cube is T u; opposite moves of two like ions double the period."""
    x = from_cells([4.0 * torch.eye(3)], [[[0, 0, 0], [0.5] * 3]], [["Ba", "Ti"]])
    ((_, titanium), (irrep,)) = shares(x, torch.tensor([[0, 0, 0], [0, 0, 0.1]]))
    assert (irrep.place, irrep.sites) == ("Tu", 3)
    assert titanium.place == "Ti at b, site symmetry m-3m"
    iron = from_ase(bulk("Fe", cubic=True))
    _, (irrep,) = shares(iron, torch.tensor([[2.0], [-2.0]]), "1x0e")
    assert (irrep.place, irrep.sites) == ("A (1 0 0)", 1)
    with pytest.raises(ValueError, match=r"expected one crystal and values \[2, 3\]; got \[1, 3\]"):
        shares(x, torch.zeros(1, 3))


def test_audit_and_kernel_agree() -> None:
    many = concatenate([from_ase(atoms) for atoms in EXAMPLES.values()])
    orders = [row["stabilizer_order"] for row in sympe.audit(many).samples()]
    for x, order, name in zip((from_ase(a) for a in EXAMPLES.values()), orders, EXAMPLES, strict=True):
        _, (permutation, matrix) = CrystalFrames().equally_likely(x)
        rows = torch.cat([permutation.rank.view(len(matrix), -1), (matrix * 100).round().flatten(1)], dim=1)
        assert len(torch.unique(rows, dim=0)) == order, name
    assert CrystalMotion().group.contains(CrystalMotion(special=True).group)
    with pytest.raises(ValueError, match="tolerance must be positive"):
        CrystalSymmetry(tolerance=0)


def test_magnetic_audit_and_kernel_agree(generator: torch.Generator) -> None:
    """The error of moments is what is left of them after the mean over what the kernel may draw."""
    cells, sites = [2.87 * torch.eye(3)], [[[0, 0, 0], [0.5] * 3]]
    target = torch.randn(2, 3, generator=generator, dtype=torch.float64)
    for moments in ([[0, 0, 2.0], [0, 0, -2.0]], [[0, 0.3, 2], [0, 0.3, -2]], None):
        x = from_cells(cells, sites, [["Fe", "Fe"]], moments=None if moments is None else [moments])
        _, (permutation, matrix, flips) = CrystalFrames(time_reversal=True).equally_likely(x)
        # Moments in the canonical form of each draw, moved by every draw: the mean over the stabilizer.
        order = permutation.rank.view(-1, 2)
        sign = torch.linalg.det(matrix) * (1 - 2 * flips)
        seen = sign[:, None, None] * (target @ matrix)
        form = torch.empty_like(seen).scatter_(1, order[..., None].expand_as(seen), seen)[:1].expand_as(seen)
        moved = sign[:, None, None] * (form.gather(1, order[..., None].expand(-1, 2, 3)) @ matrix.mT)
        least = float((target - moved.mean(0)).square().sum(1).mean())
        symmetry = CrystalSymmetry(time_reversal=True, time_odd=True)
        report = sympe.audit(x, target=target, group=symmetry, options=sympe.auditing.Options(irreps="1x1e"))
        assert report.summary.irreducible_error == pytest.approx(least, rel=1e-5)
    assert least == pytest.approx(float(target.square().sum(1).mean()))  # without moments nothing tells up from down
    report = sympe.audit(x, target=torch.tensor([2.0, 2.0]), group=CrystalSymmetry(time_reversal=True, time_odd=True))
    assert report.summary.irreducible_error == pytest.approx(4)
    assert "time_reversal=True" in CrystalSymmetry(time_reversal=True).breaker


@pytest.mark.parametrize("name", ["fe.extxyz", "fe.traj"])
def test_files_with_targets(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    iron = bulk("Fe", cubic=True)
    iron.calc = SinglePointCalculator(iron, forces=np.array([[0, 0, 0.1], [0, 0, -0.1]]), magmoms=np.array([2.0, -2.0]))
    ase.io.write(name, [iron] * 3)
    for target, error in (("forces", 0.01), ("magmoms", 4.0)):
        assert sympe.audit(name, target=target).summary.irreducible_error == pytest.approx(error)
    shown = " ".join(call(capsys, "audit", name, "--target", "forces").out.split())
    assert "100 % at 2 sites of Fe at a, site symmetry m-3m" in shown
    assert "100 % in irrep T (1 0 0), of dimension 3" in shown
    (folder := Path("folder")).mkdir()
    ase.io.write(folder / "a.cif", bulk("Po", "sc", a=3.35))
    assert "looks like" in call(capsys, "audit", "folder", "--features", "8x0e+8x1o").out
    assert "expected 40 samples or more; got 1" in call(capsys, "audit", "folder", "--alignment").complaint
    ase.io.write(folder / "a.extxyz", [iron] * 2)
    (folder / "a.cif").unlink()
    assert "expected stress in the structures; they have" in call(capsys, "audit", name, "--target", "stress").complaint
    assert sympe.audit([(iron, iron.get_forces())]).needed
    data = pytest.importorskip("torch_geometric.data", reason="needs PyG")
    held = data.Data(pos=torch.tensor(iron.positions), z=torch.tensor(iron.numbers), cell=torch.tensor(iron.cell.array))
    held.forces = torch.tensor(iron.get_forces())
    torch.save([held], "fe.pt")
    for paths in (("folder",), ("fe.pt",), ("folder", "fe.pt")):
        shown = " ".join(call(capsys, "audit", *paths, "--group", "e3", "--target", "forces").out.split())
        assert "100 % in irrep T (1 0 0), of dimension 3" in shown


def test_moments_of_files(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    """Vectors of moments are axial; as input they tell sites apart; with time reversal nothing tells up from down."""
    monkeypatch.chdir(tmp_path)
    iron = bulk("Fe", cubic=True)
    iron.set_initial_magnetic_moments(None)
    iron.set_initial_magnetic_moments([[0, 0, 2.0], [0, 0, -2.0]])
    iron.info["spins"] = np.array([[0, 0, 1.0], [0, 0, 1.0]])
    ase.io.write("fe.traj", iron)
    for options, error in (
        (("--target", "magmoms"), 4.0),  # the fourfold axes turn it, and the translation exchanges the sites
        (("--target", "magmoms", "--moments"), 0.0),
        (("--target", "magmoms", "--moments", "--time-reversal"), 0.0),
        (("--target", "magmoms", "--time-reversal"), 4.0),
        (("--target", "spins", "--irreps", "1x1e", "--moments"), 1.0),  # a glide flips moments, but no spins
    ):
        found = json.loads(call(capsys, "audit", "fe.traj", *options, "--json").out)
        assert found["summary"]["irreducible_error"] == pytest.approx(error, abs=1e-6), options
    shown = call(capsys, "audit", "fe.traj", "--target", "magmoms").out
    assert "irrep T (1 0 0)" in shown
    Path("water.xyz").write_text("3\n\nO 0 0 0.12\nH 0 0.76 -0.48\nH 0 -0.76 -0.48\n")
    assert "expected crystals with magnetic moments" in call(capsys, "audit", "water.xyz", "--moments").complaint
    assert "is for crystals; got the group o3" in call(
        capsys, "audit", "water.xyz", "--time-reversal", "--group", "o3").complaint  # fmt: skip


def test_what_features_see_of_files(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    ase.io.write("fe.cif", bulk("Fe", cubic=True))
    Path("water.xyz").write_text("3\n\nO 0 0 0.12\nH 0 0.76 -0.48\nH 0 -0.76 -0.48\n")
    shown = " ".join(call(capsys, "audit", "fe.cif", "water.xyz", "--features", "8x0e+8x1o").out.split())
    assert "2 Fe, site symmetry Oh: looks like Kh; needs l up to 4" in shown
    assert "1 O, site symmetry C2v: looks like Cinfv; needs l up to 2" in shown
    assert "2 H, site symmetry Cs: told apart" in shown
    assert "in 2 of 2 structures" in shown
    assert "irreps must read like" in call(capsys, "audit", "fe.cif", "--features", "x").complaint
    assert "expected 40 samples or more; got 1" in call(capsys, "audit", "fe.cif", "--alignment").complaint


def test_alignment_of_fields(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).normal(size=(120, 6, 6))
    np.savez("noise.npz", fields=noise)
    np.savez("ramp.npz", fields=noise + np.arange(6))
    np.savez("small.npz", fields=noise[:, :4, :4])
    assert call(capsys, "audit", "noise.npz", "--alignment").out.startswith("no evidence of alignment")
    found = json.loads(call(capsys, "audit", "ramp.npz", "--group", "torus", "--alignment", "--json").out)
    assert found["p_value"] < 1e-6
    assert found["samples"] == 120
    assert "fields of one shape" in call(capsys, "audit", "ramp.npz", "small.npz", "--alignment").complaint
