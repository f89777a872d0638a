"""Every test of compiled steps leaves threads and precision as they were."""

import pytest

import fastgrad as torch


@pytest.fixture(autouse=True)
def settings_restored():
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    yield
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)
