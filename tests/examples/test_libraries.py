"""The programs that run under either library, LIBRARY=torch or fastgrad, print the same numbers under both."""

import contextlib
import io
import re
import types
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "examples"
COURSE = sorted(path.relative_to(FOLDER).as_posix() for path in (FOLDER / "course").glob("*.py"))
HOUSES = "07_house_prices.py"
HOUSE_TABLE = REPOSITORY.parent / "shared" / "data" / "house_prices" / "train.csv"
NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?")
# How many of the numbers that a program prints may differ by one in their last digit: the libraries add in different
# orders, so a number that lies between two roundings, as one in some hundred does, may fall to either side.
NEIGHBOURS = {"course/4_polynomial_fitting.py": 3}


def output(program, library, monkeypatch, **arguments):
    """What a program prints under a library."""
    monkeypatch.setenv("LIBRARY", library)
    path = FOLDER / program
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    exec(compile(path.read_text(), path, "exec"), module.__dict__)
    assert module.torch.__name__ == library
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        module.main(**arguments)
    return printed.getvalue()


def unit(number):
    """One in the last digit that is printed."""
    mantissa, _, exponent = number.partition("e")
    return 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def neighbours(ours, theirs):
    """How many numbers differ by one in the last digit; everything else must be equal."""
    assert NUMBER.sub("#", ours) == NUMBER.sub("#", theirs)
    pairs = [(a, b) for a, b in zip(NUMBER.findall(ours), NUMBER.findall(theirs)) if a != b]
    for a, b in pairs:
        assert abs(float(a) - float(b)) < 1.5 * unit(a), f"{a} is not {b}"
    return len(pairs)


@pytest.mark.parametrize("program", COURSE)
def test_a_course_s_program_prints_the_same(program, torch, monkeypatch):
    ours, theirs = (output(program, library, monkeypatch) for library in ("fastgrad", "torch"))
    assert len(NUMBER.findall(ours)) > 20
    assert neighbours(ours, theirs) <= NEIGHBOURS.get(program, 0)


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("table", [None, HOUSE_TABLE], ids=["made up", "real"])
def test_house_prices_print_the_same(table, noise, torch, monkeypatch):
    if table and not table.exists():
        pytest.skip("the table of Kaggle's house prices is not beside the repository")
    arguments = {"path": table, "noise": noise, "folds": 3, "epochs": 10}
    ours, theirs = (output(HOUSES, library, monkeypatch, **arguments) for library in ("fastgrad", "torch"))
    assert neighbours(ours, theirs) == 0


def test_house_prices_learn(monkeypatch):
    text = output(HOUSES, "fastgrad", monkeypatch, epochs=20)
    folds = re.findall(r"fold \d: log-RMSE (\S+) trained, (\S+) held out; the mean alone (\S+)", text)
    assert len(folds) == 5
    for trained, held_out, alone in folds:
        assert float(trained) < float(held_out) < 0.75 * float(alone)


@pytest.mark.parametrize("program", [HOUSES, *COURSE])
def test_it_runs_alone(program, run_python):
    process = run_python(FOLDER / program, LIBRARY="fastgrad")
    assert process.stdout
    assert "import fastgrad as torch" in (FOLDER / program).read_text()  # the line that a reader would write


def test_house_prices_take_options(run_python, tmp_path):
    program = FOLDER / HOUSES
    help = run_python(program, "--help").stdout
    assert "--noise" in help
    table = tmp_path / "mine.csv"
    source = (
        "import csv, runpy, sys\n"
        f"columns = runpy.run_path({str(program)!r})['made_up'](60)\n"
        "with open(sys.argv[1], 'w', newline='') as file:\n"
        "    csv.writer(file).writerows([columns, *zip(*columns.values())])\n"
    )
    run_python("-c", source, table)
    text = run_python(program, table, "--noise", "0.1", "--folds", "2", "--epochs", "2").stdout
    assert text.startswith("60 houses\nfold 1: ")
    assert "2 folds: log-RMSE" in text
