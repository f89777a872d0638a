"""Equality over a generated family of training steps: twenty compiled steps leave the bits that twenty eager steps leave.

Each case draws a width, depth, activation, norm, dropout, loss, optimizer, clipping, scheduler and form of accumulation; the
draws are fixed, and every value of every choice occurs in many cases.
"""

import random
import re
import warnings
from itertools import pairwise

import numpy as np
import pytest

import fastgrad as torch
from fastgrad import nn, optim

STEPS = 20
ACTIVATIONS = ["ReLU", "Tanh", "Sigmoid", "GELU", "SiLU", "LeakyReLU", "ELU", "Softplus"]
FUSED = {"ReLU", "Tanh", "Sigmoid", "GELU", "SiLU", "LeakyReLU", "Softplus"}  # end a product as its epilogue
LOSSES = ["cross_entropy", "smoothed", "nll", "mse", "bce_with_logits", "smooth_l1"]
OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.05),
    "momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9),
    "nesterov": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adam": lambda p: optim.Adam(p, lr=1e-2),
    "amsgrad": lambda p: optim.Adam(p, lr=1e-2, amsgrad=True),
    "adamw": lambda p: optim.AdamW(p, lr=1e-2),
    "rmsprop": lambda p: optim.RMSprop(p, lr=1e-3, momentum=0.5, centered=True),
    "adagrad": lambda p: optim.Adagrad(p, lr=1e-2),
    "adadelta": lambda p: optim.Adadelta(p),
    "adamax": lambda p: optim.Adamax(p, lr=1e-2),
    "nadam": lambda p: optim.NAdam(p, lr=1e-2),
    "radam": lambda p: optim.RAdam(p, lr=1e-2),
}
SCHEDULERS = {
    "none": None,
    "step": lambda o: optim.lr_scheduler.StepLR(o, 3, 0.5),
    "cosine": lambda o: optim.lr_scheduler.CosineAnnealingLR(o, 20),
    "one_cycle": lambda o: optim.lr_scheduler.OneCycleLR(
        o, 0.05, total_steps=40, cycle_momentum=bool({"momentum", "betas"} & o.defaults.keys())
    ),
}
CHOICES = {
    "widths": [(5, 7, 3), (20, 13, 8, 3), (16, 64, 64, 10), (3, 4), (9, 33, 17, 1), (12, 12, 12, 12, 12, 4)],
    "activation": ACTIVATIONS,
    "norm": ["none", "none", "BatchNorm1d", "LayerNorm"],
    "dropout": [0.0, 0.0, 0.25],
    "loss": LOSSES,
    "optimizer": list(OPTIMIZERS),
    "clipping": ["none", "none", "norm", "value"],
    "scheduler": ["none", "step", "cosine", "one_cycle"],
    "scheduler_inside": [False, True],
    "gradients": ["none", "zeros", "two"],  # dropped before each step, filled with zeros, or of two batches
    "dtype": [torch.float32, torch.float32, torch.float32, torch.float64],
    "threads": [1, 2],
}


def family(count):
    draw = random.Random(20261121)
    cases = []
    for number in range(count):
        cases.append({name: values[number % len(values)] for name, values in CHOICES.items()})
        for name in draw.sample(list(CHOICES), 8):
            cases[-1][name] = draw.choice(CHOICES[name])
    return cases


def name_of(case):
    return "-".join(str(value).replace("torch.", "").replace(" ", "") for value in case.values())


def network(case):
    layers, widths = [], case["widths"]
    for k, (n_in, n_out) in enumerate(pairwise(widths)):
        layers.append(nn.Linear(n_in, n_out))
        if k < len(widths) - 2:
            if case["norm"] != "none":
                layers.append(getattr(nn, case["norm"])(n_out))
            layers.append(getattr(nn, case["activation"])())
            if case["dropout"]:
                layers.append(nn.Dropout(case["dropout"]))
    return nn.Sequential(*layers).to(case["dtype"])


def loss_of(case, outputs, y, t):
    kind = case["loss"]
    if kind == "cross_entropy":
        return nn.functional.cross_entropy(outputs, y)
    if kind == "smoothed":
        return nn.functional.cross_entropy(outputs, y, label_smoothing=0.1)
    if kind == "nll":
        return nn.functional.nll_loss(nn.functional.log_softmax(outputs, dim=1), y)
    if kind == "mse":
        return nn.functional.mse_loss(outputs, t)
    if kind == "smooth_l1":
        return nn.functional.smooth_l1_loss(outputs, t)
    return nn.functional.binary_cross_entropy_with_logits(outputs, t)


