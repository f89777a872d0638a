"""Numbers, lists and arrays of tensors that a step returns are those of each call."""

import warnings

import numpy as np
import pytest

import fastgrad as torch
from fastgrad.nn import functional as F
from tests.compile.programs import Training, batch, check


def trained(give):
    """A training step that returns `give(loss, output, y)`."""

    def make():
        made = Training()
        made.step = give(made)
        return made

    return make


def ends(made, x, y):
    made.optimizer.zero_grad()
    output = made.net(x)
    loss = F.cross_entropy(output, y)
    loss.backward()
    made.optimizer.step()
    return loss, output


def as_float(made):
    def step(x, y):
        loss, _ = ends(made, x, y)
        return float(loss)

    return step


def as_float_of_an_expression(made):
    def step(x, y):
        _, output = ends(made, x, y)
        return float((output.detach().argmax(1) == y).float().mean())

    return step


def as_count(made):
    def step(x, y):
        _, output = ends(made, x, y)
        return int((output.argmax(1) == y).sum())

    return step


def as_counts(made):
    def step(x, y):
        loss, output = ends(made, x, y)
        right = output.argmax(1) == y
        a, b = int(right.sum()), int((y == 0).sum())
        return {"a": a, "loss": loss.item(), "few": [3, b, (a, 7)], "any": right.any().item()}

    return step


def as_list(made):
    def step(x, y):
        loss, output = ends(made, x, y)
        return loss.tolist(), output.tolist()

    return step


def as_array(made):
    def step(x, y):
        loss, output = ends(made, x, y)
        array = output.detach().numpy()
        return loss, array

    return step


def as_array_of_a_result(made):
    def step(x, y):
        loss, output = ends(made, x, y)
        return output.detach(), output.detach().numpy(), loss.detach().numpy()

    return step


def as_array_of_a_view(made):
    def step(x, y):
        _, output = ends(made, x, y)
        return output.detach().t()[1:].numpy()

    return step


def as_array_of_a_parameter(made):
    def step(x, y):
        ends(made, x, y)
        return made.net[0].bias.detach().numpy()

    return step


WAYS = (
    as_float, as_float_of_an_expression, as_count, as_counts, as_list, as_array, as_array_of_a_result, as_array_of_a_view,
    as_array_of_a_parameter,
)  # fmt: skip


def plain(value):
    """Arrays as something that `==` compares."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tobytes()
    if isinstance(value, torch.Tensor):
        return plain(value.detach().numpy())
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value), [plain(inner) for inner in value]
    return type(value), value


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("way", WAYS)
def test_values_that_are_returned(way, threads):
    torch.set_num_threads(threads)
    seen = []
    for compiled in (False, True):
        torch.manual_seed(7)
        made = trained(way)()
        step = torch.compile(made.step) if compiled else made.step
        kept = [step(*batch(k)) for k in range(20)]  # all of them until the end
        seen.append([*map(plain, kept), made.state()])
    assert seen[0] == seen[1]
    assert step.replays == 18


def test_an_array_shares_memory_as_in_eager_mode():
    w = torch.zeros(4, requires_grad=True)

    @torch.compile
    def step(x):
        result = x * 2
        return result, result.numpy(), w.detach().numpy()

    for _ in range(4):
        result, array, parameter = step(torch.ones(4))
        result.fill_(5)
        assert array.tolist() == [5] * 4
    w.data.fill_(3)
    assert parameter.tolist() == [3] * 4
    assert step.replays == 2


def test_a_compiled_function_that_returns_an_array():
    step = torch.compile(lambda x: x.exp().numpy())
    for k in range(5):
        x = torch.full((300,), float(k))
        assert step(x).tobytes() == x.exp().numpy().tobytes()
    assert step.replays == 3


OTHER = {
    "arithmetic": lambda x: float(x.sum()) * 2,
    "a conversion of our own": lambda x: abs(float(x.sum())),
    "another function": lambda x: np.sqrt(float((x * x).sum())),
    "a number of numbers": lambda x: len(x.tolist()),
    "a loop": lambda x: [one for one in x.tolist()],  # noqa: C416
    "an element of an array": lambda x: x.numpy()[0],
    "a slice of an array": lambda x: x.numpy()[1:],
    "an integer of a float": lambda x: int(x.sum()),
    "text": lambda x: f"{x.sum():.1f}",
    "a key": lambda x: {x.sum().item(): 1},
    "a copy": lambda x: np.array(x.numpy()),
}


@pytest.mark.parametrize("case", OTHER)
def test_values_that_something_is_done_with(case):
    function = OTHER[case]
    step = torch.compile(function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k in range(5):
            x = torch.full((3,), float(k)) * 1
            assert plain(step(x)) == plain(function(x))
    assert step.replays == 0


def test_a_value_that_a_later_part_of_the_step_changes():
    def make():
        made = Training()
        first = made.net[0].bias

        def step(x, y):
            before = float(first.detach()[0])
            ends(made, x, y)
            return before

        made.step = step
        return made

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert check(make, 6).replays == 0
