"""`autograd.functional`: Jacobians, Hessians and their products."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, error, plain

cases = Cases()


def double(torch, *values):
    return torch.tensor(list(values), dtype=torch.float64)


FUNCTIONS = {
    "square": (1, lambda x: x * x),
    "sum of cubes": (1, lambda x: (x * x * x).sum()),
    "product of two": (2, lambda x, y: (x * y).sum()),
    "matrix from two": (2, lambda x, y: x.view(2, 1) * y.view(1, 2)),
    "two results": (2, lambda x, y: (x * y, (x + y * y).sum())),
    "linear": (1, lambda x: 3 * x),
    "independent": (1, lambda x: x.detach() * 2),
    "exponential": (1, lambda x: x.exp().sum()),
    "one number of two": (1, lambda x: x[0] * x[1]),
}


def derivative(torch, kind, function, strict):
    """The derivative of one of FUNCTIONS at fixed places along fixed vectors."""
    count, compute = FUNCTIONS[function]
    places = tuple(double(torch, 1.0 + k, 2.0) for k in range(count))
    if kind in ("jacobian", "hessian"):
        vectors = ()
    elif kind == "vjp":
        outputs = compute(*places)
        weights = tuple(y * 0 + 2 for y in (outputs if isinstance(outputs, tuple) else (outputs,)))
        vectors = (weights if isinstance(outputs, tuple) else weights[0],)
    else:
        vectors = (tuple(x * 2 for x in places) if count > 1 else places[0] * 2,)
    given = places if count > 1 else places[0]
    compare = getattr(torch.autograd.functional, kind)
    return plain(error(lambda: compare(compute, given, *vectors, strict=strict)))


@pytest.mark.parametrize("strict", [False, True], ids=["", "strict"])
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("kind", ["jacobian", "hessian", "vjp", "jvp", "vhp", "hvp"])
def test_derivatives_as_in_pytorch(kind, function, strict, torch):
    if (kind, function, strict) == ("hessian", "independent", True):
        pytest.skip("both refuse, each for another of two reasons")
    assert derivative(fastgrad, kind, function, strict) == derivative(torch, kind, function, strict)


def test_products_agree_with_the_whole_jacobian():
    functional = fastgrad.autograd.functional
    x, v, w = double(fastgrad, 0.3, -1.2), double(fastgrad, 1.0, 2.0), double(fastgrad, 0.5, -2.0)

    def function(x):
        return (x * x[0]).exp()

    whole = functional.jacobian(function, x)
    assert functional.jvp(function, x, v)[1].tolist() == pytest.approx((whole @ v).tolist(), rel=1e-12)
    assert functional.vjp(function, x, w)[1].tolist() == pytest.approx((w @ whole).tolist(), rel=1e-12)


def test_forward_mode_is_refused():
    with pytest.raises(NotImplementedError, match='leave out strategy="forward-mode"'):
        fastgrad.autograd.functional.jacobian(lambda x: x, double(fastgrad, 1.0), strategy="forward-mode")


@cases(([[3.0, 0.0], [0.0, 12.0]], ([6.0, 12.0],)))
def jac_create(torch):
    x = double(torch, 1.0, 2.0).requires_grad_()
    j = torch.autograd.functional.jacobian(lambda x: x * x * x, x, create_graph=True)
    return (j, torch.autograd.grad(j.sum(), x))


@cases(
    (
        "TypeError: The inputs given to jacobian must be either a Tensor or...",
        "TypeError: The outputs of the user-provided function given to...",
        "TypeError: The inputs given to vjp must be either a Tensor or a...",
    )
)
def badtype(torch):
    return (
        error(lambda: torch.autograd.functional.jacobian(lambda x: x, 5)),
        error(lambda: torch.autograd.functional.jacobian(lambda x: 5, double(torch, 1.0))),
        error(lambda: torch.autograd.functional.vjp(lambda x: x, (double(torch, 1.0), 3))),
    )


@cases(
    (
        "RuntimeError: v has invalid size: should be torch.Size([2]) but got...",
        "RuntimeError: v is a tuple of invalid length: should be 2 but got 1.",
        "RuntimeError: Entry 0 in v has invalid size: should be...",
    )
)
def badv(torch):
    return (
        error(lambda: torch.autograd.functional.vjp(lambda x: x, double(torch, 1.0, 2.0), double(torch, 1.0))),
        error(
            lambda: torch.autograd.functional.jvp(
                lambda x, y: x, (double(torch, 1.0, 2.0), double(torch, 1.0)), double(torch, 1.0)
            )
        ),
        error(
            lambda: torch.autograd.functional.jvp(
                lambda x, y: x, (double(torch, 1.0, 2.0), double(torch, 1.0)), (double(torch, 1.0), double(torch, 1.0))
            )
        ),
    )


@cases(
    (
        "RuntimeError: The Tensor returned by the function given to hessian...",
        "RuntimeError: The function given to hessian should return a single Tensor",
        "RuntimeError: The Tensor returned by the function given to hvp...",
    )
)
def notscalar(torch):
    return (
        error(lambda: torch.autograd.functional.hessian(lambda x: x, double(torch, 1.0, 2.0))),
        error(lambda: torch.autograd.functional.hessian(lambda x: (x, x), double(torch, 1.0, 2.0))),
        error(lambda: torch.autograd.functional.hvp(lambda x: x, double(torch, 1.0, 2.0), double(torch, 1.0, 2.0))),
    )


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
