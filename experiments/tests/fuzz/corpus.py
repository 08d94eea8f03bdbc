"""Small valid files of every format that something here reads, made anew by our own writers: what mutations begin from.

Names are ``format`` or ``format-variant``; the suffix that a reader needs follows from the format.
"""

import bz2
import gzip
import io
import json
import lzma
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from sympe import programs
from sympe.auditing.parts import Folder, Part
from sympe.graphs import from_edges, to_graph6
from sympe.graphs.npz import to_npz
from sympe_experiments.autoencoder.config import make_config as autoencoder_config
from sympe_experiments.autoencoder.model import GraphAutoencoder
from sympe_experiments.checkpoints import AtomicCheckpointIO
from sympe_experiments.ising.config import make_config as ising_config
from sympe_experiments.ising.model import SpinNetwork
from sympe_experiments.molecules.config import make_config as molecules_config
from sympe_experiments.molecules.domain import Domain
from sympe_experiments.molecules.model import GraphDiffusion
from sympe_experiments.molecules.sampling import Plan
from sympe_experiments.records import Record
from sympe_experiments.training import build_from_seed

GRAPHS = from_edges([(6, [(i, (i + 1) % 6) for i in range(6)]), (4, [(0, 1), (0, 2), (0, 3)]), (3, []), (2, [(0, 1)])])

XYZ = "3\nwater\nO 0 0 0.12\nH 0 0.76 -0.48\nH 0 -0.76 -0.48\n2\n\nN 0 0 0\nN 0 0 1.1\n"
EXTXYZ = (
    '3\nProperties=species:S:1:pos:R:3:forces:R:3 energy=-1.5 dipole="0 0 1" pbc="F F F"\n'
    "O 0 0 0.12 0 0 1\nH 0 0.76 -0.48 0 0 1\nH 0 -0.76 -0.48 0 0 1\n"
)
SDF = """water
  RDKit          3D

  3  2  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.1200 O   0  0
    0.0000    0.7600   -0.4800 H   0  0
    0.0000   -0.7600   -0.4800 H   0  0
  1  2  1  0
  1  3  1  0
M  END
>  <y>
1.5

$$$$
"""
GRAPHML = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="d0" for="node" attr.name="y" attr.type="int"><default>0</default></key>
  <graph id="G" edgedefault="undirected">
    <node id="a"><data key="d0">1</data></node><node id="b"/><node id="c"/>
    <edge source="a" target="b"/><edge source="b" target="c"/>
  </graph>
</graphml>
"""
MPS = """NAME          small
ROWS
 N  cost
 L  lim1
 G  lim2
COLUMNS
    MARKER    'MARKER'    'INTORG'
    x         cost         1.0   lim1         1.0
    y         cost         2.0   lim1         1.0
    y         lim2         1.0
    MARKER    'MARKER'    'INTEND'
    z         cost        -1.0   lim2         1.0
RHS
    RHS       lim1         4.0   lim2         1.0
BOUNDS
 UP BND       x            4.0
 LO BND       y           -1.0
 UP BND       y            1.0
