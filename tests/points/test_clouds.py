import math

import pytest
import torch

from molecules import EXAMPLES, METHANE
from sympe.points import PointClouds, concatenate, from_clouds, from_padded, to_padded

BATCH = concatenate([EXAMPLES[name].cloud for name in ("water", "argon", "methane")])
ZEROS = torch.zeros(3, dtype=torch.long)


def equal(first: PointClouds, second: PointClouds) -> bool:
    alike = (first.species is None) == (second.species is None)
    if alike and first.species is not None and second.species is not None:
        alike = torch.equal(first.species, second.species)
    return alike and torch.equal(first.position, second.position) and torch.equal(first.batch, second.batch)


def test_sizes_and_places() -> None:
    assert BATCH.sizes.tolist() == [3, 1, 5]
    assert BATCH.ptr.tolist() == [0, 3, 4, 9]
    assert BATCH.start.tolist() == [0, 0, 0, 3, 4, 4, 4, 4, 4]
    assert (len(BATCH), BATCH.num_points, BATCH.dimension, BATCH.dtype) == (3, 9, 3, torch.float64)
    total = torch.zeros(3, 3).double().index_add(0, BATCH.batch, BATCH.centered)
    assert total.abs().max() < 1e-12


def test_select_and_concatenate_are_inverse() -> None:
    parts = [BATCH.select([i]) for i in range(3)]
    assert equal(concatenate(parts), BATCH)
    chosen = BATCH.select([2, 0, 2])
    assert chosen.sizes.tolist() == [5, 3, 5]
    assert equal(chosen.select([1]), parts[0])
    assert len(BATCH.select([])) == 0
    bare = from_clouds([[[0.0, 1.0]]])
    assert equal(concatenate([bare, bare]).select([1]), bare)


def test_padded_arrays_and_back() -> None:
    position, mask, species = to_padded(BATCH)
    assert position.shape == (3, 5, 3)
    assert mask.sum(1).tolist() == [3, 1, 5]
    assert equal(from_padded(position, mask, species), BATCH)
    bare = PointClouds(BATCH.position, BATCH.batch)
    assert to_padded(bare)[2] is None
    assert equal(from_padded(*to_padded(bare)[:2]), bare)
    with pytest.raises(ValueError, match="cloud 1 is empty"):
        from_padded(torch.zeros(2, 1, 3), torch.tensor([[True], [False]]))


def test_types_and_devices() -> None:
    single = BATCH.to("cpu", torch.float32)
    assert single.dtype == torch.float32
    assert BATCH.to(dtype=torch.float32).species is not None
    assert PointClouds(torch.zeros(1, 3), torch.zeros(1, dtype=torch.int32)).batch.dtype == torch.int64
    assert len(PointClouds(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long))) == 0
    assert from_clouds([torch.zeros(1, 2).double()]).dtype == torch.float64


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(3), ZEROS), r"position must have shape \[N, 3\] or \[N, 2\]; got \[3\]"),
        ((torch.zeros(3, 4), ZEROS), r"position must have shape \[N, 3\] or \[N, 2\]; got \[3, 4\]"),
        ((torch.zeros(3, 3, dtype=torch.long), ZEROS), "position must hold floating-point numbers; got torch.int64"),
        ((torch.zeros(2, 3), ZEROS), r"batch must have shape \[2\]; got \[3\]"),
        ((torch.zeros(3, 3), ZEROS, ZEROS[:2]), r"species must have shape \[3\]; got \[2\]"),
        ((torch.zeros(3, 3), ZEROS, torch.zeros(3)), "species must hold integers; got torch.float32"),
    ],
)
def test_shapes_and_types_are_checked(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PointClouds(*arguments)


def test_values_are_validated() -> None:
    p = torch.tensor([[0.0, 0, 0], [1.0, 0, 0], [0.0, 0, 0]])
    assert PointClouds(p, torch.tensor([0, 0, 1])).validate().sizes.tolist() == [2, 1]
    for wrong, message in (
        (PointClouds(p, torch.tensor([1, 0, 0])), "batch must be non-decreasing and start at 0"),
        (PointClouds(p, torch.tensor([-1, 0, 0])), "batch must be non-decreasing and start at 0"),
        (PointClouds(p, torch.tensor([0, 0, 2]), num_clouds=2), "batch names cloud 2; there are 2 clouds"),
        (PointClouds(p, torch.tensor([0, 0, 2])), "expected at least one point in every cloud; cloud 1 is empty"),
        (PointClouds(p, ZEROS), "expected distinct positions; points 0 and 2 of cloud 0 coincide"),
        (PointClouds(p / 0, ZEROS), r"positions must be finite; got \[nan, nan, nan\] at point 0 of cloud 0"),
        (PointClouds(p + torch.tensor([[0.0], [0.0], [math.inf]]), torch.tensor([0, 1, 1])), "point 1 of cloud 1"),
    ):
        with pytest.raises(ValueError, match=message):
            wrong.validate()


@pytest.mark.untyped
def test_lists_are_checked() -> None:
    for arguments, message in (
        (([],), "expected at least one cloud; got none"),
        (([[]],), r"expected clouds of shape \[n, 3\] or \[n, 2\], n at least 1; got \[0\] for cloud 0"),
        (([[[0.0, 0, 0]], [[0.0, 0]]],), r"all clouds must have one dimension; got \[2, 3\]"),
        (([[[0.0, 0, 0]]], [[1, 2]]), r"expected species for \[1\] points; got \[2\]"),
        (([[[0.0, 0, 0], [0.0, 0, 0]]],), "points 0 and 1 of cloud 0 coincide"),
    ):
        with pytest.raises(ValueError, match=message):
            from_clouds(*arguments)
    with pytest.raises(ValueError, match="expected at least one batch of clouds"):
        concatenate([])
    with pytest.raises(ValueError, match="either all batches carry species or none does; 1 of 2 do"):
        concatenate([METHANE, PointClouds(METHANE.position, METHANE.batch)])
    with pytest.raises(ValueError, match=r"one dimension; got \[2, 3\]"):
        concatenate([METHANE, from_clouds([[[0.0, 1.0]]])])
    with pytest.raises(ValueError, match=r"indices must lie in 0..2; got 0..3"):
        BATCH.select([0, 3])
    with pytest.raises(ValueError, match=r"positions \[B, n, d\] and a boolean mask \[B, n\]; got \[1, 3\]"):
        from_padded(torch.zeros(1, 3), torch.ones(1, 3) > 0)
    with pytest.raises(ValueError, match=r"species of shape \[1, 1\]; got \[1, 2\]"):
        from_padded(torch.zeros(1, 1, 3), torch.ones(1, 1) > 0, torch.zeros(1, 2, dtype=torch.long))


def test_species_by_symbol() -> None:
    clouds = from_clouds([[[0.0, 0, 0], [1.1, 0, 0]], [[0.0, 0, 0]]], species=[["C", "O"], ["cl"]])
    assert clouds.species is not None
    assert clouds.species.tolist() == [6, 8, 17]
    with pytest.raises(ValueError, match="expected the symbol of an element"):
        from_clouds([[[0.0, 0, 0]]], species=[["Qq"]])
