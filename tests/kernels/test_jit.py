"""The policy of compiling: what may be declared, what a program compiles, and the same source in the interpreter."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from fastgrad.kernels import cpu, jit

STEP = """
import sys
import fastgrad as torch
from fastgrad import nn, optim
from fastgrad.kernels import jit

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(20, 13), nn.ReLU(), nn.Linear(13, 8), nn.Sigmoid(), nn.Linear(8, 3))
optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
X, y = torch.rand(50, 20), torch.randint(0, 3, (50,))
for _ in range(2):
    optimizer.zero_grad()
    loss = nn.CrossEntropyLoss()(model(X), y)
    loss.backward()
    optimizer.step()
print(loss.item())
print(*jit.compiled)
print("numba" in sys.modules)
from fastgrad._launch import core
print(*core.KERNELS, "matmul.product.gemm")
"""


@pytest.fixture(scope="module")
def first_run(run_python, tmp_path_factory):
    """A training step in a process of its own, with an empty cache."""
    cache = tmp_path_factory.mktemp("cache")
    return run_python("-c", STEP, FASTGRAD_CACHE_DIR=str(cache)), cache


def test_a_step_compiles_only_what_is_declared(first_run):
    process, _ = first_run
    _, compiled, numba, kernels = process.stdout.splitlines()
    rows = {f"{name}.{dtype}" for name in kernels.split() for dtype in ("float32", "float64")}
    names = compiled.split()
    assert names
    assert {name for name in names if not name.startswith("native.")} <= rows
    assert len(names) == len(set(names)) <= 60
    assert numba == "True"


def test_the_wait_has_a_name(first_run):
    """One line on stderr, once."""
    process, _ = first_run
    assert process.stderr == "fastgrad: compiling kernels for this processor (kept for the next run)\n"


def test_a_second_process_compiles_nothing(first_run, run_python):
    before, cache = first_run
    again = run_python("-c", STEP, FASTGRAD_CACHE_DIR=str(cache))
    loss, compiled, numba, _ = again.stdout.splitlines()
    assert loss == before.stdout.splitlines()[0]
    assert compiled == ""
    assert numba == "False"
    assert again.stderr == ""


def test_settings_of_numba_make_another_cache(first_run, run_python):
    """What changes the code changes the folder; what does not, does not."""
    _, cache = first_run
    folders = set(cache.glob("fastgrad/kernels-*"))
    assert len(folders) == 1
    program = "from fastgrad.kernels import store; print(store.folder())"
    same = run_python("-c", program, FASTGRAD_CACHE_DIR=str(cache), NUMBA_NUM_THREADS="1").stdout.strip()
    assert {same} == {str(folder) for folder in folders}
    other = run_python("-c", program, FASTGRAD_CACHE_DIR=str(cache), NUMBA_OPT="1").stdout.strip()
    assert other not in {str(folder) for folder in folders}


def test_the_interpreter_computes_the_same(run_python):
    """The step, with every kernel run by Python."""
    program = STEP.replace("50", "4").replace("(20, 13)", "(20, 3)").replace("(13, 8)", "(3, 2)").replace("(8, 3)", "(2, 3)")
    losses = [
        float(run_python("-c", program, NUMBA_DISABLE_JIT=setting).stdout.splitlines()[0]) for setting in ("0", "1")
    ]
    assert losses[0] == losses[1]


# --- declarations -----------------------------------------------------------------------------------------------------


@pytest.mark.plain
def test_types_are_a_closed_list():
    def scale(out, x, n, lo, hi): ...

    for bad in ("c64* out, F* x, int n", "F* out, float32[:] x, int n", "F* out, F* x, bool n"):
        with pytest.raises(TypeError, match="is not on the closed list of argument types"):
            jit.kernel(bad)(scale)


@pytest.mark.plain
def test_the_declaration_names_the_parameters():
    def scale(out, x, lo, hi): ...

    for bad in ("F* x, F* out", "F* out", "F* out, F* x, int n"):
        with pytest.raises(TypeError, match=r"kernel scale declares .* but takes"):
            jit.kernel(bad)(scale)

    def without_range(out, x): ...

    with pytest.raises(TypeError, match="declares"):
        jit.kernel("F* out, F* x")(without_range)


@pytest.mark.plain
def test_a_name_belongs_to_one_kernel():
    def declare(body):
        namespace = {"__name__": "fastgrad.kernels.cpu.trial"}
        exec(f"def twice(out, lo, hi):\n    {body}", namespace)
        return jit.kernel("F* out")(namespace["twice"])

    made = declare("out[lo] = 1")
    try:
        assert jit.declared(made.name) is made
        with pytest.raises(TypeError, match="two kernels are called trial.twice"):
            declare("out[lo] = 2")
    finally:
        del jit._declared["trial.twice"]


@pytest.mark.plain
def test_unknown_names():
    with pytest.raises(LookupError, match="no CPU kernel is called 'elementwise.nonsense'"):
        jit.declared("elementwise.nonsense")
    with pytest.raises(ModuleNotFoundError):
        jit.declared("nonsense.add")


@pytest.mark.plain
def test_an_address_is_the_same_each_time():
    row = jit.declared("elementwise.add").row(np.float32)
    assert row.address == jit.address("elementwise.add", "float32") == row.address
    assert row.address != jit.address("elementwise.add", "float64")
    assert jit.declared("elementwise.add").row(np.float32).address == row.address


def test_pointers_come_first():
    """A recorder tells addresses by their place: pointers first, then sizes (elementwise rows begin with their number)."""
    families = [path.stem for path in Path(cpu.__file__).parent.glob("*.py") if path.stem != "__init__"]
    for family in families:
        importlib.import_module(f"fastgrad.kernels.cpu.{family}")
    for name, kernel in jit._declared.items():
        types = [kind for kind in kernel.types if kind != "type"]
        if name.startswith("matmul.") or types[:2] == ["int", "i64*"] or ".cpu." not in kernel.function.__module__:
            continue
        sizes = types.index("int") if "int" in types else len(types)
        assert not set(types[sizes:]) & set(jit.POINTERS), (name, types)
