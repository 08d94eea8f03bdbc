"""Sample many graphs into one file, in shards that a kill neither loses nor doubles.

All sizes are drawn first; graphs are then sampled in batches of one size, each batch with a generator that depends on
the seed and the number of the batch alone. A shard is a run of batches, written whole or not at all. So the file is the
same whether it was sampled at once, in several goes, or on several devices.

A ``.parquet`` holds all samples and the plan they were made by, so that a finished file can be checked. A ``.smi`` or
``.sdf`` holds the valid molecules alone, named by their index; the SDF draws them in two dimensions.

Columns of Parquet: ``index``, ``num_nodes``, ``smiles`` (canonical, of the largest fragment; null if not valid; for
plain graphs ``graph6`` instead), ``valid`` (for plain graphs: whether connected), ``connected``, ``seed``.
"""

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader

from sympe.atomic import MARK, claimed, write_atomically
from sympe.compressed import content_of
from sympe.extras import require
from sympe.graphs import Graphs, to_graph6
from sympe.graphs.molecules import Smiles
from sympe.settings import require_at_least, require_seed
from sympe.signals import be_a_worker
from sympe_experiments.molecules.chemistry import rdkit, write_smiles
from sympe_experiments.molecules.evaluation import batch_size
from sympe_experiments.molecules.model import GraphDiffusion
from sympe_experiments.molecules.pretrained import find_weights
from sympe_experiments.resuming import is_first, require_same_values
from sympe_experiments.seeding import mixed_generator
from sympe_experiments.training import in_company, make_trainer

_MOLECULES = (".smi", ".sdf")

#: What the streams of random numbers are for; beside those of a run.
SIZES, GRAPHS = 11, 12

#: The file beside the shards that says what they are of.
PLAN = "plan.json"


@dataclass(frozen=True)
class Plan:
    """What to sample.

    Attributes:
        weights: Digest of the file of weights.
        num: Number of graphs.
        steps: Steps back from noise.
        spacing: Of the times that they go through.
        guidance: Weight of the guess that sees g~ near the graph, where there is another.
        seed: Seed of everything random.
        shard_size: Least number of graphs per shard.
    """

    weights: str
    num: int
    steps: int
    spacing: float
    guidance: float
    seed: int
    shard_size: int

    def to_bytes(self) -> bytes:
        return (json.dumps(vars(self), sort_keys=True) + "\n").encode()


@dataclass(frozen=True)
class Batch:
    """Graphs that are sampled together.

    Attributes:
        number: Place among all batches; names the generator.
        num_nodes: Nodes of each graph.
        indices: Places of the graphs among all.
    """

    number: int
    num_nodes: int
    indices: list[int]


def plan_shards(model: GraphDiffusion, plan: Plan) -> list[list[Batch]]:
    """All batches, by shard.

    Raises:
        ValueError: If there are too many graphs to number.
    """
    try:
        sizes = torch.tensor(model.domain.draw_sizes(plan.num, mixed_generator(plan.seed, SIZES)), dtype=torch.long)
    except (RuntimeError, ValueError, MemoryError) as error:
        raise ValueError(f"num must be so small that the sizes of all graphs fit in memory; got {plan.num}") from error
    shards: list[list[Batch]] = [[]]
    number = 0
    for n in sizes.unique().tolist():
        for part in (sizes == n).nonzero()[:, 0].split(batch_size(n)):
            if sum(len(batch.indices) for batch in shards[-1]) >= plan.shard_size:
                shards.append([])
            shards[-1].append(Batch(number, n, part.tolist()))
            number += 1
    return shards