def training(case, compiled):
    torch.manual_seed(7)
    net = network(case)
    updater = OPTIMIZERS[case["optimizer"]](net.parameters())
    scheduler = SCHEDULERS[case["scheduler"]] and SCHEDULERS[case["scheduler"]](updater)
    inside = case["scheduler_inside"]

    def step(x, y, t):
        updater.zero_grad(set_to_none=case["gradients"] != "zeros")
        loss = loss_of(case, net(x), y, t)
        loss.backward()
        if case["gradients"] == "two":
            (loss_of(case, net(x * 0.5), y, t) * 0.25).backward()
        if case["clipping"] == "norm":
            nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        elif case["clipping"] == "value":
            nn.utils.clip_grad_value_(net.parameters(), 0.01)
        updater.step()
        if scheduler and inside:
            scheduler.step()
        return loss

    call = torch.compile(step) if compiled else step
    draw = np.random.default_rng(3)
    n_in, n_out = case["widths"][0], case["widths"][-1]
    seen = []
    for _ in range(STEPS):
        x = torch.tensor(draw.standard_normal((31, n_in)), dtype=case["dtype"])
        y, t = torch.tensor(draw.integers(0, n_out, 31)), torch.tensor(draw.random((31, n_out)), dtype=case["dtype"])
        seen.append(call(x, y, t).item())
        if scheduler and not inside:
            scheduler.step()
    state = {"losses": seen, "generator": torch.get_rng_state().numpy().tobytes(), "rate": updater.param_groups[0]["lr"]}
    for name, p in net.named_parameters():
        state |= {name: p.detach().numpy().tobytes(), f"{name}.grad": p.grad.numpy().tobytes(), f"{name}.v": p._version}
        for key, value in updater.state[p].items():
            state[f"{name}.{key}"] = value.numpy().tobytes() if isinstance(value, torch.Tensor) else value
    for name, buffer in net.named_buffers():
        state[name] = buffer.numpy().tobytes()
    return state, call


def check(case):
    torch.set_num_threads(case["threads"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wanted, _ = training(case, compiled=False)
        got, call = training(case, compiled=True)
    assert got.keys() == wanted.keys()
    for name, value in wanted.items():
        assert got[name] == value or (value != value), name
    recordings = 3 if case["gradients"] == "zeros" else 2  # the first of three began without gradients
    assert call.recordings == recordings
    assert call.replays >= STEPS - recordings, call.summary()
    fused_rows(case, call)


SHARE = [0, 0]  # of the launches in all plans: how many became part of a row with others, and how many there are


def fused_rows(case, call):
    """A hidden layer's product ends in its activation, and the product of its gradient in the activation's derivative,
    unless a norm or dropout stands between them."""
    (replay,) = call._plans.values()
    names = [name for step in replay.plan.steps for name in step.name.split(" | ")]  # products that share a row
    layers = (len(case["widths"]) - 2) * (2 if case["gradients"] == "two" else 1) * (case["activation"] in FUSED)
    for suffix, between in (("", case["norm"] != "none" or not layers), ("_backward", case["dropout"] > 0)):
        kernels = re.compile(rf"matmul\.product \+ activation\.[a-z]+(_[a-z]+)*?(?<!_backward){suffix}\.float\d\d")
        assert sum(bool(kernels.fullmatch(name)) for name in names) == (0 if between else layers), call.summary()
    launches = [name for name in names if not name.startswith(("numpy:", "check", "update", "effect"))]
    SHARE[0] += sum(name.count(" + ") + 1 for name in launches if " + " in name)
    SHARE[1] += sum(name.count(" + ") + 1 for name in launches)


@pytest.fixture(autouse=True)
def threads_restored():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("case", family(60), ids=name_of)
def test_compiled_steps_are_eager_steps(case):
    check(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", family(600)[60:], ids=name_of)
def test_compiled_steps_are_eager_steps_in_all_cases(case):
    check(case)


def test_the_share_of_fused_rows():
    if not SHARE[1]:
        pytest.skip("no case has run")
    print(f"{SHARE[0]} of {SHARE[1]} launches ({100 * SHARE[0] / SHARE[1]:.0f}%) run in a row with others")
    assert SHARE[0] > 0.2 * SHARE[1]
