"""Files of samples: what is refused leaves nothing behind, what is damaged is sampled again, devices change nothing."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from sympe.tasks.molecules.config import make_config
from sympe.tasks.molecules.domain import Domain
from sympe.tasks.molecules.model import GraphDiffusion
from sympe.tasks.molecules.sampling import sample_to_file
from sympe.training import build_from_seed

pytest.importorskip("rdkit", reason="needs RDKit")
parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")

DOMAIN = Domain(("C", "N", "O"), (0.7, 0.2, 0.1), (0.75, 0.2, 0.05), (0.0, 0.2, 0.3, 0.5))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learned nothing."""
    path = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    model = build_from_seed(lambda: GraphDiffusion(make_config("sympe-carried", "smoke", steps=4), DOMAIN), 0)
    path.write_bytes(model.to_bytes())
    return path


def sample(weights: Path, out: Path, num: int = 8, **options: Any) -> dict[str, Any] | None:
    return sample_to_file(weights, out, num, **{"shard_size": 1, "accelerator": "cpu"} | options)


# ------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "seed must be from 0 to 2^63 - 1; got -1"),
        ({"seed": 2**63}, "seed must be from 0 to 2^63 - 1; got 9223372036854775808"),
        ({"num": 10**13}, "num must be so small that the sizes of all graphs fit in memory; got 10000000000000"),
        ({"num": 2**63}, "num must be so small that the sizes of all graphs fit in memory; got 9223372036854775808"),
        ({"accelerator": "abacus"}, "abacus"),
        ({"accelerator": "cuda", "devices": 1000}, "1000 x cuda cannot be had here"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(
    options: dict[str, Any], message: str, weights: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        sample(weights, tmp_path / "s.parquet", **options)
    assert list(tmp_path.iterdir()) == []


def test_without_rdkit_nothing_is_begun(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(ImportError, match=r"molecules need RDKit: pip install sympe\[molecules\]"):
        sample(weights, tmp_path / "s.parquet")
    assert list(tmp_path.iterdir()) == []


def test_the_last_seed(weights: Path, tmp_path: Path) -> None:
    sample(weights, tmp_path / "s.parquet", seed=2**63 - 1)
    assert set(parquet.read_table(tmp_path / "s.parquet").column("seed").to_pylist()) == {2**63 - 1}


# ------------------------------------------------------------------------------------------------ what is damaged


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b"3", b"null"])
def test_a_plan_that_is_damaged(content: bytes, weights: Path, tmp_path: Path) -> None:
    plan = tmp_path / "s.parquet.parts" / "plan.json"
    plan.parent.mkdir()
    plan.write_bytes(content)
    complaint = f"{plan} is damaged; remove {plan.parent} to start anew"
    with pytest.raises(ValueError, match=re.escape(complaint)):
        sample(weights, tmp_path / "s.parquet", resume=True)
    assert plan.read_bytes() == content
