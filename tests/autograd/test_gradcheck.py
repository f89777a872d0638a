"""gradcheck and gradgradcheck: they pass what is right, and find every kind of wrong."""

import pytest

import fastgrad
from fastgrad.autograd import Function, GradcheckError, gradcheck, gradgradcheck


def double(*values):
    return fastgrad.tensor(list(values), dtype=fastgrad.float64, requires_grad=True)


def function(backward, forward=lambda x: x * x):
    """A Function of one tensor with the given derivative, of (x, gy)."""

    class Made(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx, gy):
            return backward(ctx.saved_tensors[0], gy)

    return Made.apply


@pytest.mark.parametrize("fast_mode", [False, True])
def test_right_gradients_pass(fast_mode):
    x, y = double(0.3, -1.2, 2.0), double(0.5, 1.5, 0.7)
    assert gradcheck(lambda x, y: (x * y, (x - y).exp().sum()), (x, y), fast_mode=fast_mode)
    assert gradgradcheck(lambda x, y: (x * y * y, (x * y).exp()), (x, y), fast_mode=fast_mode)
    assert gradcheck(function(lambda x, gy: 2 * x * gy), x, fast_mode=fast_mode)


@pytest.mark.parametrize("fast_mode", [False, True])
def test_wrong_gradient(fast_mode):
    x = double(1.0, 2.0)
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0"):
        gradcheck(function(lambda x, gy: x * gy), x, fast_mode=fast_mode)
    assert not gradcheck(function(lambda x, gy: x * gy), x, fast_mode=fast_mode, raise_exception=False)


def test_the_error_shows_both_jacobians():
    with pytest.raises(GradcheckError) as error:
        gradcheck(function(lambda x, gy: gy), double(1.0, 2.0))
    numerical, _, analytical = str(error.value).partition("analytical:")
    assert "tensor([[2" in numerical
    assert "tensor([[1., 0.]" in analytical


def test_wrong_second_derivative():
    x = double(1.0, 2.0)
    detached = function(lambda x, gy: 2 * x.detach() * gy)
    assert gradcheck(detached, x)
    with pytest.raises(GradcheckError):
        gradgradcheck(detached, x)


def test_gradient_that_ignores_what_came_in():
    with pytest.raises(GradcheckError, match="backward not multiplied by grad_output"):
        gradcheck(function(lambda x, gy: gy * 0 + 2, lambda x: x * 2), double(1.0))


def test_gradient_that_varies():
    calls = []

    def backward(x, gy):
        calls.append(1)
        return gy * (2 + len(calls) * 1e-9)

    with pytest.raises(GradcheckError, match="Backward is not reentrant"):
        gradcheck(function(backward, lambda x: x * 2), double(1.0, 2.0))


def test_output_that_ought_to_be_in_the_graph():
    with pytest.raises(GradcheckError, match="Numerical gradient for function expected to be zero"):
        gradcheck(lambda x: x.detach() * 2, double(1.0))
    assert gradcheck(lambda x: (x > 0).double(), double(1.0))


def test_derivative_that_stumbles_over_a_missing_gradient():
    class Pair(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            if a is None or b is None:
                raise RuntimeError("both, please")
            return a * 2 + b * 3

    with pytest.raises(RuntimeError, match="both, please"):
        gradcheck(Pair.apply, double(1.0))


def test_refusals():
    with pytest.raises(ValueError, match="expects at least one input tensor to require gradient"):
        gradcheck(lambda x: x, fastgrad.ones(1, dtype=fastgrad.float64))
    with pytest.raises(RuntimeError, match="has a dimension with stride 0"):
        gradcheck(lambda x: x * 2, double(1.0).expand(3))
    with pytest.raises(NotImplementedError, match="leave out check_forward_ad=True"):
        gradcheck(lambda x: x * 2, double(1.0), check_forward_ad=True)


def test_single_precision_is_warned_of():
    x = fastgrad.ones(1, requires_grad=True)
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double precision"):
        assert gradcheck(lambda x: x * 2, x, eps=1e-2, atol=1e-2)


def test_the_program_s_random_numbers_are_left_alone():
    before = fastgrad.get_rng_state().tolist()
    gradgradcheck(lambda x: x * x * x, double(1.0, 2.0), fast_mode=True)
    assert fastgrad.get_rng_state().tolist() == before


def test_inputs_are_left_as_they_were():
    x = double(0.1, 0.2)
    gradcheck(lambda x: x * x, x)
    assert x.tolist() == [0.1, 0.2]
    assert x._version == 0
