"""What an operation keeps is what the wanted gradients need: any other operand may be changed before backward, and is
freed with its last name."""

import gc
import itertools
import weakref

import pytest

import fastgrad


def crosswise(changed, a, b):
    """Whether a changed factor is missed: each is needed for the other's gradient."""
    return b if changed == 0 else a


def dividing(changed, a, b):
    return b if changed == 0 else True


def shifted(changed, _c, a, b):
    """A sum in front of a product is not needed at all."""
    return changed > 0 and crosswise(changed - 1, a, b)


def biased(changed, a, b, _c):
    return changed < 2 and crosswise(changed, a, b)


def linear(torch, x, w, *bias):
    return torch.nn.functional.linear(x, w, *bias)


# Operation: shapes of its operands, and whether backward misses operand `changed` where these want gradients.
OPERATIONS = {
    "mul": (lambda t, a, b: a * b, ((3, 2), (2,)), crosswise),
    "mul, equal shapes": (lambda t, a, b: a * b, ((3, 2), (3, 2)), crosswise),
    "mul, broadcast": (lambda t, a, b: a * b, ((3, 1), (1, 2)), crosswise),
    "mul_": (lambda t, a, b: (a + 0).mul_(b), ((3, 2), (2,)), lambda changed, a, b: changed == 1 and a),
    "div": (lambda t, a, b: a / b, ((3, 1), (2,)), dividing),
    "remainder": (lambda t, a, b: a % b, ((3, 2), (2,)), lambda changed, a, b: b),
    "matmul": (lambda t, a, b: a @ b, ((3, 2), (2, 4)), crosswise),
    "mm": (lambda t, a, b: t.mm(a, b), ((3, 2), (2, 4)), crosswise),
    "bmm": (lambda t, a, b: t.bmm(a, b), ((2, 3, 2), (2, 2, 4)), crosswise),
    "matmul of batches": (lambda t, a, b: a @ b, ((2, 3, 2), (2, 2, 4)), crosswise),
    "mv": (lambda t, a, b: t.mv(a, b), ((3, 2), (2,)), crosswise),
    "dot": (lambda t, a, b: t.dot(a, b), ((3,), (3,)), crosswise),
    "outer": (lambda t, a, b: t.outer(a, b), ((3,), (2,)), crosswise),
    "linear": (linear, ((3, 2), (4, 2)), crosswise),
    "linear of more dimensions": (linear, ((5, 3, 2), (4, 2), (4,)), biased),
    "linear with bias": (linear, ((3, 2), (4, 2), (4,)), biased),
    "addmm": (lambda t, c, a, b: t.addmm(c, a, b), ((4,), (3, 2), (2, 4)), shifted),
    "addmm, scaled": (lambda t, c, a, b: t.addmm(c, a, b, beta=2, alpha=3), ((4,), (3, 2), (2, 4)), shifted),
}
every = pytest.mark.parametrize("name", OPERATIONS)


def operands(torch, shapes, wanted):
    numbers = itertools.count(1)
    made = []
    for shape, want in zip(shapes, wanted, strict=True):
        x = torch.tensor([0.3 * next(numbers) for _ in range(torch.zeros(shape).numel())]).reshape(shape)
        made.append(x.detach().requires_grad_(want))
    return made


def cases(shapes):
    for wanted in itertools.product((False, True), repeat=len(shapes)):
        if any(wanted):
            for changed in range(len(shapes)):
                yield wanted, changed


def gradients(torch, name, wanted, changed):
    """The gradients after operand `changed` was changed (None: nobody was), or the beginning of the error."""
    function, shapes, _ = OPERATIONS[name]
    given = operands(torch, shapes, wanted)
    y = function(torch, *given)
    if changed is not None:
        with torch.no_grad():
            given[changed].add_(1)
    try:
        (y * y.detach()).sum().backward()
    except RuntimeError as error:
        return str(error).partition(":")[0]
    return [None if x.grad is None else x.grad.tolist() for x in given]


CHANGED = "one of the variables needed for gradient computation has been modified by an inplace operation"


@every
def test_operands_that_are_not_needed_may_change(name):
    for wanted, changed in cases(OPERATIONS[name][1]):
        expected = gradients(fastgrad, name, wanted, None)
        if OPERATIONS[name][2](changed, *wanted):
            expected = CHANGED
        assert gradients(fastgrad, name, wanted, changed) == expected, (wanted, changed)


@every
def test_the_same_in_pytorch(name, torch):
    for wanted, changed in cases(OPERATIONS[name][1]):
        got, expected = (gradients(t, name, wanted, changed) for t in (fastgrad, torch))
        if isinstance(expected, str):
            assert got == expected, (wanted, changed)
            continue
        for own, other in zip(got, expected, strict=True):
            assert (own is None) == (other is None)
            if own is not None:
                torch.testing.assert_close(torch.tensor(own), torch.tensor(other))


@every
def test_second_derivatives_do_without_them_too(name):
    function, shapes, _ = OPERATIONS[name]
    for wanted in itertools.product((False, True), repeat=len(shapes)):
        if not any(wanted):
            continue
        given = [x.double().detach().requires_grad_(x.requires_grad) for x in operands(fastgrad, shapes, wanted)]
        leaves = [x for x in given if x.requires_grad]
        seed = fastgrad.ones_like(function(fastgrad, *given)).requires_grad_()

        def along(*parts, given=given):
            rest = iter(parts)
            return function(fastgrad, *[next(rest) if x.requires_grad else x for x in given])

        found = fastgrad.autograd.grad(along(*leaves), leaves, seed, create_graph=True)
        assert all(g.requires_grad for g in found) or name.startswith("remainder") or "add" in name or "linear" in name
        assert fastgrad.autograd.gradcheck(along, leaves)
        assert fastgrad.autograd.gradgradcheck(along, leaves)


@pytest.mark.parametrize("name", ["mul", "linear", "linear with bias", "matmul", "bmm", "dot"])
def test_memory_that_is_not_needed_is_freed(name):
    function, shapes, _ = OPERATIONS[name]
    given = operands(fastgrad, shapes, (True, *[False] * (len(shapes) - 1)))
    x = given[0] + 0
    y = function(fastgrad, x, *given[1:])
    watch = weakref.ref(x)
    gc.disable()
    try:
        del x
        assert watch() is None
    finally:
        gc.enable()
    y.sum().backward()


def test_a_layer_whose_weight_is_updated_between_forward_and_backward():
    layer = fastgrad.nn.Linear(3, 2)
    x = fastgrad.ones(4, 3)
    out = layer(x)
    with fastgrad.no_grad():
        layer.weight -= 0.1
    out.sum().backward()
    assert layer.weight.grad.tolist() == [[4.0] * 3] * 2
