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
    program, step = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(program, {})
    assert float(re.fullmatch(r"held-out accuracy (.*)%\n", printed.getvalue())[1]) > 95
    with contextlib.redirect_stdout(printed):
        exec(step, {})
    assert printed.getvalue().endswith("18 of 20 steps were replays\n")


def test_the_plan_of_docs_compile_is_what_is_planned():
    text = (REPOSITORY / "docs" / "compile.md").read_text()
    ((program, wanted),) = re.findall(r"```python\n(.*?)```.*?```text\n(.*?)```", text, re.DOTALL)
    printed, names, threads = io.StringIO(), {}, fastgrad.get_num_threads()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(program, "step.py", "exec"), names)
    finally:
        fastgrad.set_num_threads(threads)
    exec(re.findall(r"```python\n(.*?)```", text, re.DOTALL)[1], names)
    assert names["accumulate"].replays > 20
    sizes = r"[\d,]+ bytes of temporaries in [\d,]+"  # with the tiles of the processor
    assert re.sub(sizes, "", printed.getvalue()) == re.sub(sizes, "", wanted)


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


def test_contributing_s_operation_works(tmp_path, run_python):
    assert not hasattr(fastgrad, "logit"), "logit is there by now: let CONTRIBUTING.md add another operation"
    for folder in ("fastgrad", "kernels", "tests"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    blocks = re.findall(r"^`(\S+\.py)`\n```python\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 6
    assert sum(len(code.split("\n")) - 1 for _, code in blocks) < 30
    for path, code in blocks:
        source = (tmp_path / path).read_text()
        if path.endswith("cases.py"):  # beside its like
            before, row, after = source.partition('unary("reciprocal"')
            assert row
            (tmp_path / path).write_text(f"{before}{code}{row}{after}")
        else:
            (tmp_path / path).write_text(f"{source}\n\n{code}")
    tests = tmp_path / "tests" / "ops"
    ran = run_python(
        *("-m", "pytest", "-q", "-k", "logit and not logits", tests),
        PYTHONPATH=str(tmp_path),
        PYTHONSAFEPATH="1",
        CI="true",
    )
    assert int(re.search(r"(\d+) passed", ran.stdout)[1]) >= 4, ran.stdout


@pytest.mark.filterwarnings("ignore")  # an example may show what warns
@pytest.mark.parametrize("module", MODULES)
def test_docstrings_show_what_happens(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write a file
    names = importlib.import_module(module)
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    with contextlib.redirect_stdout(io.StringIO()) as report:
        result = doctest.testmod(names, extraglobs={"fastgrad": fastgrad}, optionflags=options)
    assert not result.failed, report.getvalue()
