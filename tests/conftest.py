"""Settings for all tests: one thread, and a seeded generator."""

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture
def generator() -> torch.Generator:
    """Everything random in a test comes from here; a test's outcome never changes between runs."""
    return torch.Generator().manual_seed(20250424)
