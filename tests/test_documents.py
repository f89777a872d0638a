"""What the documents say is true: README's program, its commands, and every example in a docstring."""

import contextlib
import doctest
import importlib
import io
import re
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


@pytest.mark.parametrize("module", MODULES)
def test_docstrings_show_what_happens(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write a file
    names = importlib.import_module(module)
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testmod(names, extraglobs={"fastgrad": fastgrad}, optionflags=options)
    assert result.failed == 0
    assert result.attempted
