"""Arguments, results and operations of every form inside a compiled step."""

import functools
import warnings

import numpy as np

import fastgrad as torch
from fastgrad.nn import functional as F
from tests.compile.programs import Training, batch, bits, check

# -- arguments and results ---------------------------------------------------------------------------------------------


def test_keywords():
    def make():
        w = torch.rand(6, requires_grad=True)

        def step(x, *, y, scale=2.0):
            w.grad = None
            loss = ((x * w).sum(1) * scale - y).pow(2).mean()
            loss.backward()
            return loss, w.grad

        return step

    def arguments(k):
        x, y = batch(k)
        return {"x": x, "y": y.float()} if k < 6 else {"x": x, "y": y.float(), "scale": 3.0}

    check(make, 12, arguments=arguments, replays=8)


def test_the_order_of_keywords_does_not_matter():
    call = check(
        lambda: lambda x, y: x[:, 0] - y,
        12,
        arguments=lambda k: dict(sorted(zip("xy", batch(k), strict=True), reverse=bool(k % 2))),
    )
    assert call.replays >= 8


def test_nested_containers():
    def make():
        w = torch.rand(6, 3, requires_grad=True)

        def step(data, options):
            (x, y), weights = data["batch"], data["weights"]
            w.grad = None
            loss = (F.cross_entropy(x @ w, y, reduction="none") * weights[0]).mean() * options["scale"]
            loss.backward()
            return {
                "loss": loss,
                "outputs": [(x @ w).detach(), (y, loss.item())],
                "name": options["name"],
                "gradient": w.grad,
            }

        return step

    def arguments(k):
        x, y = batch(k)
        return {"batch": (x, y), "weights": [torch.full((12,), 0.5 + k)]}, {"scale": 0.5, "name": "half"}

    check(make, 10, arguments=arguments, replays=8)


def test_the_same_tensor_twice_and_then_not():
    def arguments(k):
        x, z = batch(k)[0], batch(k + 50)[0]
        return (x, x) if k % 2 else (x, z)

    check(lambda: lambda a, b: a * 2 + b, 12, arguments=arguments, replays=8)


def test_arguments_that_overlap():
    def arguments(k):
        x = torch.arange(10.0) + k
        return x[:6], x[4:]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # left to eager mode
        check(lambda: lambda a, b: (a + b, a.add_(1), b * 2), 6, arguments=arguments)


def test_an_argument_changed_in_place():
    check(lambda: lambda x, y: x.mul_(2).add_(y[:, None]), 8, replays=6)


def test_arguments_with_other_strides_and_offsets():
    def arguments(k):
        whole = torch.tensor(np.random.default_rng(k).standard_normal((20, 20)), dtype=torch.float32)
        return [(whole[:12, :6],), (whole[3:15, 2:8],), (whole[:12, :6].contiguous(),), (whole[:6, :12].t(),)][k % 4]

    def make():
        w = torch.rand(6, 4)
        return lambda x: (torch.tanh(x @ w), x.sum(0), x * 2)

    check(make, 20, arguments=arguments, replays=12)


def test_an_array_of_numpy_as_argument():
    w = torch.ones(6)

    def arguments(k):
        return (np.full((3, 6), float(k), np.float32),)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # may be left to eager mode
        check(lambda: lambda x: (torch.tensor(x) * w).sum(), 8, arguments=arguments)
        shared = np.zeros((3, 6), np.float32)

        def refilled(k):
            shared[:] = k
            return (shared,)

        check(lambda: lambda x: (torch.from_numpy(x) * w).sum(), 8, arguments=refilled)
        check(lambda: lambda x: (torch.tensor(x) * w).sum(), 8, arguments=refilled)


def test_a_view_and_an_argument_are_returned():
    def step(x, y):
        made = torch.exp(x)
        return made[2:4], made, x, y

    check(lambda: step, 8, replays=6)


def test_nothing_is_returned():
    training = Training
    check(training, 8, replays=6)

    def make():
        made = Training()
        made.step = (lambda step: lambda x, y: step(x, y) and None)(made.step)
        return made

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `and` reads the loss
        check(make, 8)


