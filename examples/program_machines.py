"""Programs: a job for each of four equal machines, answered at once. Needs sympe[programs]; half a minute."""

from pathlib import Path

import torch
from scipy.optimize import linear_sum_assignment

import sympe

rows = [f" job{i}: " + " + ".join(f"x{i}{j}" for j in range(4)) + " = 1" for i in range(4)]
rows += [f" machine{j}: " + " + ".join(f"x{i}{j}" for i in range(4)) + " = 1" for j in range(4)]
names = " ".join(f"x{i}{j}" for i in range(4) for j in range(4))
Path("jobs.lp").write_text("\n".join(["Minimize", " cost: 0 x00", "Subject To", *rows, "Binary", names, "End"]))
program = sympe.programs.read("jobs.lp")
graphs, symmetry = sympe.programs.to_graphs([program]), sympe.programs.symmetry_of(program)
kernel = sympe.CachedInversionKernel(sympe.canonicalize.Base())
pe = sympe.SymPE(kernel, sympe.RankEncoding(dim=16, max_nodes=8))  # names for the nodes that leave no symmetry
read = torch.nn.Sequential(torch.nn.Linear(2 * 16, 64), torch.nn.SiLU(), torch.nn.Linear(64, 1))
(source, target), number = graphs.edge_index, program.num_variables
optimizer, rng = torch.optim.Adam([*pe.parameters(), *read.parameters()], 5e-3), torch.Generator().manual_seed(0)
for step in range(120):
    named = pe(graphs, rng)
    around = torch.zeros_like(named).index_add(0, target, named[source])  # one message from constraints to variables
    score = read(torch.cat([named, around], dim=1))[:number, 0].view(4, 4)
    job, machine = linear_sum_assignment(-score.detach())
    loss = torch.nn.functional.cross_entropy(score, torch.as_tensor(machine))  # the closest of all answers
    optimizer.zero_grad(), loss.backward(), optimizer.step()

print(symmetry.base)
