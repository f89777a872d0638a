"""Comparisons set the threads of PyTorch too; the tests after them expect one."""

import sys

import pytest


@pytest.fixture(autouse=True)
def _one_thread_for_pytorch():
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