def sample_to_file(
    weights: Path | str,
    out: Path,
    num: int,
    *,
    steps: int | None = None,
    spacing: float | None = None,
    guidance: float | None = None,
    seed: int = 0,
    shard_size: int = 1000,
    resume: bool = False,
    devices: int = 1,
    accelerator: str = "auto",
) -> dict[str, Any] | None:
    """Sample graphs into a file; until it is complete, shards stay in ``<out>.parts``.

    Args:
        weights: The file of weights of a run, or the name of a model that comes with the package.
        out: The file to write: ``.parquet`` or, for molecules, ``.smi`` or ``.sdf``.
        num: Number of graphs.
        steps: Steps from noise to graph; by default all of the process.
        spacing: Of the times of fewer steps; by default evenly.
        guidance: Weight of the guess that sees g~ near the graph, for methods that have another; by default 0.
        seed: Seed of everything random.
        shard_size: Least number of graphs per shard.
        resume: Whether to go on from the shards or the file of an earlier call.
        devices: Processes to sample with.
        accelerator: ``auto``, ``cpu`` or ``gpu``.

    Returns:
        Counts of what was sampled; None in all processes but the first.

    Raises:
        ValueError: If an argument is invalid, or ``out`` or its shards exist and ``resume`` is not set.
        ImportError: If pyarrow, or for molecules RDKit, is not installed.
    """
    _parquet()
    if out.suffix not in (".parquet", *_MOLECULES):
        raise ValueError(f"expected a file ending in .parquet, .smi or .sdf; got {out}")
    require_at_least(1, num=num, shard_size=shard_size, devices=devices)
    require_seed(seed)
    file = find_weights(weights)
    model = GraphDiffusion.load(file, spacing, guidance)
    if model.domain.is_chemical:
        rdkit()
    elif out.suffix in _MOLECULES:
        raise ValueError(f"expected a file ending in .parquet, as the model draws plain graphs; got {out}")
    steps = model.steps if steps is None else steps
    model.times(steps)
    law = (model.config.spacing or 1.0, model.config.guidance or 0.0)
    plan = Plan(hashlib.sha256(file.read_bytes()).hexdigest(), num, steps, *law, seed, shard_size)
    parts = out.with_name(out.name + ".parts")
    is_text = out.suffix in _MOLECULES
    if is_first() and out.exists() and not (resume and is_text and parts.exists()):
        if not resume or is_text:
            raise ValueError(f"{out} is there already; give another file")
        found = summarize(out, plan)
        if parts.is_dir() and (parts / MARK).exists():
            with claimed(parts):
                _remove(parts)
        return found

    # What can refuse comes before the folder is begun.
    shards = plan_shards(model, plan)
    trainer = make_trainer(parts, 1, devices=devices, accelerator=accelerator)
    trainer.logger = None
    if not is_first():
        be_a_worker()
        _sample(trainer, _SampleShards(model, plan, shards, parts))
        return None
    with claimed(parts, adopt=resume and (parts / PLAN).exists()):
        _begin(parts, plan, resume)
        _sample(trainer, _SampleShards(model, plan, shards, parts))
        table = _merge(parts, len(shards))
        if is_text:
            write_atomically(out, lambda file: file.writelines(_as_text(table, out.suffix)))
        else:
            _write(out, table)
        found = _counts(out, table) if is_text else summarize(out, plan)
        _remove(parts)
    return found


def _sample(trainer: Trainer, module: "_SampleShards") -> None:
    if module.missing():
        with in_company(trainer):
            trainer.predict(module, return_predictions=False)
            # Not in on_predict_end, which a process without shards does not come to.
            trainer.strategy.barrier()


class _SampleShards(LightningModule):
    """A prediction loop: each step samples one shard and writes it."""

    def __init__(self, model: GraphDiffusion, plan: Plan, shards: list[list[Batch]], parts: Path) -> None:
        super().__init__()
        # There may be more processes than shards.
        self.allow_zero_length_dataloader_with_multiple_devices = True
        self.model = model
        self.plan = plan
        self.shards = shards
        self.parts = parts
        self.schema = _schema(model, plan)

    def missing(self) -> list[int]:
        """Numbers of the shards that are missing or damaged."""
        paths = (_shard_path(self.parts, k) for k in range(len(self.shards)))
        return [k for k, path in enumerate(paths) if not _is_whole(path, self.shards[k], self.schema)]

    def predict_dataloader(self) -> DataLoader:
        own = self.missing()[self.trainer.global_rank :: self.trainer.world_size]
        return DataLoader(own, batch_size=None)  # type: ignore[arg-type]

    def predict_step(self, number: int, batch_index: int) -> int:
        rows: list[dict[str, Any]] = []
        for batch in self.shards[int(number)]:
            generator = mixed_generator(self.plan.seed, GRAPHS, batch.number)
            state = self.model.sample(len(batch.indices), batch.num_nodes, self.plan.steps, generator, self.device)
            rows += _describe(state.to("cpu").to_graphs(), self.model, batch, self.plan.seed)
        _write(_shard_path(self.parts, int(number)), _parquet().Table.from_pylist(rows, schema=self.schema))
        return int(number)


def _describe(graphs: Graphs, model: GraphDiffusion, batch: Batch, seed: int) -> Iterator[dict[str, Any]]:
    common = [{"index": i, "num_nodes": batch.num_nodes, "seed": seed} for i in batch.indices]
    if model.domain.is_chemical:
        for row, one in zip(common, write_smiles(graphs, model.domain.elements), strict=True):
            yield row | {"smiles": one.smiles, "valid": one.valid, "connected": one.connected}
        return
    import networkx

    for row, line in zip(common, to_graph6(graphs), strict=True):
        connected = networkx.is_connected(networkx.from_graph6_bytes(line.encode()))
        yield row | {"graph6": line, "valid": connected, "connected": connected}