def test_a_differentiable_result_may_go_backward_outside():
    def make():
        w = torch.rand(6, 3, requires_grad=True)
        compute = [lambda x: torch.sigmoid(x @ w)]

        def step(x, y):
            w.grad = None
            F.cross_entropy(compute[0](x), y).backward()
            return w.grad.clone()

        step.compute, step.w = compute, w
        return step

    results = []
    for compiled in (False, True):
        torch.manual_seed(0)
        step = make()
        if compiled:
            step.compute[0] = torch.compile(step.compute[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # may be left to eager mode
            results.append([bits(step(*batch(k))) for k in range(8)])
    assert results[0] == results[1]


# -- operations --------------------------------------------------------------------------------------------------------


def test_integers_booleans_and_indices():
    def make():
        table, w = torch.rand(3, 6), torch.rand(6, 3, requires_grad=True)

        def step(x, y):
            w.grad = None
            even = (y % 2 == 0) & (y >= 0)
            order = y.argsort(stable=True)
            chosen = torch.where(even[:, None], x, -x)
            mixed = torch.cat([chosen[:4], x[order][4:]]) + table[y]
            outputs = mixed @ w
            picked = outputs[torch.arange(12), y]
            loss = (picked * even.float()).sum() + outputs.gather(1, y[:, None]).mean()
            loss.backward()
            return {
                "loss": loss, "gradient": w.grad, "count": even.sum(), "y": y * 3 + 1, "order": order,
                "hot": F.one_hot(y, 3), "where": torch.where(even, y, -y),
            }  # fmt: skip

        return step

    check(make, 10, replays=8)


def test_einsum():
    check(lambda: lambda x, y: torch.einsum("ij,ij->i", x, x), 6)


def test_cat_stack_and_split():
    def make():
        w = torch.rand(6, 4, requires_grad=True)

        def step(x, y):
            w.grad = None
            a, b = (x @ w).split(2, dim=1)
            joined = torch.cat([a, b * 2, torch.stack([a[:, 0], b[:, 1]], dim=1)], dim=1)
            joined.pow(2).mean().backward()
            return joined, w.grad, torch.cat([x, x])

        return step

    check(make, 8, replays=6)


def test_accuracy_in_the_step():
    def make():
        made = Training()
        net, updater = made.net, made.optimizer

        def step(x, y):
            updater.zero_grad()
            outputs = net(x)
            loss = F.cross_entropy(outputs, y)
            loss.backward()
            updater.step()
            right = outputs.argmax(1) == y
            return loss, right.float().mean(), right.sum().item()

        made.step = step
        return made

    check(make, 10, replays=8)


def test_shapes_that_depend_on_values():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(lambda: lambda x, y: x[y == 1].sum(0), 10)
        check(lambda: lambda x, y: (y == 1).nonzero(), 10)
        check(lambda: lambda x, y: torch.unique(y), 10)


def test_random_numbers_made_in_the_step():
    def make():
        own = torch.Generator().manual_seed(5)

        def step(x, y):
            noise = torch.randn(12, 6) + torch.rand(12, 6, generator=own)
            return x + noise, torch.randint(0, 9, (4,)), torch.randperm(7)

        return step

    check(make, 10, replays=8)


def test_a_tensor_made_of_numbers_is_returned():
    check(lambda: lambda x, y: (torch.tensor([1.0, 2.0]), torch.arange(3), torch.linspace(0, 1, 5)), 6, replays=4)


def test_tensors_made_in_the_step():
    def step(x, y):
        table = torch.tensor([[1.0, 2.0, 3.0]])
        return torch.zeros(3) + x[0, 0], torch.ones(12, 1) * table, torch.arange(12) + y, x + table[0, 0]

    check(lambda: step, 8, replays=6)


# -- the function's form -----------------------------------------------------------------------------------------------


def test_keywords_of_pytorch_are_accepted():
    for made in (
        torch.compile(lambda x: x + 1, fullgraph=True, dynamic=False, backend="inductor", mode="max-autotune", options={}),
        torch.compile(fullgraph=True)(lambda x: x + 1),
    ):
        assert made(torch.ones(1)).item() == 2.0


class Foreign:
    """An object that says at a look which class it is, as PyTorch's deprecated names warn."""

    @property
    def __class__(self):
        raise AssertionError("a compiled step looked at what is not its own")


def test_methods_partial_functions_and_callable_objects():
    kept = [Foreign()]

    class Trainer:
        def __init__(self):
            self.training = Training()

        def step(self, x, y):
            return self.training.step(x, y)

        def __call__(self, x, y):
            return self.training.step(x, y) * 2

    for form in (lambda t: t.step, lambda t: t, lambda t: functools.partial(t.training.step, y=batch(0)[1])):
        results = []
        for compiled in (False, True):
            torch.manual_seed(1)
            trainer = Trainer()
            call = torch.compile(form(trainer)) if compiled else form(trainer)
            arguments = (lambda k: batch(k)[:1]) if isinstance(form(trainer), functools.partial) else batch
            results.append([bits(call(*arguments(k)).detach()) for k in range(8)])
            results[-1].append(trainer.training.state())
        assert results[0] == results[1]
        assert call.replays >= 6, call.notes
    assert kept
