"""Every public name works inside a compiled step, with its gradients and the bits of eager mode: by a plan, or without one
where docs/compile.md says so."""

import warnings
from pathlib import Path

import numpy as np
import pytest

import fastgrad
from tests.compile.programs import bits
from tests.surface.modules import MODULES
from tests.surface.rows import FAMILIES
from tests.surface.samples import INPUTS, WHOLE, expressions, parts

# Families whose samples are about other things than numbers from numbers, or make modules, which a step does not.
OUTSIDE = {
    "optimizers", "schedulers", "data", "nn: modules", "nn.init", "nn.utils", "conversion", "attributes",
    "memory formats and devices",
}  # fmt: skip
# Rows that are left to eager mode; the docs name them.
LEFT = {
    "allclose", "equal", "prod", "cumprod", "logcumsumexp", "logcumsumexp over wide ranges", "unique", "bincount", "histc",
    "masked_select", "masked_scatter", "nonzero", "one_hot", "multinomial", "nn.functional.gaussian_nll_loss",
    "nn.GaussianNLLLoss", "distributions.Normal", "distributions.Uniform", "distributions.Bernoulli",
    "distributions.Categorical",
}  # fmt: skip
APART = {"from_numpy", "empty", "Generator", "nn.BatchNorm1d"}  # nothing to compare, or no step's work: state made in it
ROWS = [row for family in FAMILIES for row in family.rows if family.name not in OUTSIDE and row.name not in APART]
CALLS = 4


def arguments(k):
    """Inputs of the samples, other ones at each call."""
    floats = [np.asarray(np.array(data, np.float32) * np.float32(1 + k / 100)) for data in INPUTS.values()]
    return [fastgrad.from_numpy(array.copy()) for array in [*floats, *WHOLE.values()]]


def finished(made, leaves):
    """The tensors in a result, and the gradients of their sum."""
    tensors = [part for part in parts(made) if isinstance(part, fastgrad.Tensor)]
    terms = [part.float().sum() for part in tensors if part.requires_grad and part.numel()]
    values = [part.detach() for part in tensors]
    return values, fastgrad.autograd.grad(sum(terms), leaves, allow_unused=True) if terms else None


def step_of(expression):
    """A function of all inputs that evaluates an expression."""
    floats, scope = ", ".join(INPUTS), {"t": fastgrad, "np": np, "finished": finished}
    exec(
        f"def step({', '.join([*INPUTS, *WHOLE])}):\n"
        f"    leaves = [z.detach().requires_grad_() for z in ({floats},)]\n"
        f"    {floats}, = [z * 1 for z in leaves]\n"
        f"    return finished({expression}, leaves)\n",
        scope,
    )
    return scope["step"]


def usable(row, torch):
    """The first sample of a row that gives a result at every call."""
    for kind, expression in expressions(torch, row):
        if kind == "out=" or expression.startswith("t.empty"):
            continue
        try:
            step = step_of(expression)
            fastgrad.manual_seed(0)
            return step, [bits(step(*arguments(k))) for k in range(CALLS)]
        except Exception:  # a sample of an error
            continue
    return None, None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.family}: {row.name}")
def test_a_compiled_step_gives_the_same(row, torch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        step, wanted = usable(row, torch)
        if step is None:
            pytest.skip("its samples are errors, or nothing that a step may return")
        compiled = fastgrad.compile(step)
        fastgrad.manual_seed(0)
        got = [bits(compiled(*arguments(k))) for k in range(CALLS)]
    assert str(got) == str(wanted)  # NaN is NaN
    assert compiled.replays or row.name in LEFT, compiled.notes


def trained(make, compiled):
    """Results, parameters' gradients and buffers of a module, call by call, and the step."""
    fastgrad.manual_seed(0)
    module, x = make(), fastgrad.rand(4, 3)
    if isinstance(module, fastgrad.nn.Embedding):
        x = fastgrad.randint(3, (4,))
    if isinstance(module, fastgrad.nn.LazyLinear):
        module(x)
    weights = fastgrad.rand(4, 3)

    def step(x):
        module.zero_grad()
        y = module(x)
        if y.requires_grad:
            (y * weights[:, : y.shape[-1]]).sum().backward()
        return y.detach()

    call, seen = fastgrad.compile(step) if compiled else step, []
    for _ in range(CALLS):
        kept = [t for p in module.parameters() for t in (p, p.grad)] if seen else []
        seen.append(bits([call(x), kept, [p.grad for p in module.parameters()], list(module.buffers())]))
    return seen, call


@pytest.mark.parametrize("name", sorted({*MODULES} - {"GroupNorm"}))
def test_a_module_in_a_compiled_step(name):
    def make():
        return eval(f"t.nn.{name}({MODULES[name][0]})", {"t": fastgrad})

    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        (wanted, _), (got, compiled) = trained(make, False), trained(make, True)
    assert got == wanted
    assert compiled.replays, compiled.notes


def test_what_is_left_to_eager_mode_is_in_the_docs():
    text = (Path(__file__).parents[2] / "docs" / "compile.md").read_text()
    listed = text.partition("Not planned")[2].partition("\n\n")[0]
    for name in LEFT:
        assert name.split()[0].rpartition(".")[2] in listed
