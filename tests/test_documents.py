"""What the documents say is true: README's program, its commands, and every example in a docstring."""

import contextlib
import doctest
import importlib
import io
import re
import shutil
from pathlib import Path

import pytest

import fastgrad

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text()
MODULES = sorted(
    ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")
    for path in (REPOSITORY / "fastgrad").rglob("*.py")
    if ">>>" in path.read_text()
)


def test_readme_s_program_runs():
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(program, {})
    assert float(re.fullmatch(r"held-out accuracy (.*)%\n", printed.getvalue())[1]) > 95


def test_ci_runs_readme_s_commands():
    (commands,) = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    train, test = commands.strip().splitlines()
    assert train == "pip install -e '.[train]' && fastgrad train"
    assert test == "pip install -e '.[test]' && pytest"
    ci = (REPOSITORY / ".ci" / "run").read_text()
    assert "pip install --quiet -e '.[test" in ci
    assert "fastgrad train --out" in ci
    assert "\npytest\n" in ci


def test_readme_s_links_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:|#)([^)]+)\)", README):
        assert (REPOSITORY / target).exists(), target


def test_the_changelog_knows_this_version():
    version = re.search(r"^## (\S+)", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    assert fastgrad.__version__.startswith(version)


RSQRT = """
import sys
import numpy as np
import fastgrad

assert sys.argv[1] in fastgrad.__file__
x = fastgrad.tensor([[0.25, 4.0], [1.0, 16.0]], dtype=fastgrad.float64, requires_grad=True)
np.testing.assert_array_equal(fastgrad.rsqrt(x.detach()).numpy(), [[2, 0.5], [1, 0.25]])
np.testing.assert_array_equal(fastgrad.rsqrt(x.detach().float().t()).numpy(), [[2, 1], [0.5, 0.25]])
assert type(fastgrad.rsqrt(x).grad_fn).__name__ == "RsqrtBackward0"
assert fastgrad.autograd.gradcheck(fastgrad.rsqrt, (x,))
assert fastgrad.autograd.gradgradcheck(fastgrad.rsqrt, (x,))

from fastgrad.kernels.reference import elementwise
out = np.empty((2, 2))
elementwise.rsqrt(out, x.detach().numpy())
np.testing.assert_array_equal(out, [[2, 0.5], [1, 0.25]])
"""


def test_contributing_s_operation_works(tmp_path, run_python):
    assert not hasattr(fastgrad, "rsqrt"), "rsqrt is there by now: let CONTRIBUTING.md add another operation"
    for folder in ("fastgrad", "kernels"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    blocks = re.findall(r"^`(\S+\.py)`\n```python\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 5
    assert sum(len(code.splitlines()) for _, code in blocks) < 30
    for path, code in blocks:
        with (tmp_path / path).open("a") as file:
            file.write(f"\n\n{code}")
    run_python("-c", RSQRT, tmp_path, PYTHONPATH=str(tmp_path), PYTHONSAFEPATH="1")


@pytest.mark.filterwarnings("ignore")  # an example may show what warns
@pytest.mark.parametrize("module", MODULES)
def test_docstrings_show_what_happens(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write a file
    names = importlib.import_module(module)
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    with contextlib.redirect_stdout(io.StringIO()) as report:
        result = doctest.testmod(names, extraglobs={"fastgrad": fastgrad}, optionflags=options)
    assert not result.failed, report.getvalue()