def _parquet() -> Any:
    require("pyarrow.parquet", "molecules", "Parquet files", "sympe-experiments")
    import pyarrow.parquet

    return pyarrow


def _shard_path(parts: Path, number: int) -> Path:
    return parts / f"shard-{number:06d}.parquet"


def _begin(parts: Path, plan: Plan, resume: bool) -> None:
    """Write the plan into the folder of shards, or check that what it holds belongs to the plan."""
    path = parts / PLAN
    if not path.exists():
        write_atomically(path, lambda file: file.write(plan.to_bytes()))
        return
    if not resume:
        raise ValueError(f"{parts} holds shards of an interrupted sampling; resume it or give another file")
    _compare(content_of(path), plan, f"{path} is damaged; remove {parts} to start anew")


def _compare(stored: bytes, plan: Plan, complaint: str) -> None:
    """Check that a stored plan is this one; ``complaint`` is the message if it is no plan at all."""
    try:
        found = json.loads(stored)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValueError(complaint)
    require_same_values("the sampling", found, vars(plan))


def _schema(model: GraphDiffusion, plan: Plan) -> Any:
    """Columns, and the plan beside them."""
    pyarrow = _parquet()
    text = "smiles" if model.domain.is_chemical else "graph6"
    kinds = {"index": pyarrow.int64(), "num_nodes": pyarrow.int32(), text: pyarrow.string()}
    kinds |= {"valid": pyarrow.bool_(), "connected": pyarrow.bool_(), "seed": pyarrow.int64()}
    return pyarrow.schema(kinds, metadata={"plan": plan.to_bytes()})


def _is_whole(path: Path, shard: list[Batch], schema: Any) -> bool:
    try:
        table = _read(path)
    except (_parquet().ArrowException, OSError):
        return False
    indices = [i for batch in shard for i in batch.indices]
    return table.schema.equals(schema, check_metadata=True) and table.column("index").to_pylist() == indices


def _read(path: Path) -> Any:
    return _parquet().parquet.read_table(path, page_checksum_verification=True)


def _write(path: Path, table: Any) -> None:
    buffer = io.BytesIO()
    _parquet().parquet.write_table(table, buffer, write_page_checksum=True)
    write_atomically(path, lambda file: file.write(buffer.getbuffer()))


def _merge(parts: Path, count: int) -> Any:
    return _parquet().concat_tables([_read(_shard_path(parts, k)) for k in range(count)]).sort_by("index")


def _as_text(table: Any, suffix: str) -> Iterator[bytes]:
    """Lines of SMILES, or records of SDF, of the valid molecules."""
    chem = rdkit()
    from rdkit.Chem.rdDepictor import Compute2DCoords

    for row in (row for batch in table.to_batches() for row in batch.to_pylist()):
        if row["valid"] and suffix == ".smi":
            yield f"{row['smiles']} {row['index']}\n".encode()
        elif row["valid"]:
            molecule = Smiles(row["smiles"]).molecule()
            Compute2DCoords(molecule)
            molecule.SetProp("_Name", str(row["index"]))
            yield (chem.MolToMolBlock(molecule) + "$$$$\n").encode()


def _remove(parts: Path) -> None:
    """Delete plan and shards; what others have put beside them stays."""
    for path in [*parts.glob("shard-[0-9]*.parquet"), parts / PLAN]:
        path.unlink(missing_ok=True)


def summarize(out: Path, plan: Plan) -> dict[str, Any]:
    """Counts of what a file of samples holds.

    Raises:
        ValueError: If it is damaged, incomplete, or of another plan.
    """
    pyarrow = _parquet()
    try:
        table = _read(out)
        found = _counts(out, table)
    except (pyarrow.ArrowException, OSError, KeyError) as error:
        raise ValueError(f"{out} is no file of samples: {' '.join(str(error).split())}") from error
    _compare((table.schema.metadata or {}).get(b"plan", b""), plan, f"{out} is no file of samples: no plan in it")
    if len(table) != plan.num:
        raise ValueError(f"{out} must hold {plan.num} samples; got {len(table)}")
    return found


def _counts(out: Path, table: Any) -> dict[str, Any]:
    text = "smiles" if "smiles" in table.column_names else "graph6"
    columns = [table.column(name) for name in (text, "valid", "connected")]
    kinds = [str(column.type) for column in columns]
    if kinds != ["string", "bool", "bool"] or columns[1].null_count or columns[2].null_count:
        raise ValueError(f"{out} is no file of samples: expected {text}, valid and connected; got {', '.join(kinds)}")
    texts, valid, connected = (column.to_pylist() for column in columns)
    return {
        "file": str(out),
        "samples": len(texts),
        "valid": sum(valid),
        "connected": sum(connected),
        "different": len({one for one, is_valid in zip(texts, valid, strict=True) if is_valid}),
    }
