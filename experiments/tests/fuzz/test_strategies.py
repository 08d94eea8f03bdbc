"""Files drawn by hypothesis from the grammar of each format, right and wrong: they are read, or refused for a reason.

The mutations in :mod:`fuzz.run` begin from few files; these begin from none. ``FUZZ_EXAMPLES`` says how many are drawn.
"""

import bz2
import gzip
import io
import json
import lzma
import os
import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.torch import save as safetensors
from torch_geometric.data import Data

from fuzz.corpus import of_ase
from fuzz.readers import READERS, REFUSALS
from sympe_experiments.checkpoints import _signed

FEW = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "5")),
    database=None,
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)

words = st.text(max_size=8) | st.sampled_from(["", "a", "b", "1", "-1", "nan", "1e400", "\x1b[31m", "9" * 30, "0"])
numbers = st.floats(width=64).map(str) | st.integers(-(2**70), 2**70).map(str) | words
elements = st.sampled_from(["H", "C", "O", "Na", "X", "D", "Cl", "h", "118", "0", "C-", ""])
small = st.integers(0, 4)


def lines(*parts: st.SearchStrategy[str], joined: str = " ", most: int = 6) -> st.SearchStrategy[str]:
    return st.lists(st.tuples(*parts).map(joined.join), max_size=most).map("\n".join)


tables = st.sampled_from([",", "\t", ";", " "]).flatmap(
    lambda mark: lines(words | numbers, words, words | numbers, joined=mark) | lines(words, words, joined=mark)
)
graph6 = st.lists(st.text(st.characters(min_codepoint=60, max_codepoint=127), max_size=12), max_size=5).map("\n".join)
atoms = lines(elements, numbers, numbers, numbers)
comments = st.lists(
    st.tuples(st.sampled_from(["pbc", "Lattice", "Properties", "energy", "y", "stress"]), words).map("=".join),
    max_size=3,
).map(" ".join)
frames = st.tuples(small.map(str) | numbers, comments | words, atoms).map("\n".join)
smiles = lines(st.text("CNOcno()[]=#@+-123%.H/\\", max_size=20), words)
bonds = st.tuples(small, small, small).map(lambda one: f"{one[0]:3d}{one[1]:3d}{one[2]:3d}  0")
atom_lines = st.tuples(numbers, elements).map(lambda one: f"{one[0][:10]:>10}    0.0000    0.0000 {one[1]:<3} 0  0")
sdf = st.tuples(small, small, st.lists(atom_lines, max_size=4), st.lists(bonds, max_size=4), words).map(
    lambda one: (
        f"name\n  x 3D\n\n{one[0]:3d}{one[1]:3d}  0  0  0  0  0  0  0  0999 V2000\n"
        + "\n".join([*one[2], *one[3]])
        + f"\nM  END\n>  <y>\n{one[4]}\n\n$$$$\n"
    )
)
xml_words = st.text(st.characters(codec="utf-8", exclude_characters='<>&"'), max_size=6)
nodes = lines(xml_words.map(lambda name: f'<node id="{name}"/>'))
edges = lines(st.tuples(xml_words, xml_words).map(lambda ends: f'<edge source="{ends[0]}" target="{ends[1]}"/>'))
graphml = st.tuples(nodes, edges, st.sampled_from(["directed", "undirected", "x"])).map(
    lambda one: f'<graphml><graph edgedefault="{one[2]}">{one[0]}{one[1]}</graph></graphml>'
)
sections = st.sampled_from(["NAME", "ROWS", "COLUMNS", "RHS", "BOUNDS", "RANGES", "ENDATA", "OBJSENSE", "SOS"])
mps = lines(
    sections | lines(st.sampled_from([" N", " L", " G", " UP", "    x", "    y", " FR"]), words, numbers), most=12
)
lp = lines(st.sampled_from(["min", "max", "obj:", "st", "c1:", "bounds", "end", "general", "x", "y"]), words, numbers)
cif = lines(st.sampled_from(["data_x", "loop_", "_cell_length_a", "_atom_site_label", "_atom_site_fract_x"]), numbers)
poscar = st.tuples(words, numbers, lines(numbers, numbers, numbers), words, numbers, lines(numbers, numbers, numbers))

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = ("experiment", "method", "recipe", "data", "seed", "config", "metrics", "seconds", "history", "environment")
record = st.fixed_dictionaries(dict.fromkeys(fields, values)) | values

names = (
    "n_nodes",
    "n_edges",
    "edges",
    "split",
    "x",
    "y",
    "node_label",
    "fields",
    "n_atoms",
    "n_bonds",
    "bonds",
    "Jx",
    "Jy",
)
arrays = hnp.arrays(
    hnp.integer_dtypes() | hnp.floating_dtypes() | hnp.boolean_dtypes() | hnp.unicode_string_dtypes(max_len=2),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)
archives = st.dictionaries(st.sampled_from(names), arrays, max_size=6)


def packed(held: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **held)
    return buffer.getvalue()


