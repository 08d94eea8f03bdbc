"""Files of samples: what is refused leaves nothing behind, what is damaged is sampled again, devices change nothing."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from command_line import start
from sympe_experiments.molecules.config import make_config
from sympe_experiments.molecules.domain import Domain
from sympe_experiments.molecules.model import GraphDiffusion
from sympe_experiments.molecules.sampling import sample_to_file
from sympe_experiments.training import build_from_seed

pytest.importorskip("rdkit", reason="needs RDKit")
pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")

DOMAIN = Domain(("C", "N", "O"), (0.7, 0.2, 0.1), (0.75, 0.2, 0.05), (0.0, 0.2, 0.3, 0.5))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learned nothing."""
    path = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    model = build_from_seed(
        lambda: GraphDiffusion(make_config("sympe-kind-depth-first-guided-by-rank", "smoke", steps=4), DOMAIN), 0
    )
    path.write_bytes(model.to_bytes())
    return path


def sample(weights: Path, out: Path, num: int = 8, **options: Any) -> dict[str, Any] | None:
    return sample_to_file(weights, out, num, **{"shard_size": 1, "accelerator": "cpu"} | options)


def rows(path: Path) -> list[dict[str, Any]]:
    return parquet.read_table(path).to_pylist()


class Interruption(Exception):
    pass


def interrupted(weights: Path, out: Path, monkeypatch: pytest.MonkeyPatch, at: str = "_merge", **options: Any) -> Path:
    """Sample all shards and stop at what follows; their folder."""

    def stop(*arguments: object) -> None:
        raise Interruption

    with monkeypatch.context() as patch:
        patch.setattr(f"sympe_experiments.molecules.sampling.{at}", stop)
        with pytest.raises(Interruption):
            sample(weights, out, **options)
    return out.with_name(out.name + ".parts")


# ------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "seed must be from 0 to 2^63 - 1; got -1"),
        ({"seed": 2**63}, "seed must be from 0 to 2^63 - 1; got 9223372036854775808"),
        ({"num": 10**13}, "num must be so small that the sizes of all graphs fit in memory; got 10000000000000"),
        ({"num": 2**63}, "num must be so small that the sizes of all graphs fit in memory; got 9223372036854775808"),
        ({"accelerator": "abacus"}, "abacus"),
        ({"accelerator": "gpu", "devices": 1000}, "gpu is not available here"),
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
    with pytest.raises(ImportError, match=r"molecules need rdkit: pip install 'sympe-experiments\[molecules\]'"):
        sample(weights, tmp_path / "s.parquet")
    assert list(tmp_path.iterdir()) == []


def test_the_last_seed(weights: Path, tmp_path: Path) -> None:
    sample(weights, tmp_path / "s.parquet", seed=2**63 - 1)
    assert set(parquet.read_table(tmp_path / "s.parquet").column("seed").to_pylist()) == {2**63 - 1}


