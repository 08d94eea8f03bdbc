"""Files of points and molecules, each standing for its kind: the right values, alike in `points.read` and the audit."""

import gzip
import sys
from functools import partial
from pathlib import Path

import pytest

import sympe
from sympe.points import read, write
from sympe.points.elements import kind_of_symbol

CASES = Path(__file__).parents[2] / "shared" / "cases" / "files"

ATOMS = "O 0 0 0.1\nH 0 0.76 -0.48\nH 0 -0.76 -0.48\n"
BOX = 'Lattice="10 0 0 0 10 0 0 0 10"'
NO_BOX = 'Lattice="0 0 0 0 0 0 0 0 0"'
SALT = """data_NaCl
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na 0 0 0
Cl 0.5 0.5 0.5
"""
POSCAR = "NaCl\n1.0\n5.64 0 0\n0 5.64 0\n0 0 5.64\nNa Cl\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n"
WATER = """data_water
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_Cartn_x
_atom_site_Cartn_y
_atom_site_Cartn_z
O1 O 0 0 0.10
H1 H 0 0.76 -0.48
H2 D 0 -0.76 -0.48
"""
#: What reads molecules and refuses crystals.
MOLECULES = (read, partial(sympe.audit, group="o3"))
DEUTERIUM = kind_of_symbol("D")


def case(name: str) -> Path:
    if not CASES.is_dir():
        pytest.skip(f"needs the files of {CASES}, which are not part of the repository")
    return CASES / name


@pytest.fixture
def xyz(tmp_path: Path):
    def held(comment: str, atoms: str = ATOMS, name: str = "frame.xyz") -> Path:
        path = tmp_path / name
        path.write_text(f"{len(atoms.splitlines())}\n{comment}\n{atoms}")
        return path

    return held


def point_groups(path: Path, **options) -> list[str]:
    report = sympe.audit(path, **options)
    assert report.summary.skipped == 0
    return [row["point_group"] for row in report.samples()]


def refusal(call) -> str:
    with pytest.raises(ValueError, match="expected") as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "species", "last"),
    [
        ("zlattice.extxyz", [8, 1, 1], (0, -0.76, -0.48)),
        ("bom.xyz", [8, 1, 1], (0, -0.76, -0.48)),
        ("deut.xyz", [8, DEUTERIUM, DEUTERIUM], (0, -0.76, -0.48)),
        ("zcol.extxyz", [8, 1, 1], (0, -0.76, -0.48)),
        ("arr.extxyz", [8, 1, 1], (0, -0.76, -0.48)),
        ("ase_forces.xyz", [8, 1, 1], (0, -0.76, -0.48)),
        ("qm9style.xyz", [8, 1, 1], (0.8717903737, 1.3007924048, 6.931e-6)),
        ("3d_planar.sdf", [8, 1, 1], (-0.76, -0.48, 0)),
        ("blank_before_end.sdf", [8, 1, 1], (0, -0.76, -0.48)),
        ("n4.sdf", [7, 1, 1, 1, 1], (0.6, -0.6, -0.6)),
    ],
)
def test_files_that_were_misread_or_refused(name: str, species: list[int], last: tuple[float, ...]) -> None:
    if name.endswith(".sdf"):
        pytest.importorskip("rdkit")
    if name in ("zlattice.extxyz", "zcol.extxyz", "arr.extxyz", "ase_forces.xyz"):
        pytest.importorskip("ase")
    x = read(case(name))
    assert x.species is not None
    assert x.species.tolist() == species
    assert x.position[-1].tolist() == pytest.approx(last)
    assert point_groups(case(name), group="o3") == ["Td" if name == "n4.sdf" else "C2v"]


def is_audited_or_refused(path: Path) -> bool:
    """The audit takes for a crystal what ASE does, and refuses what only looks periodic; never for a molecule."""
    try:
        return sympe.audit(path).summary.group == "e3"
    except ValueError as error:
        return "space group; got one" in str(error) or "of full rank" in str(error)


