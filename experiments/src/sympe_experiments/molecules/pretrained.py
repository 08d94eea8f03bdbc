"""Weights that come with the package, each beside the record of its run.

They are what a machine with two cores could train; docs/molecules.md and docs/molecules-results.md say how good they
are.
"""

from pathlib import Path

_FOLDER = Path(__file__).with_name("weights")


def pretrained() -> tuple[str, ...]:
    """Names of the models that come with the package."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.safetensors")))


def find_weights(name: Path | str) -> Path:
    """The file of weights of a run, or of a model that comes with the package.

    Args:
        name: A path, or one of :func:`pretrained`.

    Raises:
        ValueError: If it is neither.
    """
    path, own = Path(name), _FOLDER / f"{name}.safetensors"
    if path.is_file():
        return path
    if str(name) in pretrained():
        return own
    raise ValueError(f"no file of weights {name}; give one that a run exported, or one of {', '.join(pretrained())}")
