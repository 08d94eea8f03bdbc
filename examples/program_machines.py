"""Programs: a job for each of four equal machines, answered at once. Needs sympe[programs]; ten seconds."""

from pathlib import Path

import torch
from scipy.optimize import linear_sum_assignment

import sympe

sums = [" + ".join(f"x{i}{j}" for j in range(4)) + " = 1" for i in range(4)]  # each job on one machine
sums += [" + ".join(f"x{i}{j}" for i in range(4)) + " = 1" for j in range(4)]  # each machine with one job
names = [f"x{i}{j}" for i in range(4) for j in range(4)]
Path("jobs.lp").write_text("\n".join(["Minimize", " 0 x00", "Subject To", *sums, "Binary", *names, "End"]))
program = sympe.programs.read("jobs.lp")
graphs, symmetry = sympe.programs.to_graphs([program]), sympe.programs.symmetry_of(program)
print(f"{symmetry.order} symmetries; labels for {len(symmetry.base)} of {graphs.num_nodes} nodes leave none")

kernel = sympe.CachedInversionKernel(sympe.canonicalize.Base())
pe = sympe.SymPE(kernel, sympe.RankEncoding(dim=16, max_nodes=8))  # labels for these nodes, drawn for each answer
read = torch.nn.Sequential(torch.nn.Linear(32, 64), torch.nn.SiLU(), torch.nn.Linear(64, 1))

optimizer, rng = torch.optim.Adam([*pe.parameters(), *read.parameters()], 5e-3), torch.Generator().manual_seed(0)
for step in range(120):
    label = pe(graphs, rng)
    heard = torch.zeros_like(label).index_add(0, graphs.edge_index[1], label[graphs.edge_index[0]])
    score = read(torch.cat([label, heard], dim=1))[:16].view(4, 4)
    closest = torch.as_tensor(linear_sum_assignment(score.detach(), maximize=True)[1])  # of all answers that are right
    loss = torch.nn.functional.cross_entropy(score, closest)
    optimizer.zero_grad(), loss.backward(), optimizer.step()
    if step >= 116:
        print("machines of the four jobs:", score.argmax(1).tolist())
