"""The wheel holds everything and works where it is unpacked; a bare checkout works without an install."""

import re
import shutil
import tomllib
import zipfile
from pathlib import Path

import pytest

import fastgrad

REPOSITORY = Path(__file__).parents[1]

USE = """
import pathlib, sys
import fastgrad
from fastgrad import datasets, nn, optim
import fastgrad.kernels.cpu

home = pathlib.Path(sys.argv[1])
for module in (fastgrad, fastgrad.kernels, fastgrad.kernels.cpu):
    assert home in pathlib.Path(module.__file__).parents, module.__file__
x, y = datasets.digits().tensors
model = nn.Linear(64, 10)
optimizer = optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    loss = nn.CrossEntropyLoss()(model(x), y)
    loss.backward()
    optimizer.step()
print(loss.item())
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the sources: building writes beside them."""
    copy = tmp_path_factory.mktemp("checkout")
    skip = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for folder in ("fastgrad", "kernels"):
        shutil.copytree(REPOSITORY / folder, copy / folder, ignore=skip)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, copy)
    return copy


@pytest.fixture(scope="module")
def wheel(tree, tmp_path_factory):
    import subprocess
    import sys

    out = tmp_path_factory.mktemp("dist")
    code = f"from setuptools import build_meta; build_meta.build_wheel({str(out)!r})"
    built = subprocess.run(
        [sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, timeout=600
    )
    assert built.returncode == 0, built.stderr
    (path,) = out.glob("*.whl")
    return path


def test_the_wheel_holds_every_source_file(tree, wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    sources = {str(path.relative_to(tree)) for path in (tree / "fastgrad").rglob("*") if path.is_file()}
    kernels = {f"fastgrad/{path.relative_to(tree)}" for path in (tree / "kernels").rglob("*.py")}
    assert names == sources | kernels
    assert {"fastgrad/py.typed", "fastgrad/data/optdigits.npz"} <= names


def test_the_wheel_says_what_it_is(wheel):
    with zipfile.ZipFile(wheel) as archive:
        texts = {
            Path(name).name: archive.read(name).decode() for name in archive.namelist() if "dist-info" in name
        }
    metadata = texts["METADATA"]
    assert f"\nVersion: {fastgrad.__version__}\n" in metadata
    assert "\nLicense-Expression: MIT\n" in metadata
    assert "fastgrad = fastgrad.cli:main" in texts["entry_points.txt"]
    required = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*$", metadata, re.MULTILINE)
    assert sorted(required) == ["numba", "numpy", "safetensors", "tqdm"]
    assert {"LICENSE", "LICENSE-optdigits.txt"} <= texts.keys()


def test_the_unpacked_wheel_trains(wheel, tmp_path, run_python):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    assert float(run_python("-c", USE, tmp_path, PYTHONPATH=str(tmp_path), PYTHONSAFEPATH="1").stdout) < 2.4


def test_a_bare_checkout_trains(tree, run_python):
    assert float(run_python("-c", USE, tree, PYTHONPATH=str(tree), PYTHONSAFEPATH="1").stdout) < 2.4


def test_the_suite_needs_no_pytorch():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert not [name for name in project["optional-dependencies"]["test"] if re.match(r"(torch|jax)\b", name)]
