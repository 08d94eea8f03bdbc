"""Lattices: a checkerboard from uniform couplings, which no equivariant network can draw. Ten seconds."""

import torch
from torch import nn

import sympe
from sympe.actions import ScalarFields
from sympe.canonicalize import LexicographicMinimum
from sympe.groups import Torus

kernel = sympe.InversionKernel(LexicographicMinimum(ScalarFields(Torus("D4"))))
pe = sympe.SymPE(kernel, sympe.TileEncoding(dim=4, period=2))
layers = [nn.Conv2d(1 + pe.dim, 16, 3, padding=1, padding_mode="circular"), nn.SiLU(), nn.Conv2d(16, 1, 1)]
model = sympe.wrap(nn.Sequential(*layers), pe)

optimizer, rng = torch.optim.Adam(model.parameters(), 1e-2), torch.Generator().manual_seed(0)
for _ in range(100):
    spins = model(-torch.ones(8, 1, 6, 6), generator=rng).tanh()
    energy = (spins * (spins.roll(1, -1) + spins.roll(1, -2))).mean()  # antiferromagnetic: neighbors want to differ
    optimizer.zero_grad(), energy.backward(), optimizer.step()

spins = model(-torch.ones(2, 1, 4, 4), generator=rng).sign()[:, 0]
for sample in spins.tolist():
    print("\n".join("".join("+" if s > 0 else "-" for s in row) for row in sample), end="\n\n")
