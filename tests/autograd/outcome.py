"""Cases that run under fastgrad and under PyTorch: what each returns is compared, errors and their texts included.

    cases = Cases()

    @cases([2.0])
    def square(torch):
        x = leaf(torch, 1.0)
        (x * x).backward()
        return x.grad

The expectation stands beside the case, so that it holds without PyTorch too; a text that ends in "..." is a beginning.
"""

import warnings


class Case:
    def __init__(self, function, expected):
        self.function, self.expected = function, expected

    def run(self, torch):
        """What the case returns, as plain Python; its warnings are not looked at."""
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("always")
            return plain(self.function(torch))

    def check(self, torch):
        assert same(self.run(torch), self.expected), f"got {self.run(torch)!r}, expected {self.expected!r}"


class Cases(list):
    def __call__(self, expected):
        def add(function):
            self.append(Case(function, expected))
            return function

        return add

    @property
    def ids(self):
        return [case.function.__name__ for case in self]


def plain(value):
    """Tensors as lists of numbers, inside tuples and lists too."""
    if isinstance(value, tuple | list):
        return type(value)(map(plain, value)) if type(value) in (tuple, list) else list(map(plain, value))
    return value.tolist() if hasattr(value, "tolist") and hasattr(value, "dtype") else value


def same(got, expected):
    if isinstance(expected, str) and expected.endswith("..."):
        return isinstance(got, str) and got.startswith(expected[:-3])
    if isinstance(expected, tuple | list):
        return type(got) is type(expected) and len(got) == len(expected) and all(map(same, got, expected))
    return got == expected and type(got) is type(expected)


def error(function):
    """What `function()` returns, or its error as text: type and message."""
    try:
        return function()
    except Exception as raised:
        return f"{type(raised).__name__}: {raised}"


def leaf(torch, *values):
    """A float32 vector that requires grad."""
    return torch.tensor(list(values), requires_grad=True)


def node_name(x):
    """The name of the node that made a tensor, None for a leaf."""
    return None if x.grad_fn is None else type(x.grad_fn).__name__


def square(torch):
    """An `autograd.Function` of the library's: x * x, with x saved."""

    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, gy):
            (x,) = ctx.saved_tensors
            return 2 * x * gy

    return Square
