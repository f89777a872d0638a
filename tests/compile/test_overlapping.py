"""Arguments that share memory: with one another, and with what the step reaches in other ways."""

import fastgrad as torch
from fastgrad import optim
from tests.compile.table import Table

program = Table()


@program(replays=3)
def slices_of_one_tensor_that_are_read(compile):
    step = compile(lambda x, y: ((x.sum(1) - y) ** 2).mean())
    data = torch.rand(40, 7)
    return [step(rows[:, :-1], rows[:, -1]) for rows in data.split(8)]


@program(replays=6)
def slices_of_one_tensor_that_are_written(compile):
    step = compile(lambda a, b: (a + b, a.add_(1.0).sum(), b.mul_(2.0).sum(), a - b))
    found = []
    for k in range(12):
        whole = torch.rand(9001)
        parts = (whole[:-1], whole[1:]) if k % 2 else (whole[1:], whole[:-1])
        found.append((step(*parts), whole, [part._version for part in parts]))
    return found


@program(replays=2, warns=True)
def an_argument_that_the_step_writes_elsewhere(compile):
    kept, w = torch.zeros(200, 200), torch.randn(200, 200) / 14
    step = compile(lambda x: kept.copy_(x @ w).sum())
    found = [step(torch.rand(200, 200)).clone() for _ in range(4)]
    return [*found, step(kept).clone(), step(torch.rand(200, 200)).clone(), step(kept[:]).clone(), kept]


@program(replays=4)
def one_tensor_for_two_arguments(compile):
    w = torch.randn(200, 200) / 14
    step = compile(lambda a, b: a.copy_(b @ w).sum())
    found = []
    for k in range(12):
        a, b = torch.rand(200, 200), torch.rand(200, 200)
        if k > 3 and k % 2:
            b = a if k % 4 == 1 else a[:]
        found.append((step(a, b).clone(), a, b))
    return found


@program(replays=2)
def a_chain_over_what_overlaps(compile):
    step = compile(lambda a, b: (a.add_(1.0), (b * 2).sum())[1])
    found = [step(torch.rand(5000), torch.rand(5000)).clone() for _ in range(4)]
    whole = torch.rand(5001)
    return [*found, step(whole[:-1], whole[1:]).clone(), whole]


@program(replays=2, warns=True)
def memory_of_numpy_that_overlaps(compile):
    step = compile(lambda a, b: (a.add_(1.0), (b * 2).sum())[1])
    found = [step(torch.rand(5000), torch.rand(5000)).clone() for _ in range(4)]
    whole = torch.rand(5001).numpy()
    parts = torch.from_numpy(whole[:-1]), torch.from_numpy(whole[1:])
    return [*found, step(*parts).clone(), *parts]


@program(replays=7, warns=True)
def gradients_that_are_added_to(compile):
    w, v = torch.ones(50, requires_grad=True), torch.ones(50, requires_grad=True)
    optimizer = optim.SGD([w, v], lr=0.01)

    @compile
    def step(x):
        ((w * x).sum() + (v * x * 2).sum()).backward()
        optimizer.step()

    found = []
    for k in range(14):
        if k in (6, 10):
            block = torch.rand(60)
            w.grad, v.grad = (block[:50], block[10:]) if k == 6 else (block[:50].clone(), block[10:].clone())
        step(torch.rand(50))
        found.append([one.clone() for one in (w, w.grad, v, v.grad)])
    return found


test_same_bits = program.test()
