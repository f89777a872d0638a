"""The update table: what may happen to parameters, gradients and state between two steps, and that a step is
whole.
"""

import threading
from collections import defaultdict

import numpy as np
import pytest

import fastgrad
from fastgrad import optim

ALL = [getattr(optim, name) for name in "SGD Adam RMSprop Adagrad Adadelta Adamax NAdam RAdam".split()]


def leaf(*values, dtype=None):
    return fastgrad.tensor(values, dtype=dtype, requires_grad=True)


def test_a_step_by_hand():
    w = leaf(1.0, 2.0)
    optimizer = optim.SGD([w], lr=0.5, momentum=0.5)
    for expected in ([0.5, 1.5], [-0.25, 0.75]):
        w.grad = fastgrad.ones(2)
        optimizer.step()
        assert w.tolist() == expected


def test_the_closure_is_called_with_gradients_on_and_its_loss_returned():
    w = leaf(3.0)
    optimizer = optim.SGD([w], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with fastgrad.no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert w.item() == pytest.approx(2.4)


def test_zero_grad_drops_or_fills():
    w = leaf(1.0)
    optimizer = optim.SGD([w], lr=0.1)
    optimizer.zero_grad()
    w.sum().backward()
    gradient = w.grad
    optimizer.zero_grad(set_to_none=False)
    assert w.grad.data_ptr() == gradient.data_ptr()
    assert w.grad.item() == 0
    optimizer.zero_grad()
    assert w.grad is None


def test_parameters_may_move():
    w = leaf(1.0, 1.0)
    optimizer = optim.Adam([w], lr=1.0)
    for _ in range(2):
        w.grad = fastgrad.ones(2)
        optimizer.step()
    moved = fastgrad.tensor([10.0, 20.0])
    w.data = moved
    w.grad = fastgrad.ones(2)
    optimizer.step()
    np.testing.assert_allclose(moved.numpy(), [9.0, 19.0], rtol=1e-6)
    assert optimizer.state[w]["step"].item() == 3


def test_parameters_may_change_their_dtype():
    net = fastgrad.nn.Linear(2, 1, bias=False)
    optimizer = optim.Adam(net.parameters(), lr=0.1)
    for convert in (net.double, net.float):
        net(fastgrad.ones(1, 2, dtype=net.weight.dtype)).sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        convert()
    assert net.weight.dtype is fastgrad.float32
    net(fastgrad.ones(1, 2)).sum().backward()
    optimizer.step()
    assert optimizer.state[net.weight]["exp_avg"].dtype is fastgrad.float32
    assert optimizer.state[net.weight]["step"].item() == 3


def test_state_may_be_changed_in_place_replaced_or_dropped():
    w = leaf(0.0)
    optimizer = optim.SGD([w], lr=1.0, momentum=0.5)

    def step():
        before = w.item()
        w.grad = fastgrad.ones(1)
        optimizer.step()
        return before - w.item()

    assert step() == 1.0
    assert step() == 1.5
    optimizer.state[w]["momentum_buffer"].zero_()
    assert step() == 1.0
    optimizer.state[w]["momentum_buffer"] = fastgrad.tensor([4.0])
    assert step() == 3.0
    optimizer.state[w]["momentum_buffer"].data = fastgrad.tensor([6.0])
    assert step() == 4.0
    optimizer.state[w] = {"momentum_buffer": fastgrad.tensor([2.0], dtype=fastgrad.float64)}
    assert step() == 2.0
    for clear in (
        optimizer.state.clear,
        lambda: optimizer.state.pop(w),
        lambda: setattr(optimizer, "state", defaultdict(dict)),
        lambda: optimizer.state[w].clear(),
    ):
        clear()
        assert step() == 1.0
        assert step() == 1.5


def test_step_counts_may_be_set():
    def step(count):
        """The size of the fourth step of Adam, when the count is set to `count` before it."""
        w = leaf(0.0)
        optimizer = optim.Adam([w], lr=1.0)
        for slope in (1.0, 2.0, 3.0, 4.0):
            if slope == 4.0:
                optimizer.state[w]["step"].fill_(count)
            w.grad = fastgrad.tensor([slope])
            before = w.item()
            optimizer.step()
        assert optimizer.state[w]["step"].item() == count + 1
        return before - w.item()

    average = 0.9 * (0.9 * (0.9 * 0.1 + 0.2) + 0.3) + 0.4
    square = 1e-3 * (0.999 * (0.999 * (0.999 * 1 + 4) + 9) + 16)
    for count in (3, 100):
        corrected = average / (1 - 0.9 ** (count + 1)), square / (1 - 0.999 ** (count + 1))
        assert step(count) == pytest.approx(corrected[0] / corrected[1] ** 0.5, rel=1e-5)


def test_options_may_change_between_steps():
    w = leaf(0.0)
    optimizer = optim.SGD([w], lr=1.0)
    w.grad = fastgrad.ones(1)
    optimizer.step()
    assert not optimizer.state.get(w)
    optimizer.param_groups[0].update(momentum=0.5, lr=0.5)
    for expected in (-1.5, -2.25):
        w.grad = fastgrad.ones(1)
        optimizer.step()
        assert w.item() == expected
    optimizer.param_groups[0]["lr"] = fastgrad.tensor(0.0)
    optimizer.step()
    assert w.item() == -2.25


def test_the_list_of_parameters_may_change():
    w, v = leaf(0.0), leaf(0.0)
    optimizer = optim.SGD([w], lr=1.0)
    w.grad = v.grad = fastgrad.ones(1)
    optimizer.step()
    optimizer.param_groups[0]["params"].append(v)
    optimizer.step()
    optimizer.param_groups[0]["params"][0] = leaf(5.0)
    optimizer.step()
    assert (w.item(), v.item()) == (-2.0, -2.0)


@pytest.mark.parametrize("kind", ALL)
def test_layouts_and_dtypes_are_mixed_freely(kind):
    """Transposed parameters, expanded gradients, float64 beside float32: as if all were plain."""

    def made(array):
        return fastgrad.from_numpy(array).requires_grad_()

    start, slope = np.random.default_rng(0).standard_normal((2, 5, 3))
    single = start.astype("f4")
    plain = [made(start.copy()), made(start.T.copy()), made(single.copy())]
    odd = [made(start.copy()), made(start.copy().T), made(single.copy())]
    optimizers = [kind(plain, lr=0.1), kind(odd, lr=0.1)]
    for _ in range(3):
        plain[0].grad = fastgrad.from_numpy(slope.copy())
        odd[0].grad = fastgrad.from_numpy(np.asfortranarray(slope))
        plain[1].grad = fastgrad.from_numpy(slope.T.copy())
        odd[1].grad = fastgrad.from_numpy(slope.copy()).t()
        plain[2].grad = fastgrad.ones(5, 3)
        odd[2].grad = fastgrad.ones(1, 1).expand(5, 3)
        for optimizer in optimizers:
            optimizer.step()
    assert not odd[1].is_contiguous()
    for mine, other in zip(odd, plain):
        np.testing.assert_array_equal(mine.detach().numpy(), other.detach().numpy())


def test_no_parameter_is_updated_when_one_gradient_does_not_fit():
    w, v = leaf(1.0, 1.0), leaf(1.0, 1.0)
    optimizer = optim.SGD([w, v], lr=1.0, momentum=0.9, dampening=0.5)
    w.grad, v.grad = fastgrad.ones(2), fastgrad.ones(2)
    v.grad.data = fastgrad.ones(3)
    with pytest.raises(
        RuntimeError, match=r"the gradient has shape \[3\], but its parameter has shape \[2\]"
    ):
        optimizer.step()
    assert w.tolist() == [1.0, 1.0]
    v.grad = fastgrad.ones(2)
    optimizer.step()  # as if the failed step had not been: the momentum starts as the gradient, not dampened
    assert w.tolist() == v.tolist() == [0.0, 0.0]


def test_state_of_another_shape_is_refused():
    w = leaf(1.0, 1.0)
    optimizer = optim.SGD([w], lr=1.0, momentum=0.9)
    optimizer.state[w]["momentum_buffer"] = fastgrad.ones(3)
    w.grad = fastgrad.ones(2)
    with pytest.raises(RuntimeError, match="momentum_buffer"):
        optimizer.step()
    assert w.tolist() == [1.0, 1.0]


def test_integer_parameters_are_refused():
    optimizer = optim.SGD([fastgrad.ones(2, dtype=fastgrad.int64)], lr=1.0)
    with pytest.raises(TypeError, match=r"not torch.int64"):
        optimizer.step()


def test_the_tape_sees_that_values_changed():
    w = leaf(2.0)
    loss = (w * w).sum()
    optimizer = optim.SGD([w], lr=1.0)
    w.grad = fastgrad.ones(1)
    before = w._version
    optimizer.step()
    assert w._version == before + 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("kind", ALL)
def test_the_same_bits_for_any_number_of_threads(kind):
    results = []
    for threads in (1, 2, 3, 8):
        fastgrad.set_num_threads(threads)
        fastgrad.manual_seed(0)
        parameters = [fastgrad.randn(n, requires_grad=True) for n in (100_003, 7, 50_000)]
        optimizer = kind(parameters, lr=0.1, weight_decay=0.1)
        for _ in range(3):
            for parameter in parameters:
                parameter.grad = fastgrad.randn(*parameter.shape)
            optimizer.step()
        results.append([parameter.detach().numpy() for parameter in parameters])
    for other in results[1:]:
        for a, b in zip(results[0], other):
            np.testing.assert_array_equal(a, b)


def test_two_threads_may_train():
    def train(seed, results):
        w = fastgrad.from_numpy(np.random.default_rng(seed).standard_normal(40_000)).requires_grad_()
        optimizer = optim.Adam([w], lr=0.1)
        for _ in range(50):
            w.grad = w.detach() * 2
            optimizer.step()
        results[seed] = w.detach().numpy()

    together, alone = {}, {}
    threads = [threading.Thread(target=train, args=(seed, together)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in (1, 2):
        train(seed, alone)
        np.testing.assert_array_equal(together[seed], alone[seed])


def test_nan_and_infinity_reach_the_parameters(torch):
    values = np.array([1.0, np.nan, np.inf, 1.0, 1.0], "f4")
    slopes = np.array([np.nan, 1.0, 1.0, np.inf, -np.inf], "f4")
    for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam"):
        mine, other = fastgrad.from_numpy(values.copy()), torch.from_numpy(values.copy())
        for library, w in ((fastgrad, mine), (torch, other)):
            w.requires_grad_().grad = library.from_numpy(slopes.copy())
            getattr(library.optim, name)([w], lr=0.1).step()
        np.testing.assert_array_equal(mine.detach().numpy(), other.detach().numpy())
