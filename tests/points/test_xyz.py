from pathlib import Path

import pytest
import torch

from molecules import EXAMPLES, METHANE
from sympe.points import PointClouds, concatenate, from_clouds, read, write

WATER = "3\nwater\nO 0 0 0.12\nH 0.0 0.76 -0.48 extra\nh 0.0 -7.6e-1 -0.48\n"


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    x = concatenate([example.cloud for example in EXAMPLES.values()])
    write(x, tmp_path / "all.xyz")
    back = read(tmp_path / "all.xyz")
    assert torch.equal(back.position, x.position)
    assert back.species is not None
    assert x.species is not None
    assert torch.equal(back.species, x.species)
    assert torch.equal(back.batch, x.batch)
    bare = PointClouds(METHANE.position.float(), METHANE.batch)
    write(bare, tmp_path / "bare.xyz")
    again = read(tmp_path / "bare.xyz", torch.float32)
    assert torch.equal(again.position, bare.position)
    assert again.species is not None
    assert again.species.unique().tolist() == [0]


def test_symbols_numbers_blank_lines_and_columns(tmp_path: Path) -> None:
    pytest.importorskip("ase")
    path = tmp_path / "some.xyz"
    extended = '1\nLattice="1 0 0 0 1 0 0 0 1" Properties=id:I:1:pos:R:3:species:S:1 pbc="F F F"\n7 1 2 3 Cl\n'
    path.write_text(WATER + "\n\n1\n\n17 1.0 2.0 3.0\n" + extended)
    x = read(path)
    assert x.sizes.tolist() == [3, 1, 1]
    assert x.species is not None
    assert x.species.tolist() == [8, 1, 1, 17, 17]
    assert x.position[2].tolist() == [0.0, -0.76, -0.48]
    assert torch.equal(x.position[3], x.position[4])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected at least one molecule; the file is empty"),
        ("water\n", r"expected a number of atoms; got 'water' \(line 1\)"),
        ("0\n\n", "expected a number of atoms; got '0'"),
        ("2\n\nO 0 0 0\n", r"expected 2 atoms; the file ends after 1 \(frame 1, line 1\)"),
        ("1\n\nO 0 0\n", r"expected an element and three coordinates; got 'O 0 0' \(line 3, frame 1 ''\)"),
        ("1\n\nQq 0 0 0\n", r"expected the symbol of an element or .* up to 118; got 'Qq' \(line 3, frame 1 ''\)"),
        ("1\n\nO 0 zero 0\n", r"expected a finite number; got 'zero' \(line 3,"),
        ("1\n\nO 0 nan 0\n", r"expected a finite number; got 'nan' \(line 3,"),
        (WATER + "2\n\nO 0 0 0\nO 0 0 0\n", r"points 0 and 1 of cloud 0 coincide \(frame 2 '', line 6\)"),
    ],
)
def test_a_bad_file_ends_with_one_line_that_names_it(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.xyz"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_clouds_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.xyz: No such file or directory"):
        read(tmp_path / "none.xyz")
    path = tmp_path / "out.xyz"
    for wrong, message in (
        (from_clouds([[[0.0, 1.0]]]), "expected clouds in 3 dimensions; got 1 in 2"),
        (PointClouds(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)), "expected clouds in 3 dimensions; got 0"),
        (from_clouds([[[0.0, 1.0, 2.0]]], [[119]]), "expected atomic numbers up to 118; got 119"),
    ):
        with pytest.raises(ValueError, match=message):
            write(wrong, path)
    assert not path.exists()
