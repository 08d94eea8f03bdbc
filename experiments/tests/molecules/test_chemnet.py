"""The Fréchet ChemNet distance, against the authors' own functions."""

from pathlib import Path

import numpy as np
import pytest

from sympe_experiments.molecules import chemnet
from sympe_experiments.molecules import evaluation as evaluate
from sympe_experiments.molecules.chemistry import Written, read_molecules, write_smiles

pytest.importorskip("rdkit", reason="needs RDKit")
fcd = pytest.importorskip("fcd", reason="needs fcd")

#: Written as RDKit would.
SMILES = ["CCO", "CC#N", "OC1CC1", "CN(C)C=O", "c1ccoc1", "CC(C)(C)F", "OC1CCC1", "C", "O=C1CN1"]


def test_distance_of_two_gaussians() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 7)) @ rng.normal(size=(7, 7)), rng.normal(size=(40, 7)) + 1
    one, other = (chemnet.Activations(z.mean(0), np.cov(z.T)) for z in (x, y))
    expected = fcd.calculate_frechet_distance(one.mean, one.covariance, other.mean, other.covariance)
    assert one.distance(other) == pytest.approx(expected, rel=1e-6)
    assert other.distance(one) == pytest.approx(expected, rel=1e-6)
    assert one.distance(one) == pytest.approx(0, abs=1e-9)
    # All on a plane: a covariance that is singular.
    flat = chemnet.Activations(one.mean, np.diag([1.0, 4.0, 0, 0, 0, 0, 0]))
    moved = chemnet.Activations(one.mean + 3, np.diag([4.0, 1.0, 0, 0, 0, 0, 0]))
    assert flat.distance(moved) == pytest.approx(7 * 9 + 1 + 1)


def test_activations_are_those_of_the_package() -> None:
    # Ethanol and hydrogen cyanide twice, and one that cannot be read.
    found = chemnet.Activations.of(["OCC", *SMILES, "[H]C#N", "C#N", "C(C)(C)(C)(C)C"])
    network = fcd.load_ref_model()
    expected = fcd.get_predictions(network, ["CCO", *SMILES, "C#N", "C#N"], n_jobs=0).astype(float)
    np.testing.assert_allclose(found.mean, expected.mean(0), atol=1e-6)
    np.testing.assert_allclose(found.covariance, np.cov(expected.T), atol=1e-6)
    assert found.covariance.trace() > 0.1


def test_distance_to_the_test_molecules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "molecules.smi"
    file.write_text("\n".join(SMILES * 20))
    molecules = read_molecules(file)
    written = write_smiles(molecules.graphs, molecules.elements)
    assert evaluate.chemnet_distance(str(file), written) is None, "too few for 512 numbers"
    monkeypatch.setattr(chemnet, "FEWEST", 3)
    evaluate._test_in_chemnet.cache_clear()
    same = evaluate.chemnet_distance(str(file), written)
    other = evaluate.chemnet_distance(str(file), [Written(text, True, True) for text in ("CCCCCC", "CCCC", "CCC")])
    assert same is not None
    assert other is not None
    assert 0 <= same < other
    assert evaluate.chemnet_distance(str(file), [*written, Written(None, False, True)]) == pytest.approx(same)
    of_training = evaluate.chemnet_distance_of_training(str(file), 10)
    assert of_training is not None
    assert of_training < other
    monkeypatch.setattr(chemnet, "is_installed", lambda: False)
    assert evaluate.chemnet_distance(str(file), written) is None
    evaluate._test_in_chemnet.cache_clear()
