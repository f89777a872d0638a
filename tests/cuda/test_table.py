"""What the two devices share: the names of kernels and their arguments; and what a plain test run can see without a GPU."""

import inspect
import os
import sys
import types

import pytest
from fastgrad.kernels import cuda, jit
from fastgrad.kernels.cpu.matmul import plan
from fastgrad.kernels.cuda import declare

OWN = [
    "class_loss.cross_entropy", "class_loss.target_weight", "elementwise.fill", "reduce.sum_columns", "reduce.sum_runs",
    "update.sgd",
]  # fmt: skip
MADE = ["activation.relu", "activation.relu_backward", "activation.softplus", "elementwise.copy", "elementwise.eq"]
# Without e**x: the device library's last step, a scaling by a power of two, is joined with a sum, which changes no
# normal number.
EXACT = [
    "activation.relu_backward", "class_loss.target_weight", "elementwise.add_scaled", "matmul.product",
    "reduce.sum_columns", "reduce.sum_runs", "update.sgd",
]  # fmt: skip


@pytest.mark.parametrize("name", OWN + MADE)
def test_arguments_are_the_cpu_s(name):
    kernel = declare.declared(name)
    passed = [kind for kind in kernel.types if kind != "type"]
    expected = [kind for kind in jit.declared(name).types if kind != "type"]
    if name in MADE:
        expected[1] = "int"  # the layout's address, 0 for none
    assert passed == expected


def test_the_product_takes_what_the_cpu_s_takes():
    here, there = (list(inspect.signature(f).parameters) for f in (cuda.gemm, plan.gemm))
    assert [name for name in there if name in here] == here


def test_what_is_no_kernel_is_refused():
    with pytest.raises(TypeError, match="closed list"):
        declare.kernel("complex* out")(lambda out, lo, hi, step: None)
    with pytest.raises(TypeError, match="declares"):
        declare.kernel("F* out")(lambda x, lo, hi, step: None)


def test_without_a_device_the_error_says_what_to_do():
    if cuda.available():
        pytest.skip("there is a device")
    with pytest.raises(RuntimeError, match="NUMBA_ENABLE_CUDASIM=1"):
        cuda.row("activation.relu", "float32")


@pytest.fixture
def ptx(monkeypatch):
    """A kernel in NVIDIA's assembly language. It needs NVVM of a CUDA toolkit, but no GPU."""
    if cuda.simulated:
        pytest.skip("the simulator compiles nothing")
    from numba import cuda as compiler
    from numba.cuda.cudadrv import nvvm

    try:
        there = nvvm.is_available() and nvvm.LibDevice()
    except (OSError, RuntimeError, TypeError):
        there = False
    if not there:
        pytest.skip("compiling for a GPU needs NVVM of a CUDA toolkit, which was not found")
    compile_ir = nvvm.compile_ir
    capability = types.SimpleNamespace(compute_capability=(8, 0))
    monkeypatch.setattr("numba.cuda.dispatcher.get_current_device", lambda: capability)

    def compile_one(name, dtype, **options):
        monkeypatch.setattr(nvvm, "compile_ir", lambda code, **given: compile_ir(code, **given | options))
        kernel = declare.declared(name)
        return compiler.compile_ptx(kernel.source(dtype), kernel.signature(), cc=(8, 0))[0]

    return compile_one


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [*OWN, *MADE, "matmul.product"])
def test_every_kernel_compiles_for_a_gpu(ptx, name, dtype):
    code = ptx(name, dtype)
    assert ".entry" in code
    assert "call" not in code.partition(".entry")[2]  # all in one piece
    assert ".local" not in code  # a thread's numbers are in registers


@pytest.mark.parametrize("name", EXACT)
def test_no_product_and_sum_are_contracted(ptx, name):
    """NVVM would turn a * b + c into one rounding where it likes: kernels leave it nothing to turn."""
    free, bound = ptx(name, "float32"), ptx(name, "float32", fma=0)
    assert free.count("fma.rn.f32") == bound.count("fma.rn.f32")


def test_in_the_simulator(run_python):
    """The rest of this folder, where there is no GPU: in a process of its own, which numba's simulator needs."""
    if cuda.available():
        pytest.skip("the tests beside this one run")
    here = os.path.dirname(__file__)
    done = run_python(
        "-m", "pytest", here, "-q", "-p", "no:cacheprovider", NUMBA_ENABLE_CUDASIM="1", check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    print(done.stdout.splitlines()[-1], file=sys.stderr)
