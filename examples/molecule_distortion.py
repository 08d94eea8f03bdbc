"""Molecules: read xyz and SDF, and learn to stretch one of methane's four equal bonds. Needs sympe[molecules]."""

from pathlib import Path

import torch
from rdkit import Chem

import sympe
from sympe.breaking import for_points

Path("methane.xyz").write_text("5\n\nC 0 0 0\nH .6 .6 .6\nH .6 -.6 -.6\nH -.6 .6 -.6\nH -.6 -.6 .6\n")
Chem.MolToMolFile(Chem.MolFromXYZFile("methane.xyz"), "methane.sdf")
methane, same = (sympe.points.read(f"methane.{kind}").to(dtype=torch.float32) for kind in ("xyz", "sdf"))
print("symmetries of methane:", *(sympe.points.stabilizers(x)[0].order for x in (methane, same)))
bonds = methane.position[1:] - methane.position[0]
axis = for_points("sympe-frames", "1x1o")  # a learned vector, turned by a frame that is drawn for the molecule
gate = torch.nn.Sequential(torch.nn.Linear(1, 16), torch.nn.SiLU(), torch.nn.Linear(16, 1))  # of an angle: invariant

optimizer, rng = torch.optim.Adam([*axis.parameters(), *gate.parameters()], 3e-2), torch.Generator().manual_seed(0)
for _ in range(200):
    stretch = gate((axis(methane, rng, draws=32) @ bonds.T)[:, 0, :, None])[..., 0]
    longest = stretch.sort(dim=1, descending=True).values
    loss = (longest - torch.tensor([0.2, 0, 0, 0])).square().mean()  # one bond longer by 0.2 angstrom, whichever
    optimizer.zero_grad(), loss.backward(), optimizer.step()

print("five draws:", *(stretch[:5] > 0.1).int().tolist(), sep="\n")
print("mean of all:", [round(s, 2) for s in stretch.mean(0).tolist()])
