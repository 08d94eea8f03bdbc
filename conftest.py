"""Settings for all tests of both packages: one thread, one process, and chance that is the same in every run."""

import gc

import pytest
import torch
from hypothesis import settings

from sympe.auditing import engine

gc.disable()  # what is imported and collected stays
torch.set_num_threads(1)
torch.manual_seed(0)  # modules that test files build when they are imported
engine._SECONDS_ALONE = 60.0  # audits start processes where a test asks for them, not where the machine is slow
settings.register_profile("sympe", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("sympe")


def pytest_collection_finish() -> None:
    """From here on nobody looks through all of that again for garbage."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def same_initial_weights() -> None:
    """PyTorch's layers draw their weights from the global generator."""
    torch.manual_seed(0)


@pytest.fixture
def generator() -> torch.Generator:
    """Everything random in a test comes from here; a test's outcome never changes between runs."""
    return torch.Generator().manual_seed(20250424)