@pytest.mark.parametrize("name", ["ase.xyz", "p_sp.extxyz", "p_comma.extxyz", "p_PBC.extxyz"])
def test_files_of_crystals(name: str) -> None:
    pytest.importorskip("ase")
    for call in MOLECULES:
        assert "their symmetries are a space group; got one" in refusal(lambda call=call: call(case(name)))
    assert is_audited_or_refused(case(name))


@pytest.mark.parametrize(
    "comment",
    [
        *(
            f"{BOX} pbc={flags}"
            for flags in ('"1 1 0"', "true", "True", "[T, T, T]", '"F,F,T"', "{T T T}", "(F, F, T)")
        ),
        *(f"{key}={value}" for key in ("pbc", "PBC", "Pbc") for value in ("T", '"F F T"', "F F T", "yes", "2", '""')),
        f'{NO_BOX} pbc="T T T"',
        BOX,
        BOX.lower(),
        'cell="10 10 10" energy=1',
        "cell=[[10, 0, 0], [0, 10, 0], [0, 0, 10]]",
        "# CELL(abcABC): 10 10 10 90 90 90 cell{angstrom}",
        "pbc T T T",
        "PBC",
        'boundary="f f p" energy=1',
        "step=0;pbc=T",
        "a=1,Lattice=10",
        f'{BOX} pbc="F F F" pbc="F F T"',
        "Lattice 10 0 0 0 10 0 0 0 10",
    ],
)
def test_every_spelling_of_a_cell(comment: str, xyz) -> None:
    pytest.importorskip("ase")
    for call in MOLECULES:
        assert "space group; got one" in refusal(lambda call=call: call(xyz(comment)))
    assert is_audited_or_refused(xyz(comment))


@pytest.mark.parametrize(
    "comment",
    [
        *(f"{BOX} pbc={flags}" for flags in ('"F F F"', "false", "[F, F, F]", '"0 0 0"', '"F,F,F"', "False", "F F F")),
        NO_BOX,
        "cell=None",
        "pbc=F T=300 energy=-1",
        "water, a non-periodic molecule",
        "=== water ===",
        "E = -76.4 smiles=O=O",
        'stress="1 2 3 4 5 6" remark="he said \\"x=1\\""',
    ],
)
def test_molecules_in_any_comment(comment: str, xyz) -> None:
    pytest.importorskip("ase")
    assert sympe.audit(xyz(comment)).summary.target is None
    assert read(xyz(comment)).sizes.tolist() == [3]
    assert point_groups(xyz(comment)) == ["C2v"]


