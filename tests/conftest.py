"""What every test file shares: the seed, hypothesis's profiles, and PyTorch where it is installed."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import hypothesis
import pytest

REPOSITORY = Path(__file__).parents[1]
# CI's oracle run sets it: there a comparison that is skipped for want of PyTorch would be a silent hole.
ORACLE_REQUIRED = os.environ.get("FASTGRAD_REQUIRE_ORACLE") == "1"

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell that runs the tests in the background has them ignore it
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A machine may have no time for a test for seconds: neither an example nor the making of it has a limit.
_PATIENT: dict[str, Any] = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("local", max_examples=50, **_PATIENT)
hypothesis.settings.register_profile("ci", max_examples=50, derandomize=True, database=None, **_PATIENT)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(autouse=True)
def _same_start():
    """Every test starts from the same random numbers and on the same number of threads, whatever ran before it."""
    import fastgrad

    threads = fastgrad.get_num_threads()
    fastgrad.manual_seed(0)
    yield
    if fastgrad.get_num_threads() != threads:
        fastgrad.set_num_threads(threads)


@pytest.fixture(scope="session")
def torch():
    """PyTorch on one thread; a test that asks for it is skipped where it is not installed."""
    if ORACLE_REQUIRED:
        import torch
    else:
        torch = pytest.importorskip("torch", reason="compares with PyTorch: pip install -e '.[oracle]'")
    torch.set_num_threads(1)
    return torch


@pytest.fixture(scope="session")
def run_python():
    """Run code or a script in a fresh interpreter that sees this checkout; a warning there is an error.

    `timeout` is for what hangs, not for what is slow: ten processes may share a core, and all of them compile."""

    def run(*arguments, timeout=600, check=True, **variables):
        process = subprocess.run(
            [sys.executable, "-W", "error", *map(str, arguments)],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), **variables},
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if check and process.returncode:
            pytest.fail(f"exit code {process.returncode}\n{process.stdout}\n{process.stderr}")
        return process

    return run
