"""The runs on Ising ground states in each preset."""

from importlib.util import find_spec
from pathlib import Path

from sympe_experiments.ising.config import NAME, Config, make_config
from sympe_experiments.ising.training import run
from sympe_experiments.records import Job

#: Rows of the table of nearest neighbors: not equivariant, breaking no symmetry, SymPE, and its matched controls.
ROWS = ("mlp", "cnn", "gcnn", "gcnn-noise", "haar", "sympe-template-frozen", "sympe-template", "sympe-template-field")
#: Rows of that table in the quick preset.
QUICK = ("mlp", "cnn", "gcnn", "haar", "sympe-template")
#: Rows of the tables of the other models, and what else solves two of them; annealing only where it is installed.
OTHER_ROWS = ("gcnn", "gcnn-noise", "haar", "sympe-template-frozen", "sympe-template")
#: Rows of j1j2 in the quick preset.
J1J2_QUICK = ("sympe-template",)
SOLVERS = ("annealing", "milp") if find_spec("dwave") else ("milp",)


def run_folder(config: Config) -> Path:
    """The folder of a run below that of all runs."""
    size = f"L{config.size}"
    return Path(NAME, config.model, config.recipe, size, config.method, f"seed{config.seed}")


def jobs(preset: str) -> list[Job]:
    """The runs of a preset."""
    recipe = "smoke" if preset == "smoke" else "fast"
    configs = []
    for seed in range(3 if preset == "full" else 1):
        configs += [make_config(method, recipe, seed=seed) for method in (QUICK if preset == "quick" else ROWS)]
        rows = J1J2_QUICK if preset == "quick" else OTHER_ROWS
        models = ("j1j2", "field", "bonds") if preset == "full" else ("j1j2",)
        # In a field the stripes come late.
        recipes = {"field": "best"} if recipe == "fast" else {}
        configs += [
            make_config(method, recipes.get(model, recipe), seed=seed, model=model)
            for model in models
            for method in rows
        ]
    solved, solvers = (("j1j2",), SOLVERS[:1]) if preset == "quick" else (("j1j2", "bonds"), SOLVERS)
    configs += [make_config(method, recipe, model=model) for model in solved for method in solvers]
    return [job(config) for config in configs]


def job(config: Config) -> Job:
    """One run."""
    return Job.training(run_folder(config), run, config, "exact_percent_in")