def saved(held: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(held, buffer)
    return buffer.getvalue()


def graph_of(held: dict[str, Any]) -> Any:
    return Data(**held)


tensors = hnp.arrays(
    st.sampled_from(["f4", "f8", "i8", "?"]), hnp.array_shapes(min_dims=0, max_dims=3, max_side=3)
).map(torch.from_numpy)
edge_indices = hnp.arrays("i8", st.tuples(st.just(2), small), elements=st.integers(-1, 4)).map(torch.from_numpy)
pyg = st.fixed_dictionaries(
    {"edge_index": edge_indices | tensors},
    optional=dict.fromkeys(("x", "y", "edge_attr", "pos", "z", "num_nodes"), tensors | values),
).map(graph_of)
checkpoints = st.dictionaries(
    st.sampled_from(["state_dict", "epoch", "config", "optimizer_states"]),
    tensors | values | st.dictionaries(words, tensors),
)
weights = st.tuples(st.dictionaries(xml_words, tensors, max_size=3), values)
models = weights.map(lambda one: safetensors(one[0], {"model": json.dumps(one[1])}))
columns = ("index", "num_nodes", "smiles", "valid", "connected", "seed", "atoms", "x")
pairs = st.sampled_from([[True, False], [None, True], [None, "C"], [1, 2], [[1], [2]], [1.5, None]])
tables_of_samples = st.tuples(
    st.dictionaries(st.sampled_from(columns), st.lists(words, min_size=2, max_size=2) | pairs), values
)


def parquet_of(held: tuple[dict[str, Any], Any]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    buffer = io.BytesIO()
    table = pyarrow.table(held[0]).replace_schema_metadata({"plan": json.dumps(held[1])})
    parquet.write_table(table, buffer, write_page_checksum=True)
    return buffer.getvalue()


def trajectory_of(held: dict[str, Any]) -> bytes:
    from ase.io import ulm

    buffer = io.BytesIO()
    writer = ulm.Writer(buffer, mode="w", tag="ASE-Trajectory")
    writer.write(version=1, ase_version="3", **held)
    writer.sync()
    return buffer.getvalue()


@cache
def database() -> bytes:
    return of_ase()["db"]


def database_of(held: dict[str, Any]) -> bytes:
    """A database of one crystal, with other values in some of its columns."""
    with closing(sqlite3.connect(":memory:")) as opened:
        opened.deserialize(database())
        for name, value in held.items():
            opened.execute(f"UPDATE systems SET {name} = ?", (value,))
        opened.commit()
        return opened.serialize()


blobs = st.none() | st.binary(max_size=50) | st.integers(-(2**63), 2**63 - 1) | st.floats() | values.map(json.dumps)
fields_of_ase = ("numbers", "positions", "cell", "pbc", "constraints", "energy", "forces", "key_value_pairs", "data")


FORMATS: dict[str, st.SearchStrategy[Any]] = {
    "g6": graph6,
    "s6": graph6.map(lambda text: ":" + text),
    "edges": tables,
    "csv": tables,
    "tsv": tables,
    "txt": tables,
    "csv-smiles": smiles.map(lambda text: "smiles,y\n" + text.replace(" ", ",")),
    "smi": smiles,
    "sdf": sdf,
    "mol": sdf,
    "xyz": frames,
    "extxyz": frames,
    "extxyz-crystal": frames,
    "graphml": graphml,
    "mps": mps,
    "lp": lp,
    "cif": cif,
    "cif-molecule": cif,
    "poscar": poscar.map("\n".join),
    "xdatcar": poscar.map("\n".join),
    "traj": st.dictionaries(st.sampled_from(["numbers", "positions", "cell", "pbc", "info"]), arrays).map(
        trajectory_of
    ),
    "db": st.dictionaries(st.sampled_from(fields_of_ase), blobs).map(database_of),
    "sol": lines(words | st.sampled_from(["x", "y"]), numbers),
    "record": record.map(json.dumps),
    "plan": values.map(json.dumps),
    "part": values.map(json.dumps),
    "mark": values.map(json.dumps),
    "npz-graphs": archives.map(packed),
    "npz-labels": archives.map(packed),
    "npz-molecules": archives.map(packed),
    "npz-fields": archives.map(packed),
    "npz-couplings": archives.map(packed),
    "arrays": archives.map(packed),
    "pt": pyg.map(saved) | st.lists(pyg, max_size=3).map(saved) | (values | tensors).map(saved),
    "pt-points": pyg.map(saved),
    "ckpt": checkpoints.map(saved) | checkpoints.map(saved).map(_signed),
    "parquet": tables_of_samples.map(parquet_of),
}
FORMATS |= dict.fromkeys(("weights-autoencoder", "weights-ising", "weights-molecules"), models)


def strategy(held: str) -> st.SearchStrategy[bytes]:
    """Files of a format, compressed where its name says so."""
    kind, _, packer = held.partition(".")
    pack = {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress, "": bytes}[packer]
    return FORMATS[kind].map(lambda one: pack(one if isinstance(one, bytes) else one.encode("utf-8", "surrogatepass")))


@pytest.mark.parametrize(("reader", "held"), [(name, one) for name, reader in READERS.items() for one in reader.files])
def test_files_of_a_grammar_are_read_or_refused(reader: str, held: str) -> None:
    with tempfile.TemporaryDirectory() as folder:

        @FEW
        @given(strategy(held))
        def check(content: bytes) -> None:
            path = READERS[reader].path(Path(folder), held)
            path.write_bytes(content)
            reason = "none"
            try:
                READERS[reader].read(path)
            except REFUSALS as error:
                reason = str(error)
            assert reason.strip(), "a refusal needs a reason"
            left = {name for name in os.listdir(folder) if name != ".sympe"}
            assert left <= {path.name}, "no file may be left behind"

        check()
