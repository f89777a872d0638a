"""multinomial: PyTorch's draws for the same seed, and its errors."""

import pytest

import fastgrad

CASES = [
    ("float32", (6,), 3, False),
    ("float64", (6,), 6, False),
    ("float32", (4, 5), 1, False),
    ("float32", (4, 5), 4, False),
    ("float32", (6,), 40, True),
    ("float64", (4, 5), 40, True),
    ("float32", (4, 5), 1, True),
    ("float32", (1000,), 500, True),
]


@pytest.mark.parametrize(("dtype", "shape", "count", "replacement"), CASES)
def test_draws_are_pytorchs(torch, dtype, shape, count, replacement):
    def draw(library):
        library.manual_seed(1)
        weights = library.rand(*shape, dtype=getattr(library, dtype))
        weights.view(-1)[1] = 0
        generator = library.Generator().manual_seed(7)
        first = library.multinomial(weights, count, replacement)
        second = weights.multinomial(count, replacement=replacement, generator=generator)
        return first.tolist(), second.tolist(), str(first.dtype), library.rand(1).item()

    assert draw(fastgrad) == draw(torch)


MISTAKES = {
    "three dimensions": lambda t: t.multinomial(t.ones(1, 1, 1), 1),
    "integers": lambda t: t.multinomial(t.tensor([1, 2]), 1),
    "none": lambda t: t.multinomial(t.ones(2), 0),
    "too many": lambda t: t.multinomial(t.ones(2), 3),
    "negative": lambda t: t.multinomial(t.tensor([-1.0, 2.0]), 1),
    "negative, again and again": lambda t: t.multinomial(t.tensor([-1.0, 2.0]), 4, True),
    "infinite": lambda t: t.multinomial(t.tensor([t.inf, 2.0]), 4, True),
    "not a number": lambda t: t.multinomial(t.tensor([t.nan, 2.0]), 1),
    "nothing": lambda t: t.multinomial(t.zeros(2), 1),
    "nothing, again and again": lambda t: t.multinomial(t.zeros(2), 4, True),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_raise_what_pytorch_raises(torch, mistake):
    with pytest.raises(RuntimeError) as theirs:
        MISTAKES[mistake](torch)
    with pytest.raises(RuntimeError) as ours:
        MISTAKES[mistake](fastgrad)
    assert str(ours.value) == str(theirs.value)