ENDATA
"""
LP = "minimize\n obj: x + 2 y - z\nsubject to\n c1: x + y <= 4\n c2: y + z >= 1\n"
LP += "bounds\n x <= 4\n -1 <= y <= 1\ngeneral\n x y\nend\n"

SOL = "=obj= 3\nx 1.0\ny 0.5 \t(obj:1)\n"
CIF = """data_salt
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
_symmetry_Int_Tables_number 225
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Na1 Na 0 0 0 1.0
Cl1 Cl 0.5 0.5 0.5 1.0
"""
POSCAR = "salt\n5.64\n0 0.5 0.5\n0.5 0 0.5\n0.5 0.5 0\nNa Cl\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n"
CIF_MOLECULE = """data_nitrogen
loop_
_atom_site_type_symbol
_atom_site_Cartn_x
_atom_site_Cartn_y
_atom_site_Cartn_z
N 0 0 0
N 0 0 1.1
"""
XDATCAR = (
    POSCAR.replace("Direct", "Direct configuration=     1") + "Direct configuration=     2\n0 0 0.01\n0.5 0.5 0.5\n"
)
CRYSTAL = (
    '2\nLattice="0 2.8 2.8 2.8 0 2.8 2.8 2.8 0" Properties=species:S:1:pos:R:3 pbc="T T T"\nNa 0 0 0\nCl 2.8 0 0\n'
)

PROGRAM = programs.Program(
    cost=[1.0, 2.0],
    lower=[0, 0],
    upper=[1, 1],
    kind=[1, 1],
    matrix=np.ones((1, 2)),
    row_lower=[0],
    row_upper=[1],
    variables=("x", "y"),
    constraints=("c",),
    maximize=False,
    offset=0.0,
)

DOMAIN = Domain(("C", "N", "O"), (0.7, 0.2, 0.1), (0.75, 0.2, 0.05), (0.0, 0.2, 0.3, 0.5))
PLAN = Plan("0" * 64, 3, 2, 1.0, 0.0, 0, 10)


def make_corpus() -> dict[str, bytes]:
    """All files by name."""
    lines = to_graph6(GRAPHS)
    texts = {
        "g6": "\n".join([">>graph6<<", *lines]),
        "s6": ":Fa@x^\n:Cca\n:An\n",
        "graphml": GRAPHML,
        "edges": "a b\nb c\nc a\n\nx y\n",
        "csv": "source,target,weight\na,b,1\nb,c,1\n",
        "tsv": "u\tv\n1\t2\n2\t3\n",
        "txt": "# edges\n0 1 {}\n1 2 {}\n",
        "csv-smiles": 'smiles,y,name\nCCO,1.5,"a, b"\nc1ccccc1,2,benzene\n',
        "smi": "CCO ethanol\nCC=O ethanal\nc1ccccc1 benzene\n[NH4+]\n",
        "sdf": 3 * SDF,
        "mol": SDF.split(">  <y>")[0],
        "xyz": XYZ,
        "extxyz": EXTXYZ,
        "mps": MPS,
        "lp": LP,
        "sol": SOL,
        "cif": CIF,
        "cif-molecule": CIF_MOLECULE,
        "poscar": POSCAR,
        "xdatcar": XDATCAR,
        "extxyz-crystal": CRYSTAL,
    }
    held = {name: text.encode() for name, text in texts.items()}
    held |= {"npz-graphs": to_npz(GRAPHS), "npz-fields": _npz(fields=np.eye(4)[None].repeat(3, 0), y=np.arange(3.0))}
    held |= {"npz-labels": _npz(**_labeled(), compressed=False), "npz-molecules": _npz(**_molecules())}
    held |= {"npz-couplings": _npz(Jx=np.full((4, 4), 0.5), Jy=np.full((4, 4), -0.9))}
    held |= {"arrays": _npz(gap=np.ones((3, 3)), vector=np.arange(4.0))}
    held |= {
        f"{name}.gz": gzip.compress(held[name], mtime=0)
        for name in ("g6", "xyz", "graphml", "npz-graphs", "sdf", "cif")
    }
    held |= {f"{name}.xz": lzma.compress(held[name]) for name in ("edges", "smi", "lp")}
    held |= {f"{name}.bz2": bz2.compress(held[name]) for name in ("csv", "extxyz", "mps")}
    return held | _pyg() | _weights() | _of_runs() | of_ase()


def of_ase() -> dict[str, bytes]:
    """A crystal as ASE itself keeps it."""
    from ase import Atoms
    from ase.io import write

    with TemporaryDirectory() as folder:
        for name in ("salt.traj", "salt.db"):
            write(f"{folder}/{name}", Atoms("NaCl", [(0, 0, 0), (2.8, 0, 0)], cell=[5.6] * 3, pbc=True))
        with closing(sqlite3.connect(f"{folder}/salt.db")) as database:
            database.execute("UPDATE systems SET unique_id = 'x', ctime = 0, mtime = 0, username = 'x'")
            database.commit()
            database.execute("VACUUM")
        return {name: Path(folder, f"salt.{name}").read_bytes() for name in ("traj", "db")}


def _npz(compressed: bool = True, **arrays: Any) -> bytes:
    buffer = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(buffer, **arrays)
    return buffer.getvalue()


def _labeled() -> dict[str, Any]:
    edges = np.array([[0, 1], [1, 2], [0, 1]])
    held = {"n_nodes": np.array([3, 2]), "n_edges": np.array([2, 1]), "edges": edges, "split": np.array([0, 1])}
    return held | {"node_label": np.arange(5), "edge_label": np.ones(3, int), "x": np.ones((5, 2)), "y": np.arange(5.0)}


def _molecules() -> dict[str, Any]:
    bonds = np.array([[0, 1, 1], [1, 2, 2], [0, 1, 3], [0, 1, 1]], np.uint8)
    sizes, counts = np.array([3, 2, 2], np.uint8), np.array([2, 1, 1], np.uint8)
    return {"n_atoms": sizes, "n_bonds": counts, "bonds": bonds, "atom_type": np.array([1, 1, 3, 1, 2, 1, 3], np.uint8)}


def _pyg() -> dict[str, bytes]:
    from torch_geometric.data import Data

    edges = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    one = Data(edge_index=edges, num_nodes=3, y=torch.tensor([1.0]))
    two = Data(
        edge_index=edges, x=torch.ones(3, 2), edge_attr=torch.ones(4, 1), pos=torch.eye(3), z=torch.tensor([1, 6, 8])
    )
    return {"pt": _saved([one, one]), "pt-points": _saved(two)}


def _saved(held: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(held, buffer)
    return buffer.getvalue()


def _weights() -> dict[str, bytes]:
    autoencoder = autoencoder_config("sympe-sort", "smoke", hidden_dim=4)
    diffusion = molecules_config("sympe-depth-first-carried", "smoke", steps=4)
    models = {
        "weights-autoencoder": build_from_seed(lambda: GraphAutoencoder(autoencoder, 8), 0),
        "weights-ising": build_from_seed(lambda: SpinNetwork(ising_config("sympe-template", "smoke", hidden_dim=2)), 0),
        "weights-molecules": build_from_seed(lambda: GraphDiffusion(diffusion, DOMAIN), 0),
    }
    return {name: model.to_bytes() for name, model in models.items()}


def _of_runs() -> dict[str, bytes]:
    """What runs, samplings and audits leave."""
    import pyarrow
    from pyarrow import parquet

    record = Record(
        "ising", "gcnn", "smoke", "nearest", 0, {"L": 4}, {"error": 0.5, "floor": None}, 1.5, {"loss": [1.0, 0.5]}
    )
    adam = {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.ones(2, 2)}}, "param_groups": [{"lr": 0.1}]}
    checkpoint = {"state_dict": {"w": torch.ones(2, 2)}, "epoch": 1, "optimizer_states": [adam], "config": {"seed": 0}}
    columns = {"index": [0, 1, 2], "num_nodes": [1, 1, 2], "smiles": ["C", None, "CO"], "valid": [True, False, True]}
    table = pyarrow.table(columns | {"connected": [True] * 3, "seed": [0] * 3})
    file = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata({"plan": PLAN.to_bytes()}), file, write_page_checksum=True)
    with TemporaryDirectory() as folder:
        part = Part(index=[0, 1], n=[3, 4], order=[6, None], log_orbit=[0.0, None], point_group=[None, "C2v"])
        Folder(Path(folder)).commit(0, part)
        AtomicCheckpointIO().save_checkpoint(checkpoint, f"{folder}/last.ckpt")
        held = {"part": Path(folder, "00000000.json").read_bytes(), "ckpt": Path(folder, "last.ckpt").read_bytes()}
    held |= {"record": json.dumps(record.as_dict()).encode(), "plan": PLAN.to_bytes(), "parquet": file.getvalue()}
    return held | {"mark": b'{"process": 1, "host": "here"}\n'}
