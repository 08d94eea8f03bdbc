"""Crystals from ASE, pymatgen, mappings and files; what is refused, in one line."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

pytest.importorskip("ase")

import ase.io
from ase import Atoms
from ase.build import bulk, molecule

from sympe import audit, points
from sympe.canonicalize import CrystalFrames
from sympe.crystals import as_crystals, concatenate, edges, from_ase, from_cells, from_pymatgen, read, stabilizers
from sympe.points.elements import kind_of_atom

SALT = bulk("NaCl", "rocksalt", a=5.64)
EYE = 3.0 * torch.eye(3, dtype=torch.float64)
CIF = """data_x
_cell_length_a 4
_cell_length_b 4
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
"""


@pytest.mark.parametrize("name", ["salt.cif", "POSCAR", "salt.vasp.gz", "salt.extxyz", "salt.traj", "salt.db"])
def test_files(name: str, tmp_path: Path) -> None:
    kind = {"salt.vasp.gz": "vasp", "POSCAR": "vasp"}.get(name)
    ase.io.write(tmp_path / name, SALT, format=kind)
    (group,) = stabilizers(read(tmp_path / name))
    assert (group.name, group.order) == ("Fm-3m", 48 * len(read(tmp_path / name).species) // 2)


def test_conversions_agree() -> None:
    x = from_ase(SALT)
    data = {"pos": torch.tensor(SALT.positions), "z": torch.tensor(SALT.numbers), "cell": torch.tensor(SALT.cell.array)}
    lattice = SimpleNamespace(matrix=SALT.cell.array, pbc=(True,) * 3)
    for other in (data, SimpleNamespace(**data), [SALT], SALT, x):
        found = as_crystals(other)
        assert torch.allclose(found.fractional, x.fractional)
        assert found.species.tolist() == [11, 17]

    class Structure(list):
        is_ordered, formula, frac_coords, cart_coords = True, "Na1 Cl1", SALT.get_scaled_positions(), SALT.positions

    structure = Structure(
        [SimpleNamespace(specie=SimpleNamespace(Z=z), properties={}, frac_coords=()) for z in (11, 17)]
    )
    structure.lattice = lattice
    step = as_crystals(structure).fractional - x.fractional
    assert torch.allclose(step, step.round(), atol=1e-9)
    with pytest.raises(ValueError, match="expected a magnetic moment at every site; got none at"):
        from_pymatgen(structure, moments=True)
    structure[0].properties["magmom"], structure[1].specie.spin = [0, 1, 2], -3
    assert from_pymatgen(structure, moments=True).moment.tolist() == [[0, 1, 2], [0, 0, -3]]
    structure[0].properties["magmom"] = SimpleNamespace(get_moment=lambda: [3.0, 0, 0])
    assert from_pymatgen(structure, moments=True).moment[0].tolist() == [3, 0, 0]
    structure[1].specie.Z = 11
    structure[0].specie.oxi_state, structure[1].specie.oxi_state = 1, None
    assert from_pymatgen(structure).species.tolist() == [kind_of_atom(11, 1), 11]
    structure[1].specie.oxi_state = 1.0
    assert from_pymatgen(structure).species.tolist() == [11, 11]
    structure[1].specie = SimpleNamespace(Z=1, symbol="D")
    assert from_pymatgen(structure).species.tolist() == [11, kind_of_atom(1, isotope=2)]
    structure[1].specie.Z = 200
    with pytest.raises(ValueError, match=r"expected an element at every site; got .* at site 1"):
        from_pymatgen(structure)
    structure.is_ordered = False
    with pytest.raises(ValueError, match="partial occupancies or mixed species in Na1 Cl1"):
        from_pymatgen(structure)


def test_fields_of_any_name_and_kind() -> None:
    """What clouds take for positions and species, crystals take too; sodium and chlorine are never alike."""
    data = pytest.importorskip("torch_geometric.data", reason="needs PyG")
    pos, cell = [[0.0, 0, 0], [2, 2, 2]], [4.0, 4, 4]
    for name in ("z", "species", "numbers", "atomic_numbers"):
        for kinds in ([11, 17], ["Na", "Cl"], np.array(["Na", "Cl"]), np.array([11, 17], np.uint8)):
            for box in (cell, np.diag(cell), np.diag(cell)[None]):
                found = as_crystals({"positions": pos, "cell": box, name: kinds, "pbc": True})
                assert [one.name for one in stabilizers(found)] == ["Pm-3m"]
        held = data.Data(pos=torch.tensor(pos), cell=torch.tensor(cell), pbc=True, **{name: torch.tensor([11, 17])})
        for given in (held, [held], data.Batch.from_data_list([held] * 3)):
            assert {group.name for group in stabilizers(as_crystals(given))} == {"Pm-3m"}
        assert [row["stabilizer_order"] for row in audit([held, held]).samples()] == [48, 48]
    slab = {"pos": np.array(pos), "cell": [4.0, 4, 0], "pbc": [True, True, False]}
    assert as_crystals(slab).cell[0].abs().tolist() == np.diag([4.0, 4, 1]).tolist()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("cell", [4.0] * 6, r"expected a cell of 3 vectors or 3 lengths for each of 1 crystals; got \[6\]"),
        ("cell", "cubic", "cell must hold numbers of at most 64 bits"),
        ("pbc", [True, False], r"expected pbc as 1 or 3 booleans for each of 1 crystals, or 1 for all; got \[2\]"),
        ("pbc", "T T F", "pbc must hold numbers of at most 64 bits"),
        ("z", ["Na"], r"species must have shape \[2\]; got \[1\]"),
        ("pos", [[0, 0, 0], [2, 2, 2]], "position must hold floating-point numbers; got torch.int64"),
        ("batch", [0, 1], "for each of 2 crystals; got"),
    ],
)
def test_fields_that_do_not_fit(name: str, value: object, message: str) -> None:
    held = {"pos": [[0.0, 0, 0], [2, 2, 2]], "cell": 4 * np.eye(3), name: value}
    with pytest.raises(ValueError, match=message):
        as_crystals(held)


def test_batches() -> None:
    slab = Atoms("CO", [[0, 0, 0], [0, 0, 1.1]], cell=[3, 3, 0], pbc=(True, True, False))
    both = concatenate([from_ase(SALT), from_ase(slab)])
    assert torch.allclose(both.cell[1, 2].abs(), torch.tensor([0.0, 0.0, 1.0]).double())
    assert both.select([1, 0, 1]).species.tolist() == [6, 8, 11, 17, 6, 8]
    assert both.to(dtype=torch.float32).cell.dtype == torch.float32
    magnetic = bulk("Fe")
    magnetic.set_initial_magnetic_moments([2.2])
    assert from_ase(magnetic, moments=True).moment.tolist() == [[0, 0, 2.2]]
    with pytest.raises(ValueError, match="expected vectors of one kind on all crystals"):
        concatenate([both, from_ase(magnetic, moments=True)])
    with pytest.raises(ValueError, match=r"moment must have shape \[1, 3\]; got \[2, 3\]"):
        from_cells([EYE], [[[0, 0, 0]]], [["Fe"]], moments=[[[0, 0, 1], [0, 0, 1]]])


def test_edges_cross_the_cell() -> None:
    """Six neighbors in rock salt, in opposite pairs, in any cell; a slab has none across the vacuum."""
    x = concatenate([from_ase(SALT), from_ase(bulk("NaCl", "rocksalt", a=5.64, cubic=True))])
    (source, target), vector = edges(x, 3.0)
    assert torch.bincount(source).tolist() == [6] * 10
    assert (x.batch[source] == x.batch[target]).all()
    assert torch.allclose(vector.norm(dim=1), torch.tensor(2.82).double())
    assert vector.sum(0).abs().max() < 1e-9
    flat = from_cells([EYE], [[[0, 0, 0]]], [["Po"]], pbc=[[True, True, False]])
    assert edges(flat, 3.1)[0].shape == (2, 4)


@pytest.mark.parametrize(
    ("cell", "fractional", "species", "message"),
    [
        ([[3, 0, 0], [0, 3, 0], [3, 3, 0]], [[0, 0, 0]], ["H"], "of full rank, and finite; crystal 0 has cell"),
        (EYE, [[0, 0, 0], [1, 0, 0.999]], ["H", "O"], "sites 0 and 1 of crystal 0 are 0.003 angstrom apart"),
        (0.01 * EYE, [[0, 0, 0]], ["H"], "lattice vectors of at least 0.1 angstrom; crystal 0 has 0.03"),
        (EYE, [[0, 0, np.nan]], ["H"], "positions must be finite"),
        (EYE, [[0, 0, 0]], ["Q"], "expected the symbol of an element"),
        (EYE, [[0, 0, 0]], ["H", "O"], "expected species for"),
    ],
)
def test_bad_crystals(cell: object, fractional: object, species: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_cells([cell], [fractional], [species])


def test_bad_structures_and_files(tmp_path: Path) -> None:
    for bad, message in (
        (molecule("H2O"), "this one is a molecule"),
        (Atoms("X", cell=[3, 3, 3], pbc=True), "expected an element at every site; got X at site 0"),
        (Atoms("H", cell=[3, 3, 0], pbc=True), "of full rank, and finite"),
        (Atoms("H", cell=[2e4, 3, 3], pbc=True), "with cell vectors of at most 10,000 angstrom"),
    ):
        with pytest.raises(ValueError, match=message):
            from_ase(bad)
    for rows, message in (
        ("A Na 0 0 0 0.5", "got a site with Na 0.5"),
        ("A Na 0 0 0 0.5\nB K 0 0 0 0.5", "got a site with Na 0.5, K 0.5"),
        ("A Na 0 0 0 1\nB Na 0.001 0 0 1", "sites 0 and 1 of crystal 0 are 0.004 angstrom apart"),
        ("A Na 0 0", "cannot be read as cif"),
        ("A Na 0 0 ? 1", r"expected numbers in _atom_site_fract_z; got '\?'"),
    ):
        path = tmp_path / "x.cif"
        path.write_text(CIF + rows + "\n")
        with pytest.raises(ValueError, match=rf"x\.cif: .*{message}"):
            read(path)
    path.write_text("NaCl\n")
    with pytest.raises(ValueError, match="expected a CIF to begin with data_ and a name; got 'NaCl'"):
        read(path)
    path.write_bytes(b"\xef\xbb\xbf" + CIF.encode() + b"A Na 0 0 0 1\n")
    assert read(path).species.tolist() == [11]
    with pytest.raises(ValueError, match=r"expected CIF, POSCAR, .* got \.txt"):
        read(tmp_path / "x.txt")
    with pytest.raises(ValueError, match=r"x\.mcif: magnetic CIF is not read, .* moments=True"):
        read(tmp_path / "x.mcif")
    with pytest.raises(ValueError, match=r"expected sympe\.crystals\.Crystals; got int"):
        as_crystals(3)


@pytest.mark.parametrize("suffix", ["traj", "db"])
def test_molecules_and_damage_in_files_of_ase(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{suffix}"
    ase.io.write(path, [molecule("H2O")])
    for take in (read, audit):
        with pytest.raises(ValueError, match="this one is a molecule"):
            take(path)
    with pytest.raises(ValueError, match=rf"x\.{suffix}: \.{suffix} is read for crystals, .* as \.extxyz"):
        audit(path, group="o3")
    path.write_bytes(b"nothing of this kind")
    with pytest.raises(ValueError, match=rf"x\.{suffix}: cannot be read as {suffix}: "):
        audit(path)
    packed = path.rename(tmp_path / f"x.{suffix}.gz")
    for take in (read, audit):
        with pytest.raises(ValueError, match="not compressed; got .gz" if suffix == "db" else "Not a gzipped file"):
            take(packed)


@pytest.mark.parametrize(
    ("group", "rows", "message"),
    [
        (
            "P 1",
            "Fe1 Fe 0 0 0\nNi1 Ni 0 0 0\nO1 O .5 .5 .5",
            "one atom per site; Ni1 is where Fe1 is: remove one of them|a site with Fe 1, Ni 1",
        ),
        ("P 1", "Fe1 Fe 0 0 0\nFe2 Fe 0 0 0.0001", "one atom per site; Fe2 is where Fe1 is"),
        ("P 1", "Fe1 Fe2+ 0 0 0\nFe2 Fe3+ 0 0 0.0001", "one atom per site; Fe2 is where Fe1 is"),
        ("I m -3 m", "Fe1 Fe 0 0 0\nNi1 Ni .5 .5 .5", "one atom per site; Ni1 is where Fe1 is|a site with Fe 1, Ni 1"),
        ("I m -3 m", "D1 D 0 0 0\nH1 H .5 .5 .5", "one atom per site; H1 is where D1 is"),
        ("P 1", "Fe1 Fe 0 0 0\nO1 O .5 .5 .5 1", "a row of atoms, one row to a line; got .'O1'"),
        ("P 1", "Fe1 Fe 0 0 0 O1 O .5 .5 .5\nNi1 Ni 0 .5 .5", "a row of atoms"),
        ("P 1", "Fe1 Fe 0 0\nO1 O .5 .5 .5\nNi1 Ni 0 .5 .5", "a row of atoms"),
        ("I m -3 m", "Fe1 Fe 0 0 0\nFe2 Fe .5 .5 .5", None),
        ("F m -3 m", "Fe1 Fe 0 0 0\nFe2 Fe 1 0 0\nFe3 Fe 1 1 1", None),
        ("F m -3 m", "Fe1 Fe 0 0 0\nFe2 Fe .5 .5 0\nFe3 Fe .5 0 -.5\nO1 O .5 .5 .5", None),
    ],
)
def test_rows_of_cif_that_ase_drops(group: str, rows: str, message: str | None, tmp_path: Path) -> None:
    """An atom in the place of another is never lost; symmetric copies that are listed besides are no loss."""
    for occupancy in ("", " 1"):
        head = CIF if occupancy else CIF.replace("_atom_site_occupancy\n", "")
        text = "".join(f"{row}{occupancy}\n" for row in rows.split("\n"))
        (path := tmp_path / "x.cif").write_text(head.replace("P 1", group) + text)
        if message is None:
            assert [one.name for one in stabilizers(read(path))] == ["".join(group.split())]
        else:
            with pytest.raises(ValueError, match=rf"x\.cif: .*expected .*({message})"):
                read(path)


def test_a_cell_that_may_be_one_or_three() -> None:
    held = {"pos": torch.zeros(3, 3), "batch": torch.arange(3), "cell": 4 * torch.eye(3)}
    with pytest.raises(
        ValueError, match=r"expected cells of shape \[3, 3, 3\] for 3 crystals, or 9 lengths; got \[3, 3\]"
    ):
        as_crystals(held)
    assert torch.equal(as_crystals(held | {"cell": [4.0, 4, 4] * 3}).cell, held["cell"].expand(3, 3, 3))


def test_a_byte_order_mark_before_extended_xyz(tmp_path: Path) -> None:
    ase.io.write(path := tmp_path / "x.extxyz", [SALT] * 2)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert [one.name for one in stabilizers(read(path))] == ["Fm-3m"] * 2
    assert audit(path).summary.symmetric == 2


def test_occupancies_are_numbers(tmp_path: Path) -> None:
    (path := tmp_path / "x.cif").write_text(CIF + "Fe1 Fe 0 0 0 ?\n")
    with pytest.raises(ValueError, match=r"expected numbers in _atom_site_occupancy; got '\?'"):
        read(path)


@pytest.mark.parametrize("number", [-1, 119, 10**6])
def test_atoms_of_no_element(number: int) -> None:
    atoms = Atoms([14], cell=[3, 3, 3], pbc=True)
    atoms.numbers[0] = number
    for take in (from_ase, lambda one: points.as_clouds(Atoms(one.numbers, one.positions))):
        with pytest.raises(ValueError, match=f"expected atomic numbers up to 118; got {number}"):
            take(atoms)


def test_masses_that_tell_nothing_apart() -> None:
    """A mass of all silicon is no isotope; of all hydrogen it is."""
    silicon, heavy = bulk("Si"), molecule("H2O", vacuum=4)
    silicon.set_masses([28.06] * 2)
    assert from_ase(silicon).species.tolist() == [14, 14]
    heavy.set_masses([16, 2.014, 2.014])
    assert points.as_clouds(heavy).species.tolist() == [8] + [kind_of_atom(1, 0, 2)] * 2


def test_isotopes_and_charges(tmp_path: Path) -> None:
    """A crystal and a cloud of the same atoms have the same species; charges count if atoms of one element differ."""
    water = molecule("H2O", vacuum=4)
    water.set_masses([16, 2.014, 1.008])
    boxed = water.copy()
    boxed.pbc = True
    assert from_ase(boxed).species.tolist() == points.as_clouds(water).species.tolist() == [8, kind_of_atom(1, 0, 2), 1]
    assert [one.order for one in stabilizers(from_ase(boxed))] == [2]
    path = tmp_path / "x.cif"
    iron_2, iron_3 = kind_of_atom(26, 2), kind_of_atom(26, 3)
    for first, second, species, name in (
        ("D", "H", [kind_of_atom(1, 0, 2), 1], "Pm-3m"),
        ("D", "D", [kind_of_atom(1, 0, 2)] * 2, "Im-3m"),
        ("Fe2+", "Fe3+", [iron_2, iron_3], "Pm-3m"),
        ("Fe3+", "Fe3+", [26, 26], "Im-3m"),
        ("Fe", "Fe3+", [26, iron_3], "Pm-3m"),
        ("Na+", "Cl-", [11, 17], "Pm-3m"),
    ):
        path.write_text(CIF + f"A1 {first} 0 0 0 1\nA2 {second} .5 .5 .5 1\n")
        x = read(path)
        assert x.species.tolist() == species
        (group,) = stabilizers(x)
        assert group.name == name
        assert len(CrystalFrames().equally_likely(x)[0]) == group.order


def test_a_molecule_in_a_box_has_the_symmetry_of_both() -> None:
    """Methane has 24 symmetries; a cubic box keeps them all, a long one only those that keep its axis."""
    orders = []
    for box in ([10, 10, 10], [10, 10, 14]):
        methane = molecule("CH4", cell=box, pbc=True)
        orders.append(stabilizers(from_ase(methane))[0].order)
    assert orders == [24, 8]


@pytest.mark.parametrize("spelled", ["(F, F, T)", '"(F, F, T)"', "FFT", "None", '"no no yes"', '"T F"'])
def test_a_periodicity_that_ase_would_guess_is_refused(spelled: str, tmp_path: Path) -> None:
    path = tmp_path / "slab.extxyz"
    cell = 'Lattice="3 0 0 0 3 0 0 0 3" Properties=species:S:1:pos:R:3'
    path.write_text(f"1\n{cell} pbc={spelled}\nH 0 0 0\n")
    with pytest.raises(ValueError, match="expected pbc as three of T and F"):
        read(path)
    path.write_text(f'1\n{cell} pbc="F F T"\nH 0 0 0\n')
    assert read(path).pbc.tolist() == [[False, False, True]]


def test_more_atoms_or_columns_declared_than_there_are(tmp_path: Path) -> None:
    """ASE would make room for all of them first."""
    path = tmp_path / "huge.extxyz"
    path.write_text('4000000000\nLattice="3 0 0 0 3 0 0 0 3" Properties=species:S:1:pos:R:3\nH 0 0 0\n')
    with pytest.raises(ValueError, match="expected 4000000000 atoms; the file ends after 1"):
        read(path)
    path.write_text('1\nLattice="3 0 0 0 3 0 0 0 3" Properties=species:S:1:pos:R:9223372036854775808\nH 0 0 0\n')
    with pytest.raises(ValueError, match="expected 9223372036854775809 columns, as Properties declares; got 'H 0 0 0'"):
        read(path)


@pytest.mark.parametrize(
    ("name", "counts"),
    [("POSCAR", "Na Cl\n1 4000000000"), ("POSCAR", "1 4_000_000_000"), ("XDATCAR", "Na Cl4000000000\n1 1")],
)
def test_more_atoms_declared_than_there_are_lines(name: str, counts: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(f"salt\n5.64\n0 0.5 0.5\n0.5 0 0.5\n0.5 0.5 0\n{counts}\nDirect\n0 0 0\n0.5 0.5 0.5\n")
    for reads in (read,) if name == "XDATCAR" else (read, points.read):
        with pytest.raises(ValueError, match=r"at most as many atoms as lines, \d+; got 40000000\d\d"):
            reads(path)


def test_cells_beyond_double_precision(tmp_path: Path) -> None:
    """A singular value decomposition of infinity would take forever."""
    path = tmp_path / "salt.poscar"
    path.write_text("salt\n5.64\n0 0.5 0.5\n0.51e400 0 0.5\n0.5 0.5 0\nNa Cl\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n")
    with pytest.raises(ValueError, match="finite cells and positions; got infinity"):
        read(path)
