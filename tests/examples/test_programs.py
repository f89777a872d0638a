"""Every example runs alone, and gives under fastgrad the numbers that the same source gives under PyTorch."""

import contextlib
import io
import re
import types
from pathlib import Path

import numpy as np
import pytest

import fastgrad

FOLDER = Path(__file__).parents[2] / "examples"
# Those that choose their library themselves are in test_libraries.
PROGRAMS = sorted(path.stem for path in FOLDER.glob("*.py") if "LIBRARY" not in path.read_text())
# Program 2 broadcasts its target on purpose, and both libraries warn about it.
WARNING = pytest.mark.filterwarnings("ignore:Using a target size:UserWarning")


def run(name, library):
    """The results of an example's main() and what it printed, with ``fastgrad`` read as ``library``."""
    path = FOLDER / f"{name}.py"
    source = path.read_text()
    if library == "torch":
        source = source.replace("import fastgrad as torch", "import torch").replace(
            "from fastgrad", "from torch"
        )
        assert not re.search(r"^\s*(import|from) fastgrad", source, re.MULTILINE)
    module = types.ModuleType(name)
    exec(compile(source, path, "exec"), module.__dict__)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        results = module.main()
    return results, printed.getvalue()


def same(name, ours, theirs, rtol=2e-5, atol=1e-6):
    """Equal structure, and equal numbers up to the rounding of the order of summation."""
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys(), name
        for key in ours:
            same(f"{name}[{key}]", ours[key], theirs[key])
    elif isinstance(ours, list):
        assert len(ours) == len(theirs), name
        for i, pair in enumerate(zip(ours, theirs)):
            same(f"{name}[{i}]", *pair)
    elif isinstance(ours, fastgrad.Tensor):
        assert str(ours.dtype) == str(theirs.dtype), name
        assert tuple(ours.shape) == tuple(theirs.shape), name
        same(name, ours.detach().numpy(), theirs.detach().numpy())
    elif isinstance(ours, np.ndarray | float):
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol, err_msg=name)
    else:
        assert ours == theirs, name


def numbers(text):
    return [float(number) for number in re.findall(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?", text)]


@WARNING
@pytest.mark.parametrize("name", PROGRAMS)
def test_equals_pytorch(name, torch):
    ours, our_text = run(name, "fastgrad")
    theirs, their_text = run(name, "torch")
    if name == "01_softmax_gradients":
        # PyTorch's errors do not guess what was meant: only the exception is the same.
        kinds = [{call: text.split(":")[0] for call, text in r.pop("slips").items()} for r in (ours, theirs)]
        assert kinds[0] == kinds[1]
        our_text, their_text = (text.split("p.backward()")[0] for text in (our_text, their_text))
    same(name, ours, theirs)
    # What is printed is rounded, so the last digit shown may differ by one.
    np.testing.assert_allclose(numbers(our_text), numbers(their_text), rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize("name", PROGRAMS)
def test_runs_alone(name, run_python, tmp_path):
    path = tmp_path / "picture.png"
    program = FOLDER / f"{name}.py"
    process = run_python(
        *(("-W", "default:Using a target size:UserWarning") if name == "02_perceptron" else ()),
        program,
        *((path,) if name == "05_linear_regression" else ()),
    )
    assert process.stdout
    if name == "05_linear_regression":
        assert path.read_bytes().startswith(b"\x89PNG")


def test_softmax_gradients_follow_the_formula():
    results, _ = run("01_softmax_gradients", "fastgrad")
    p = results["p"].detach().numpy()
    jacobian = np.diag(p) - np.outer(p, p)
    np.testing.assert_allclose(results["dp1"].numpy(), jacobian[1], atol=1e-7)
    np.testing.assert_allclose(results["dp2"].numpy(), jacobian[2], atol=1e-7)
    assert "grad can be implicitly created only for scalar outputs" in results["errors"]["p.backward()"]
    assert "backward through the graph a second time" in results["errors"]["autograd.grad(p[0], [a])"]


@pytest.mark.parametrize(
    ("slip", "kind", "meant"),
    [
        ("autograd.gard", "AttributeError", "'grad'"),
        ("F.mse.loss", "AttributeError", "'mse_loss'"),
        ("retain_gragh=True", "TypeError", "'retain_graph'"),
        ("loss.backgrad()", "AttributeError", "'backward'"),
    ],
)
def test_a_slip_names_what_was_meant(slip, kind, meant):
    text = run("01_softmax_gradients", "fastgrad")[0]["slips"][slip]
    assert text.startswith(kind)
    assert meant in text


def test_perceptron_warns_about_the_broadcast():
    with pytest.warns(UserWarning, match=r"Using a target size \(torch.Size\(\[1, 2\]\)\)"):
        results, _ = run("02_perceptron", "fastgrad")
    assert results["dw2"].shape == (2, 10)


def test_chain_rule():
    results, _ = run("03_chain_rule", "fastgrad")
    assert [results[name].item() for name in ("dy2_dy1", "dy1_dw1", "product", "dy2_dw1")] == [2, 1, 2, 2]


def test_three_classes():
    results, _ = run("04_three_classes", "fastgrad")
    assert results["classes"] == 3
    assert results["grad_before"] is None
    assert results["dw"].shape == (13, 20)
    assert results["loss_after"].item() < results["loss"].item()
    np.testing.assert_allclose(results["by_hand"], results["by_optimizer"], rtol=1e-5)
    np.testing.assert_allclose(results["by_log_softmax"], results["by_optimizer"], rtol=1e-5)
    assert results["by_optimizer"][-1] < results["by_optimizer"][0]


def test_linear_regression_finds_the_line():
    results, _ = run("05_linear_regression", "fastgrad")
    assert results["w"].item() == pytest.approx(3, abs=0.05)
    assert results["b"].item() == pytest.approx(0.8, abs=0.05)


def test_backward_by_hand_equals_the_tape():
    results, text = run("06_backward_by_hand", "fastgrad")  # main() itself compares, to 1e-6
    assert len(results["network"]) == 6
    assert text.count("equal to the tape's") == 9
