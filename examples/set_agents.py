"""Sets: send equal agents from two depots to four targets, no two to the same. Needs sympe alone; half a minute."""

import torch
from scipy.optimize import linear_sum_assignment
from torch.nn import Linear, ModuleList, TransformerEncoder, TransformerEncoderLayer, functional

import sympe

pe = sympe.SymPE(sympe.InversionKernel(sympe.canonicalize.Refinement()), sympe.RankEncoding(dim=8, max_nodes=4))
layer = TransformerEncoderLayer(64, 4, 128, 0.0, batch_first=True)
model = ModuleList([pe, Linear(2 + pe.dim, 64), Linear(2, 64), TransformerEncoder(layer, 2)])
agents = torch.tensor([[0.2, 0.5], [0.2, 0.5], [0.8, 0.5], [0.8, 0.5]]).expand(64, 4, 2)  # where they start: two pairs

optimizer, rng = torch.optim.Adam(model.parameters(), 2e-3), torch.Generator().manual_seed(0)
for _ in range(250):
    targets = torch.rand(64, 4, 2, generator=rng)
    named = torch.cat([agents, pe(sympe.graphs.from_sets(agents), rng).view(64, 4, -1)], dim=2)
    going, goals = model[3](torch.cat([model[1](named), model[2](targets)], dim=1)).chunk(2, dim=1)
    score, distance = going @ goals.mT / 8, torch.cdist(agents, targets)
    shortest = torch.tensor([linear_sum_assignment(each)[1].tolist() for each in distance])
    allowed = torch.zeros_like(score).scatter(2, shortest.view(-1, 2, 2).repeat_interleave(2, dim=1), 1.0)
    closest = torch.tensor([linear_sum_assignment(s, True)[1].tolist() for s in score.detach() + 99 * allowed])
    loss = functional.cross_entropy(score.flatten(0, 1), closest.flatten())  # agents of one depot may change places
    optimizer.zero_grad(), loss.backward(), optimizer.step()

served = torch.zeros(64, 4).scatter(1, score.argmax(2), 1.0).sum(1)  # of targets that were never seen before
print(f"with a name drawn for each agent: {served.mean():.1f} of 4 targets served, at once")
