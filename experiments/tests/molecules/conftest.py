"""A file of molecules, and one finished run on it, for all tests of runs."""

from pathlib import Path

import pytest

from molecule_runs import BROKEN, CHAINS, make_run, small


@pytest.fixture(scope="session")
def own_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "mine.smi"
    path.write_text("\n".join(CHAINS + BROKEN) + "\n")
    return path


@pytest.fixture(scope="session")
def finished(own_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    make_run(small(own_file), folder)
    return folder


@pytest.fixture(scope="session")
def weights(finished: Path) -> Path:
    return finished / "weights.safetensors"
