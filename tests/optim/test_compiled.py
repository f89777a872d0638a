"""Every optimizer inside a compiled step: the same bits as eager, with rates and options that change on the way."""

import numpy as np
import pytest

import fastgrad
from fastgrad import nn, optim

CASES = [
    ("SGD", {"momentum": 0.9}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("Adagrad", {"lr_decay": 0.1}),
    ("Adadelta", {}),
    ("Adamax", {}),
    ("NAdam", {}),
    ("RAdam", {"betas": (0.9, 0.9)}),
]


def trained(name, options, compiled, steps=12):
    fastgrad.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 1))
    optimizer = getattr(optim, name)(
        [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.05}], lr=0.1, **options
    )
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = fastgrad.compile(step) if compiled else step
    x, y = fastgrad.rand(8, 5), fastgrad.rand(8, 1)
    losses = []
    for _ in range(steps):
        losses.append(run(x, y).item())
        scheduler.step()
    if compiled:
        assert run.replays > steps // 2
    return losses, [p.detach().numpy() for p in model.parameters()], optimizer.state_dict()


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_compiled_step_is_the_eager_one(name, options):
    eager, compiled = (trained(name, options, compiled) for compiled in (False, True))
    assert eager[0] == compiled[0]
    for a, b in zip(eager[1], compiled[1], strict=True):
        np.testing.assert_array_equal(a, b)
    for number, state in eager[2]["state"].items():
        for key, value in state.items():
            assert fastgrad.equal(compiled[2]["state"][number][key], value)
    assert eager[2]["param_groups"] == compiled[2]["param_groups"]
