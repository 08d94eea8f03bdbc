"""e3nn: a network turns a square into a rectangle, longer along either side. Needs sympe[e3nn]; half a minute."""

import torch
from e3nn.nn.models.v2106.gate_points_networks import SimpleNetwork

import sympe
from sympe.integrations.e3nn import joined_irreps, wrap

square = torch.tensor([[1.0, 1, 0], [1, -1, 0], [-1, -1, 0], [-1, 1, 0]])
cloud = {"pos": square, "x": torch.ones(4, 1), "batch": torch.zeros(4, dtype=torch.long)}
pe = sympe.SymPE(sympe.InversionKernel(sympe.canonicalize.Frames()), sympe.IrrepsEncoding("2x0e+2x1o+2x2e"))
settings = {"max_radius": 4.0, "num_neighbors": 3.0, "num_nodes": 1.0, "mul": 8, "layers": 2, "pool_nodes": False}
model = wrap(SimpleNetwork(joined_irreps("1x0e", pe), "1x1o", **settings), pe, "1x0e")

targets = 0.3 * torch.stack([square * torch.tensor([1.0, -1, 0]), square * torch.tensor([-1.0, 1, 0])])

optimizer, rng = torch.optim.Adam(model.parameters(), 1e-2), torch.Generator().manual_seed(0)
for _ in range(80):
    moved = torch.stack([model(cloud, generator=rng) for _ in range(4)])
    loss = (moved[:, None] - targets).square().mean((2, 3)).amin(1).mean()  # the nearer of the two rectangles
    optimizer.zero_grad(), loss.backward(), optimizer.step()

for _ in range(4):
    x, y = (square + model(cloud, generator=rng)).abs().mean(0).tolist()[:2]
    print(f"a rectangle of {2 * x:.2f} by {2 * y:.2f}")