def test_a_finished_file_is_read_by_its_own_plan_alone(weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.parquet"
    found, before = sample(weights, out), out.read_bytes()
    assert sample(weights, out, resume=True) == found
    complaint = "the sampling to resume was started with other values of guidance, num, seed, steps"
    with pytest.raises(ValueError, match=complaint):
        sample(weights, out, 9, seed=1, steps=2, guidance=0.5, resume=True)
    assert out.read_bytes() == before
    assert list(tmp_path.iterdir()) == [out]


def test_shards_go_when_the_file_is_there(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if their removal was interrupted."""
    out = tmp_path / "s.parquet"
    parts = interrupted(weights, out, monkeypatch, "_remove")
    assert out.exists()
    assert parts.exists()
    sample(weights, out, resume=True)
    assert list(tmp_path.iterdir()) == [out]


def test_other_files_are_not_read_as_samples(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "s.parquet"
    parts = interrupted(weights, out, monkeypatch)
    sample(weights, tmp_path / "whole.parquet")
    table = parquet.read_table(tmp_path / "whole.parquet")

    def is_refused(complaint: str) -> None:
        with pytest.raises(ValueError, match=re.escape(f"{out} {complaint}")):
            sample(weights, out, resume=True)
        assert (parts / "plan.json").exists()

    out.write_bytes(b"samples")
    is_refused("is no file of samples: ")
    parquet.write_table(table.select(["index"]), out)
    is_refused("is no file of samples: ")
    words = table.column("valid").cast("string")
    parquet.write_table(table.set_column(table.column_names.index("valid"), "valid", words), out)
    is_refused("is no file of samples: expected smiles, valid and connected; got string, string, bool")
    parquet.write_table(table.replace_schema_metadata(None), out)
    is_refused("is no file of samples: no plan in it")
    out.write_bytes(sorted(parts.glob("shard-*"))[0].read_bytes())
    is_refused("must hold 8 samples; got ")


@pytest.mark.parametrize("suffix", [".smi", ".sdf"])
def test_valid_molecules_alone_as_smiles_and_sdf(
    suffix: str, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rdkit import Chem

    whole, out, once = (tmp_path / name for name in ("s.parquet", f"s{suffix}", f"once{suffix}"))
    found = sample(weights, whole, 16)
    assert found is not None
    assert 0 < found["valid"] < found["samples"] == 16
    interrupted(weights, out, monkeypatch, num=16)
    interrupted(weights, out, monkeypatch, "_remove", num=16, resume=True)  # the file is there, and the shards
    assert sample(weights, out, 16, resume=True) == found | {"file": str(out)}
    sample(weights, once, 16)
    assert out.read_bytes() == once.read_bytes()
    written = [(row["smiles"], str(row["index"])) for row in rows(whole) if row["valid"]]
    if suffix == ".smi":
        assert [tuple(line.split()) for line in out.read_text().splitlines()] == written
    else:
        records = list(Chem.SDMolSupplier(str(out), removeHs=False))
        assert [(Chem.MolToSmiles(one), one.GetProp("_Name")) for one in records] == written
    with pytest.raises(ValueError, match=f"s{suffix} is there already; give another file"):
        sample(weights, out, 16, resume=True)


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


def text_column(path: Path) -> slice:
    """Where the column of SMILES stands."""
    column = parquet.read_metadata(path).row_group(0).column(2)
    assert column.path_in_schema == "smiles"
    start = column.dictionary_page_offset
    return slice(start, start + column.total_compressed_size)


def blot(path: Path) -> None:
    content, start = bytearray(path.read_bytes()), text_column(path).start
    content[start : start + 60] = b"\xff" * 60
    path.write_bytes(content)


def flip(path: Path) -> None:
    """Flip a bit that changes a SMILES and that nothing but a checksum shows."""
    content, before, column = path.read_bytes(), rows(path), text_column(path)
    for place in range(column.start, column.stop):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            if rows(path) != before:
                return
        except (pyarrow.ArrowException, OSError, ValueError):
            pass
    raise AssertionError("no bit to flip")


def keep_the_index(path: Path) -> None:
    parquet.write_table(parquet.read_table(path).select(["index"]), path)


def forget_the_plan(path: Path) -> None:
    """As a shard of another sampling, which an interrupted removal left behind."""
    table = parquet.read_table(path)
    table = table.set_column(2, "smiles", pyarrow.array(["other"] * len(table)))
    parquet.write_table(table.replace_schema_metadata(None), path)


@pytest.mark.parametrize("harm", [blot, flip, keep_the_index, forget_the_plan])
def test_a_damaged_shard_is_sampled_again(
    harm: Callable[[Path], None], weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "s.parquet"
    parts = interrupted(weights, out, monkeypatch)
    first, last = (sorted(parts.glob("shard-*"))[k] for k in (0, -1))
    kept = first.stat().st_mtime_ns
    harm(last)
    interrupted(weights, out, monkeypatch, resume=True)
    assert first.stat().st_mtime_ns == kept
    sample(weights, out, resume=True)
    sample(weights, tmp_path / "whole.parquet")
    assert out.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"s.parquet", "whole.parquet"}


# -------------------------------------------------------------------------------------------------------- devices


@pytest.mark.parametrize("shard_size", [1, 1000])
def test_two_processes_write_the_same_file(shard_size: int, weights: Path, tmp_path: Path) -> None:
    """Also if there is but one shard, and one process has nothing to do."""
    one, two = tmp_path / "one.parquet", tmp_path / "two.parquet"
    command = ("molecules", "sample", "--weights", weights, "--num", 8, "--shard-size", shard_size, "--devices", 2)
    process = start(
        *command, "--accelerator", "cpu", "--out", two, "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = process.communicate()
    assert process.returncode == 0, err
    found = sample(weights, one, shard_size=shard_size)
    assert found is not None
    assert json.loads(out) == found | {"file": str(two)}
    assert two.read_bytes() == one.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"one.parquet", "two.parquet"}
