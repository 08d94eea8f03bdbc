"""Sets: send equal agents from two depots to four targets, no two to the same. Needs the library alone; half a minute."""

import torch
from scipy.optimize import linear_sum_assignment
from torch.nn import Linear, ModuleList, TransformerEncoder, TransformerEncoderLayer, functional

import sympe

pe = sympe.SymPE(sympe.InversionKernel(sympe.canonicalize.Base()), sympe.RankEncoding(dim=8, max_nodes=8))
layer = TransformerEncoderLayer(64, 4, 128, 0.0, batch_first=True, norm_first=True)
model = ModuleList([pe, Linear(3 + pe.dim, 64), TransformerEncoder(layer, 2, enable_nested_tensor=False)])
agents = torch.tensor([[0.0, 0.2, 0.5], [0, 0.2, 0.5], [0, 0.8, 0.5], [0, 0.8, 0.5]])  # kind 0, and where they start
optimizer, rng = torch.optim.Adam(model.parameters(), 1e-3), torch.Generator().manual_seed(0)
for _ in range(300):
    targets = torch.rand(128, 4, 2, generator=rng)
    x = torch.cat([agents.expand(128, 4, 3), functional.pad(targets, (1, 0), value=1.0)], dim=1)
    seen = torch.cat([x, pe(sympe.graphs.from_sets(x), rng).view(128, 8, -1)], dim=2)
    going, goals = model[2](model[1](seen)).chunk(2, dim=1)
    score = going @ goals.mT / 8 - 5 * torch.cdist(x[:, :4, 1:], targets)
    shortest = torch.tensor([linear_sum_assignment(d)[1].tolist() for d in torch.cdist(x[:, :4, 1:], targets)])
    allowed = torch.zeros_like(score).scatter(2, shortest.view(-1, 2, 2).repeat_interleave(2, dim=1), 1.0)
    closest = torch.tensor([linear_sum_assignment(s, True)[1].tolist() for s in score.detach() + 99 * allowed])
    loss = functional.cross_entropy(score.flatten(0, 1), closest.flatten())  # agents of one depot may change places
    optimizer.zero_grad(), loss.backward(), optimizer.step()
    if _ % 50 == 49: print(loss.item(), (score.argmax(2).sort(1).values == torch.arange(4)).all(1).float().mean())