def test_plain_xyz_needs_no_extra(xyz, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ase.io.extxyz", None)
    assert point_groups(xyz("water")) == ["C2v"]
    for call in (read, sympe.audit):
        with pytest.raises(ImportError, match=r"reading extxyz needs ase.io.extxyz: pip install 'sympe\[crystals\]'"):
            call(xyz("energy=1"))


def test_crystals_by_name(tmp_path: Path) -> None:
    pytest.importorskip("ase")
    for name in ("salt.cif", "POSCAR", "CONTCAR.gz", "POSCAR_NaCl", "salt.vasp", "salt.poscar"):
        text = (SALT if "cif" in name else POSCAR).encode()
        (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        for call in MOLECULES:
            said = refusal(lambda call=call, name=name: call(tmp_path / name))
            assert said.startswith(f"{tmp_path / name}: expected molecules; crystals are for sympe.crystals")
        assert sympe.audit(tmp_path / name).summary.group == "e3"
        (tmp_path / name).write_text("NaCl\n")
        with pytest.raises(ValueError, match=r"that ASE can read; got [A-Z]|cannot be unpacked"):
            read(tmp_path / name)


def test_molecules_in_files_of_crystals(tmp_path: Path) -> None:
    """Half-heavy water in Cartesian coordinates; masses that are set in ASE tell isotopes apart alike."""
    ase = pytest.importorskip("ase")
    path = tmp_path / "water.cif"
    path.write_text(WATER)
    assert read(path).species.tolist() == [8, 1, DEUTERIUM]
    assert read(path).position[2].tolist() == [0, -0.76, -0.48]
    assert point_groups(path) == ["Cs"]
    atoms = ase.Atoms("OH2", read(path).position.numpy(), masses=[15.999, 1.008, 2.014])
    assert sympe.points.as_clouds(atoms).species.tolist() == [8, 1, DEUTERIUM]
    path.write_text(WATER.replace(" D ", " H "))
    assert point_groups(path) == ["C2v"]
    path.write_text(WATER.replace("Cartn", "fract"))
    assert "expected a cell for fractional coordinates" in refusal(lambda: read(path))
    path.write_text("data_empty\n")
    assert "expected at least one molecule" in refusal(lambda: read(path))
    path.write_text(WATER.replace("0.76 ", "? "))
    assert "expected numbers in _atom_site_cartn_y; got '?'" in refusal(lambda: read(path))


def test_kinds_of_atoms(tmp_path: Path) -> None:
    same = {"Cl": ["cl", "CL", "17", "Cl1", "Cl_2"], "C": ["c", "6", "C12"], "Fe2+": ["Fe+2"], "Na+": ["Na1+"]}
    for symbol, others in same.items():
        assert {kind_of_symbol(other) for other in others} == {kind_of_symbol(symbol)}
    different = ["H", "D", "T", "Fe", "Fe2+", "Fe3+", "O", "O-", "O2-", "X"]
    assert len({kind_of_symbol(symbol) for symbol in different}) == len(different)
    for wrong in ("", "Qq", "119", "-1", "1.0", "CL1", "1H", "C1A", "Fe++", "Cl-1.5", "*"):
        with pytest.raises(ValueError, match="expected the symbol of an element or an atomic number up to 118"):
            kind_of_symbol(wrong)
    # Half-heavy water has one mirror; and what is written is read back.
    path = tmp_path / "hdo.xyz"
    path.write_text("3\n\n" + ATOMS.replace("H", "D", 1))
    assert point_groups(path) == ["Cs"]
    write(read(path), path)
    assert path.read_text().splitlines()[3].startswith("D ")
    assert point_groups(path) == ["Cs"]


def test_targets_in_every_spelling(xyz) -> None:
    """The same vector, off the axis by 0.1 along x, in every spelling; its error is that of x: 0.1 squared."""
    pytest.importorskip("ase")
    spellings = ("[0.1, 0, 0.3]", "{0.1 0 0.3}", '"[0.1 0 0.3]"', '"0.1,0,0.3"', '"0.1 0 0.3"', '"_JSON [0.1, 0, 0.3]"')
    for spelling in spellings:
        report = sympe.audit(xyz(f"mu={spelling}"), target="mu")
        assert report.summary.irreducible_error == pytest.approx(0.01)
    for spelling in (
        "[[1, 0, 0.5], [0, 1, 0], [0.5, 0, 1]]",
        '"1 0 0.5 0 1 0 0.5 0 1"',
        "[[1,0,0.5],[0,1,0],[0.5,0,1]]",
    ):
        report = sympe.audit(xyz(f"stress={spelling} a=T"), target="stress")
        assert report.summary.irreducible_error == pytest.approx(0.5)
        assert sympe.audit(xyz(f"stress={spelling} a=T"), target="a").summary.violations == 0
    for spelling in ("(0, 0, 0.3)", "north", '"[0 0"', "nan", "18014398509481985", '"0 0 T"'):
        said = refusal(lambda spelling=spelling: sympe.audit(xyz(f"mu={spelling}"), target="mu"))
        assert "expected numbers in mu; got" in said
    assert "expected nu in the frames; they have mu" in refusal(lambda: sympe.audit(xyz("mu=1"), target="nu"))


def test_columns_in_every_type(xyz) -> None:
    pytest.importorskip("ase")
    rows = [f"{row} {tail}" for row, tail in zip(ATOMS.splitlines(), ("a T 1", "b true 2", "b F 4"), strict=True)]
    path = xyz("Properties=species:S:1:pos:R:3:tag:S:1:is_acid:L:1:charge:I:1", "\n".join(rows) + "\n")
    assert sympe.audit(path, target="is_acid").summary.irreducible_error == pytest.approx(0.5 / 3)
    assert sympe.audit(path, target="charge").summary.irreducible_error == pytest.approx(2 / 3)
    assert "expected numbers in tag; got" in refusal(lambda: sympe.audit(path, target="tag"))
    for declared in ("pos:R:3", "species:S:1:pos:R:2", "species:S:1:pos:R", "species:S:1:pos:Q:3", "kind:S:1:pos:R:3"):
        path = xyz(f"Properties={declared}")
        assert f"and pos:R:3; got Properties={declared} (line 2" in refusal(lambda path=path: read(path))
    path = xyz("Properties=species:S:1:pos:R:3 name=hot", ATOMS.replace("0.1", "0.1 7"))
    assert "expected 4 columns; got 'O 0 0 0.1 7' (line 3, frame 1" in refusal(lambda: read(path))


def test_a_trajectory_of_crystals_is_refused_at_once_as_points(xyz) -> None:
    pytest.importorskip("ase")
    path = xyz(BOX)
    path.write_text(path.read_text() * 11)
    assert "frame 1 " in refusal(lambda: sympe.audit(path, group="o3"))
    assert sympe.audit(path).summary.samples == 11


def test_a_target_must_be_alike_in_all_frames(xyz) -> None:
    pytest.importorskip("ase")
    path = xyz('mu="0 0 1"')
    path.write_text(path.read_text() + "\n" + path.read_text().replace('"0 0 1"', "3"))
    ((index, reason),) = sympe.audit(path, target="mu").skipped()
    assert (index, reason.split(";")[0]) == (1, "expected mu as 3 numbers per sample")
    assert "got 1 per sample (frame 2" in reason


def test_many_raw_records_of_qm9_in_one_compressed_file(tmp_path: Path) -> None:
    path = tmp_path / "qm9.xyz.gz"
    text = case("qm9style.xyz").read_text()
    path.write_bytes(gzip.compress((text * 2 + "\n" + text).encode()))
    assert read(path).sizes.tolist() == [3, 3, 3]
    assert point_groups(path) == ["C2v"] * 3
    path.write_bytes(gzip.compress((text + "what is this line\n" + text).encode()))
    assert "got 'what is this line' (line 9)" in refusal(lambda: read(path))


def test_records_of_sdf_are_refused_with_a_reason(tmp_path: Path) -> None:
    pytest.importorskip("rdkit")
    path = tmp_path / "some.sdf"
    good, bad = case("3d_planar.sdf").read_text(), case("n4.sdf").read_text().replace("t\n", "ammonium\n", 1)
    path.write_text(good + bad)
    ((index, reason),) = sympe.audit(path).skipped()
    assert index == 1
    assert "got record 2 'ammonium': Explicit valence for atom # 0 N, 4, is greater than permitted" in reason
    assert point_groups(path, group="o3") == ["C2v", "Td"]
    path.write_text(good.replace("3D", "2D"))
    for call in (read, lambda path: sympe.audit(path, group="o3")):
        assert "got record 1 't', marked 2D" in refusal(lambda call=call: call(path))
    path.write_text(good.replace("O ", "Qq"))
    assert "got record 1 't': Element 'Qq' not found" in refusal(lambda: read(path))
    path.write_text(good.replace("0.7600", "0.z600"))
    assert "Cannot process coordinates on line 6" in refusal(lambda: read(path))
    path.write_text(good.replace(" H ", " D ", 1))
    assert read(path).species.tolist() == [8, DEUTERIUM, 1]


def test_smiles_are_refused_with_a_reason(tmp_path: Path) -> None:
    pytest.importorskip("rdkit")
    path = tmp_path / "some.smi"
    path.write_text("\ufeffC\nc1ccccc1\nCN(C)(C)(C)C five bonds\nc1cc\n")
    report = sympe.audit(path)
    assert [row["stabilizer_order"] for row in report.samples()] == [24, 12]
    reasons = dict(report.skipped())
    assert "(line 3 'five bonds'): Explicit valence for atom # 1 N, 5, is greater than permitted" in reasons[2]
    assert "got 'c1cc' (line 4): SMILES Parse Error: unclosed ring" in reasons[3]
    table = tmp_path / "two.csv"
    table.write_text("raw_smiles,canonical_smiles\nC,C\n")
    assert "or one named smiles if there are more" in refusal(lambda: sympe.audit(table))
