"""Mistakes in using optimizers raise what PyTorch raises."""

import re

import pytest

import fastgrad


def _squares(w):
    w.grad = None
    loss = (w * w).sum()
    loss.backward()
    return loss


def _hooked_with_a_number(optimizer):
    optimizer.register_step_pre_hook(lambda *_: 3)
    optimizer.step()


MISTAKES = {
    "one tensor": lambda t, w: t.optim.SGD(w, lr=1),
    "nothing": lambda t, w: t.optim.SGD([], lr=1),
    "a set": lambda t, w: t.optim.SGD([{"params": {w}}], lr=1),
    "numbers": lambda t, w: t.optim.SGD([1.0], lr=1),
    "a non-leaf": lambda t, w: t.optim.SGD([w * 2], lr=1),
    "twice in two groups": lambda t, w: t.optim.SGD([{"params": [w]}, {"params": [w]}], lr=1),
    "a group that is none": lambda t, w: t.optim.SGD([w], lr=1).add_param_group([w]),
    "some names missing": lambda t, w: t.optim.SGD([("w", w), t.ones(1)], lr=1),
    "learning rate": lambda t, w: t.optim.SGD([w], lr=-1),
    "momentum": lambda t, w: t.optim.SGD([w], lr=1, momentum=-0.5),
    "weight decay": lambda t, w: t.optim.SGD([w], lr=1, weight_decay=-0.5),
    "nesterov alone": lambda t, w: t.optim.SGD([w], lr=1, nesterov=True),
    "nesterov dampened": lambda t, w: t.optim.SGD([w], lr=1, momentum=0.5, dampening=0.1, nesterov=True),
    "adam's learning rate": lambda t, w: t.optim.Adam([w], lr=-1.0),
    "adam's epsilon": lambda t, w: t.optim.Adam([w], eps=-1.0),
    "adam's first beta": lambda t, w: t.optim.Adam([w], betas=(1.0, 0.9)),
    "adam's second beta": lambda t, w: t.optim.AdamW([w], betas=(0.9, -0.1)),
    "adam's decay": lambda t, w: t.optim.AdamW([w], weight_decay=-1),
    "rmsprop's alpha": lambda t, w: t.optim.RMSprop([w], alpha=-1),
    "rmsprop's momentum": lambda t, w: t.optim.RMSprop([w], momentum=-1),
    "some groups without names": lambda t, w: t.optim.SGD([("w", w)], lr=1).add_param_group({"params": [t.ones(1)]}),
    "several learning rates": lambda t, w: t.optim.Adagrad([w], lr=t.ones(2)),
    "a learning rate for foreach": lambda t, w: t.optim.Adam([w], lr=t.ones(1), foreach=True),
    "betas of two kinds": lambda t, w: t.optim.Adam([w], betas=(t.tensor(0.9), 0.9)),
    "betas that are integers": lambda t, w: t.optim.Adam([w], betas=(0, 0.9)),
    "several betas": lambda t, w: t.optim.Adam([w], betas=(t.tensor([0.9, 0.8]), t.tensor(0.9))),
    "fused and foreach": lambda t, w: t.optim.AdamW([w], fused=True, foreach=True),
    "fused and differentiable": lambda t, w: t.optim.SGD([w], fused=True, differentiable=True),
    "adagrad fused and foreach": lambda t, w: t.optim.Adagrad([w], fused=True, foreach=True),
    "adagrad's decay of the rate": lambda t, w: t.optim.Adagrad([w], lr_decay=-1),
    "adagrad's first sum": lambda t, w: t.optim.Adagrad([w], initial_accumulator_value=-1),
    "adagrad's epsilon": lambda t, w: t.optim.Adagrad([w], eps=-1),
    "adadelta's rho": lambda t, w: t.optim.Adadelta([w], rho=1.5),
    "adadelta's learning rate": lambda t, w: t.optim.Adadelta([w], lr=-1),
    "adamax's beta": lambda t, w: t.optim.Adamax([w], betas=(0.9, 1.0)),
    "nadam's momentum decay": lambda t, w: t.optim.NAdam([w], momentum_decay=-1),
    "radam's decay": lambda t, w: t.optim.RAdam([w], weight_decay=-1),
    "lbfgs with groups": lambda t, w: t.optim.LBFGS([{"params": [w]}, {"params": [t.ones(1)]}]),
    "lbfgs's learning rate": lambda t, w: t.optim.LBFGS([w], lr=-1),
    "lbfgs's line search": lambda t, w: t.optim.LBFGS([w], line_search_fn="armijo").step(lambda: _squares(w)),
    "a hook that returns a number": lambda t, w: _hooked_with_a_number(t.optim.SGD([w], lr=1)),
    "state of other groups": lambda t, w: t.optim.SGD([w], lr=1).load_state_dict(
        {"state": {}, "param_groups": []}
    ),
    "state of other sizes": lambda t, w: t.optim.SGD([w], lr=1).load_state_dict(
        {"state": {}, "param_groups": [{"params": [0, 1]}]}
    ),
    "no such option": lambda t, w: t.optim.SGD([w], lr=1, momentun=0.9),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_raise_what_pytorch_raises(torch, mistake):
    with pytest.raises(Exception) as theirs:
        MISTAKES[mistake](torch, torch.ones(2, requires_grad=True))
    with pytest.raises(type(theirs.value)) as ours:
        MISTAKES[mistake](fastgrad, fastgrad.ones(2, requires_grad=True))
    plain = [re.sub(r"<function.*? at 0x\w+>", "", str(error.value)) for error in (ours, theirs)]
    assert re.sub(r"\. Did you mean .*$", "", plain[0]) == plain[1]  # Python says what was meant itself from 3.13 on
