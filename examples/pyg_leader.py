"""PyG: elect one node of a ring, which no equivariant network can. Needs sympe[pyg]; half a minute."""

import torch
from torch_geometric.data import Batch, Data
from torch_geometric.nn import GraphSAGE

import sympe


def rings(*sizes: int) -> Batch:
    edges = [torch.tensor([[i, (i + d) % n] for i in range(n) for d in (1, -1)]).T for n in sizes]
    return Batch.from_data_list([Data(x=torch.ones(n, 1), edge_index=e) for n, e in zip(sizes, edges, strict=True)])


pe = sympe.SymPE(sympe.InversionKernel(sympe.canonicalize.Labeling()), sympe.RankEncoding(dim=8, max_nodes=16))
model = sympe.wrap(GraphSAGE(1 + pe.dim, 32, num_layers=4, out_channels=1), pe)

optimizer, rng = torch.optim.Adam(model.parameters(), 5e-3), torch.Generator().manual_seed(0)
train, test = rings(5, 6, 8, 9, 11), rings(7, 10)
for _ in range(250):
    logit = model(train, generator=rng)[:, 0]
    odds = torch.zeros(5).index_add(0, train.batch, logit.exp())
    loss = -odds.log().sum() - torch.nn.functional.logsigmoid(-logit).sum()  # -log P(exactly one node is chosen)
    optimizer.zero_grad(), loss.backward(), optimizer.step()

elected = model(test, generator=rng)[:, 0] > 0
print("nodes elected in rings of 7 and 10:", [int(elected[test.batch == k].sum()) for k in range(2)])
