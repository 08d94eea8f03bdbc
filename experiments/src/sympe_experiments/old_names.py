"""Names that methods, measurements and settings had in records and weights made before version 0.1.

Records stay as they were written. Whatever reads them asks here, so that all other code knows the new names alone.
"""

from collections.abc import Mapping
from typing import Any

#: Methods by experiment.
METHODS: dict[str, dict[str, str]] = {
    "graph-autoencoder": {
        "permutation": "haar",
        "sympe": "sympe-sort",
        "sympe-no-gradient": "sympe-sort-no-gradient",
        "sympe-labelling": "sympe-labeling",
        "laplacian-permutation": "laplacian-haar",
        "laplacian-sympe": "laplacian-sympe-sort",
        "laplacian-sympe-no-gradient": "laplacian-sympe-sort-no-gradient",
        "laplacian-spectral": "laplacian-sympe-spectral",
        "laplacian-breadth-first": "laplacian-sympe-breadth-first",
        "laplacian-depth-first": "laplacian-sympe-depth-first",
    },
    "ising": {
        "gcnn-haar": "haar",
        "sympe": "sympe-template",
        "sympe-frozen": "sympe-template-frozen",
        "sympe-full": "sympe-template-field",
        "sympe-full-plain": "sympe-template-field-plain",
        "sympe-full-frozen": "sympe-template-field-frozen",
    },
    "molecules": {
        "random": "haar-carried",
        "random-fresh": "haar-fresh",
        "sympe-fresh": "sympe-labeling-fresh",
        "sympe-fresh-refinement": "sympe-refinement-fresh",
        "sympe-fresh-sort": "sympe-sort-fresh",
        "sympe-carried": "sympe-depth-first-carried",
        "sympe-carried-canonical-depth-first": "sympe-canonical-depth-first-carried",
        "sympe-carried-labelling": "sympe-labeling-carried",
        "sympe-carried-refinement": "sympe-refinement-carried",
        "sympe-carried-sort": "sympe-sort-carried",
    },
    "independent-set": {"permutation": "haar", "sympe": "sympe-labeling"},
    "shapes": {
        "sympe": "sympe-frames",
        "principal-axes": "sympe-principal-axes",
        "weighted-frame": "sympe-weighted-frames",
    },
}

#: Settings by experiment.
SETTINGS: dict[str, dict[str, str]] = {
    "graph-autoencoder": {"hidden": "hidden_dim"},
    "ising": {"hidden": "hidden_dim", "kernel": "filter_width"},
    "molecules": {"node_hidden": "node_hidden_dim", "edge_hidden": "edge_hidden_dim"},
    "independent-set": {"hidden": "hidden_dim"},
    "shapes": {"hidden": "hidden_dim"},
}

#: Measurements and curves: parts of their names.
_SPELLINGS = {"labelled": "labeled"}


def method_now(experiment: str, method: str) -> str:
    """The name that a method of an experiment has now."""
    return METHODS.get(experiment, {}).get(method, method)


def config_now(experiment: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with the names of now."""
    settings = SETTINGS.get(experiment, {})
    named = {settings.get(name, name): value for name, value in config.items()}
    if isinstance(named.get("method"), str):
        named["method"] = method_now(experiment, named["method"])
    return named


def record_now(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record, as JSON holds them, with the names of now; anything else stays as it is."""
    named = dict(fields)
    if "task" not in named:
        return named
    experiment = named["experiment"] = named.pop("task")
    for name in ("metrics", "history"):
        if isinstance(named.get(name), dict):
            named[name] = {_spelled(key): value for key, value in named[name].items()}
    if isinstance(experiment, str):
        if isinstance(named.get("method"), str):
            named["method"] = method_now(experiment, named["method"])
        if isinstance(named.get("config"), dict):
            named["config"] = config_now(experiment, named["config"])
    return named


def _spelled(name: str) -> str:
    for old, new in _SPELLINGS.items():
        name = name.replace(old, new)
    return name
