"""What the page of an audit draws: sites that are alike, at their places, in the lattice or cell that repeats them."""

from collections import Counter

import pytest
import torch

import sympe
from sympe.actions import ScalarFields
from sympe.auditing.page import _drawing
from sympe.auditing.symmetry.crystals import CrystalSymmetry
from sympe.auditing.symmetry.fields import FieldSymmetry
from sympe.groups import Torus


def test_a_striped_field_is_drawn_in_stripes() -> None:
    stripes = torch.tensor([0, 1, 2, 1])[:, None].expand(4, 6)
    plain, tilted = stripes, stripes.clone()
    tilted[0, 0] = 5
    found = FieldSymmetry(ScalarFields(Torus("C1"))).stabilizers(torch.stack([tilted, plain])[:, None])
    assert len(set(found.drawing(0)["orbits"])) == 24, "nothing is alike"
    orbits = torch.tensor(found.drawing(1)["orbits"]).view(4, 6)
    assert orbits.eq(orbits[:, :1]).all()
    assert len(orbits[:, 0].unique()) == 4
    mirrored = FieldSymmetry(ScalarFields(Torus("D2"))).stabilizers(plain[None, None])
    orbits = torch.tensor(mirrored.drawing(0)["orbits"]).view(4, 6)
    assert orbits[1, 0] == orbits[3, 0], "a reflection exchanges the rows of ones"
    drawn = _drawing({"index": 0, **mirrored.drawing(0)})
    assert [(x, y) for x, y, *_ in drawn["dots"]][:2] == [(-0.833, -0.5), (-0.5, -0.5)]
    assert len(drawn["frame"]) == 4
    assert drawn["alt"] == "Sample 0: 24 of 24 are alike with others, in 3 orbits"


def test_a_perovskite_is_drawn_in_its_cell() -> None:
    pytest.importorskip("moyopy", reason="needs moyopy")
    sites = [[0.0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [1.5, 0, 0.5], [0, 0.5, -0.5]]
    x = sympe.crystals.from_cells([torch.eye(3) * 4], [sites], [["Ca", "Ti", "O", "O", "O"]])
    found = CrystalSymmetry().stabilizers(x).drawing(0)
    assert sorted(Counter(found["letters"]).values()) == [1, 1, 3]
    assert len(set(found["orbits"][2:])) == 1
    assert len(found["corners"]) == 8
    assert len(found["frame"]) == 12
    assert all(0 <= value < 4 for place in found["places"] for value in place)
    drawn = _drawing({"index": 3, **found})
    assert [text for *_, text in drawn["dots"]] == found["letters"]
    assert all(max(map(abs, point)) <= 1 for line in drawn["frame"] for point in line)


def test_a_slab_is_drawn_in_a_parallelogram() -> None:
    pytest.importorskip("moyopy", reason="needs moyopy")
    cell = torch.diag(torch.tensor([3.0, 3.0, 20.0]))
    x = sympe.crystals.from_cells([cell], [[[0.0, 0, 0.5], [0.5, 0.5, 0.6]]], [["Mg", "O"]], [[True, True, False]])
    found = CrystalSymmetry().stabilizers(x).drawing(0)
    assert (len(found["corners"]), len(found["frame"])) == (4, 4)
    (height,) = {round(corner[2], 6) for corner in found["corners"]}
    assert height == 11, "at the middle of the sites"
    assert _drawing({"index": 3, **found})["alt"] == "Sample 3: 0 of 2 are alike with others"
