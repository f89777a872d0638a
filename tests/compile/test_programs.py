"""Programs whose steps are planned: rows that go or become one, and gradients that are there or not."""

import fastgrad as torch
from fastgrad import nn, optim
from fastgrad.nn import functional as F
from tests.compile.table import Table, batch, network, seen

program = Table()

# -- rows: which may go, which may be one ------------------------------------------------------------------------------


@program(replays=4)
def number_of_an_elementwise_result(compile):
    w = torch.rand(3, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)

    @compile
    def step(x):
        optimizer.zero_grad()
        loss = (w * x).sum()
        loss.backward()
        optimizer.step()
        return (loss * 2).item(), torch.sqrt(x.mean()).item()

    return [step(torch.rand(3)) for _ in range(6)] + [w]


@program(replays=4)
def product_copied_into_its_operand(compile):
    a, v = torch.rand(200, 200), torch.rand(200, 200) / 100
    step = compile(lambda: a.copy_(a @ v).sum())
    return [step().clone() for _ in range(6)] + [a]


@program(replays=4)
def product_copied_into_an_argument_that_it_reads(compile):
    u = torch.randn(300, 300) / 17
    step = compile(lambda h: h.copy_(torch.tanh(h @ u)).mean())
    h = torch.rand(300, 300)
    return [step(h).clone() for _ in range(6)] + [h]


@program(replays=4)
def product_before_an_update_of_what_is_added_after_it(compile):
    w = torch.rand(30, 30, requires_grad=True)
    b = torch.rand(30, 30, requires_grad=True)
    optimizer = optim.SGD([b], lr=0.5)

    @compile
    def step(x):
        optimizer.zero_grad()
        (b * x).sum().backward()
        with torch.no_grad():
            h = x @ w
            optimizer.step()
            return h + b

    return [step(torch.rand(30, 30)) for _ in range(6)]


# -- gradients that are there when a step begins, and those that are not -----------------------------------------------


def accumulating(compile, **how):
    model = network()
    optimizer = optim.Adam(model.parameters(), lr=0.1)

    @compile
    def step(x, y, last):
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        if last:
            optimizer.step()
            optimizer.zero_grad(**how)
        return loss

    return [(step(*batch(), k % 4 == 3).detach().clone(), seen(model)) for k in range(24)]


@program(replays=15)
def accumulation_with_a_flag(compile):
    return accumulating(compile)


@program(replays=15)
def accumulation_with_a_flag_into_zeros(compile):
    return accumulating(compile, set_to_none=False)


@program(replays=12)
def steps_that_share_a_model(compile):
    model = network()
    optimizer = optim.Adam(model.parameters(), lr=0.01)

    @compile
    def adds(x, y):
        F.cross_entropy(model(x), y).backward()

    @compile
    def adds_and_steps(x, y):
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss

    @compile
    def begins_anew(x, y):
        optimizer.zero_grad()
        F.mse_loss(model(x), torch.ones(8, 3)).backward()
        optimizer.step()

    found, held = [], []
    for k in range(24):
        (adds, adds, adds_and_steps, begins_anew, adds_and_steps, adds, begins_anew)[k % 7](*batch())
        held.append(model[0].weight.grad)
        found.append(seen(model))
    return found, held


@program(replays=6)
def only_the_optimizer(compile):
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    step = compile(optimizer.step)
    found = []
    for _ in range(9):
        optimizer.zero_grad()
        F.cross_entropy(model(batch()[0]), batch()[1]).backward()
        step()
        found.append(seen(model))
    return found


@program(replays=6)
def momentum_by_hand(compile):
    w = torch.ones(6, requires_grad=True)

    @compile
    def step(x):
        before, w.grad = w.grad, None
        (w * x).sum().backward()
        if before is not None:
            w.grad.add_(before, alpha=0.5)
        return w.grad.sum()

    return [(step(torch.rand(6)), w.grad.clone()) for _ in range(10)]


@program(replays=6)
def a_gradient_that_is_looked_for(compile):
    w = torch.ones(3, requires_grad=True)
    step = compile(lambda x: (x * 2).sum() if w.grad is None else (x * 3).sum())
    found = []
    for k in range(12):
        if k in (4, 8):
            w.grad = torch.ones(3) if k == 4 else None
        found.append(step(torch.ones(3)))
    return found


@program(replays=4)
def gradients_in_one_block(compile):
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    block = torch.zeros(sum(p.numel() for p in model.parameters()))
    at = 0
    for p in model.parameters():
        p.grad = block[at : at + p.numel()].view(p.shape)
        at += p.numel()

    @compile
    def step(x, y):
        block.zero_()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()

    found = []
    for k in range(10):
        if k == 6:
            model[0].bias.grad = torch.ones_like(model[0].bias)
        step(*batch())
        found.append((seen(model), block.clone()))
    return found


def failing(compile, step_of):
    model = network()
    step = compile(step_of(model, optim.SGD(model.parameters(), lr=0.1)))
    found = []
    for k in range(10):
        x, y = batch()
        if k in (5, 7):
            y[2] = 9
        try:
            found.append(step(x, y).detach().clone())
        except IndexError as error:
            found.append(str(error))
        found.append(seen(model))
    return found


@program(replays=5)
def gradients_after_a_failed_check(compile):
    def step_of(model, optimizer):
        def step(x, y):
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        return step

    return failing(compile, step_of)


@program(replays=5)
def gradients_after_the_second_check_failed(compile):
    def step_of(model, optimizer):
        def step(x, y):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y.clamp(0, 2)).backward()
            optimizer.step()
            again = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            again.backward()
            optimizer.step()
            return again

        return step

    return failing(compile, step_of)


@program(replays=20)
def modes_in_turn(compile):
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    @compile
    def step(x, y):
        loss = F.cross_entropy(model(x), y)
        if model.training:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.detach()

    found = []
    for k in range(30):
        model.train(k % 3 != 2)
        found.append(step(*batch()))
    return found, seen(model), list(model.buffers())


test_same_bits = program.test()
