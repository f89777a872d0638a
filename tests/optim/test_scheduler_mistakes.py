"""What schedulers warn of and refuse: PyTorch's texts."""

import warnings

import pytest

import fastgrad
from tests.optim.test_schedulers import CASES, made, seen, steps


def epochs(name, **options):
    def run(library):
        optimizer = made(library)
        optimizer.step()
        scheduler = getattr(library.optim.lr_scheduler, name)(optimizer, **options)
        optimizer.step()
        for epoch in (3, 0, 7, 1):
            scheduler.step(epoch)
        return seen(optimizer, scheduler)

    return run


def overridden(library):
    optimizer = made(library)
    scheduler = library.optim.lr_scheduler.StepLR(optimizer, 1)
    optimizer.step = lambda: None
    scheduler.step()
    return seen(optimizer, scheduler)


def too_early(library):
    optimizer = made(library)
    optimizer.step()
    scheduler = library.optim.lr_scheduler.StepLR(optimizer, 1)
    scheduler.step()
    scheduler.step()
    return seen(optimizer, scheduler)


def _with(library, case):
    optimizer = made(library)
    return optimizer, CASES[case](library.optim.lr_scheduler, optimizer)


WARNINGS = {
    "before the optimizer's step": too_early,
    "a step that was overridden": overridden,
    "a sequence of sequences": lambda t: seen(*_with(t, "a sequence of sequences")),
    "a chain in a sequence": lambda t: seen(*_with(t, "a chain in a sequence")),
    "rates outside a step": lambda t: t.optim.lr_scheduler.StepLR(made(t), 1).get_lr(),
    "an epoch for StepLR": epochs("StepLR", step_size=2),
    "an epoch for MultiStepLR": epochs("MultiStepLR", milestones=[2, 5]),
    "an epoch for ConstantLR": epochs("ConstantLR"),
    "an epoch for LinearLR": epochs("LinearLR"),
    "an epoch for ExponentialLR": epochs("ExponentialLR", gamma=0.5),
    "an epoch for PolynomialLR": epochs("PolynomialLR"),
    "an epoch for CosineAnnealingLR": epochs("CosineAnnealingLR", T_max=5),
    "an epoch for LambdaLR": epochs("LambdaLR", lr_lambda=lambda epoch: 0.5**epoch),
    "an epoch for restarts": epochs("CosineAnnealingWarmRestarts", T_0=2, T_mult=2),
    "an epoch for restarts alike": epochs("CosineAnnealingWarmRestarts", T_0=2),
}


@pytest.mark.parametrize("case", WARNINGS)
def test_warnings_are_pytorchs(torch, case):
    def run(library):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            made = WARNINGS[case](library)
        return made, [(type(w.message), str(w.message)) for w in caught]

    assert run(fastgrad) == run(torch)


def _resumed_from_nothing(t):
    return t.optim.lr_scheduler.StepLR(made(t), 1, last_epoch=3)


def _another_optimizer(t, kind):
    s, o = t.optim.lr_scheduler, made(t, rates=(0.1,))
    other = s.StepLR(made(t, rates=(0.1,)), 1)
    return s.ChainedScheduler([s.StepLR(o, 1), other]) if kind == "chain" else s.SequentialLR(o, [other], [])


def _plateau_in(t, kind):
    s, o = t.optim.lr_scheduler, made(t)
    plateau = s.ReduceLROnPlateau(o)
    return s.ChainedScheduler([plateau]) if kind == "chain" else s.SequentialLR(o, [plateau], [])


def _group_after_a_plateau(t):
    o = made(t)
    scheduler = t.optim.lr_scheduler.ReduceLROnPlateau(o, patience=0, min_lr=[0, 0])
    o.add_param_group({"params": [t.ones(1)]})
    scheduler.step(1.0)
    scheduler.step(1.0)


def _past_the_end(t):
    o = made(t, momentum=0.9)
    scheduler = t.optim.lr_scheduler.OneCycleLR(o, max_lr=1.0, total_steps=3)
    list(steps(o, scheduler, 4))


MISTAKES = {
    "no optimizer": lambda t: t.optim.lr_scheduler.StepLR(t.ones(1), 1),
    "no optimizer for a plateau": lambda t: t.optim.lr_scheduler.ReduceLROnPlateau(3),
    "no optimizer for a cycle": lambda t: t.optim.lr_scheduler.CyclicLR(3, 0.1, 1.0),
    "nothing to resume from": _resumed_from_nothing,
    "too few functions": lambda t: t.optim.lr_scheduler.LambdaLR(made(t), [abs]),
    "too few factors": lambda t: t.optim.lr_scheduler.MultiplicativeLR(made(t), [abs]),
    "a factor that is no function": lambda t: t.optim.lr_scheduler.MultiplicativeLR(made(t), 0.5),
    "a constant above one": lambda t: t.optim.lr_scheduler.ConstantLR(made(t), factor=2),
    "a start at nothing": lambda t: t.optim.lr_scheduler.LinearLR(made(t), start_factor=0),
    "an end above one": lambda t: t.optim.lr_scheduler.LinearLR(made(t), end_factor=1.5),
    "a plateau that grows": lambda t: t.optim.lr_scheduler.ReduceLROnPlateau(made(t), factor=1.0),
    "an unknown mode": lambda t: t.optim.lr_scheduler.ReduceLROnPlateau(made(t), mode="low"),
    "an unknown threshold": lambda t: t.optim.lr_scheduler.ReduceLROnPlateau(made(t), threshold_mode="x"),
    "too few lowest rates": lambda t: t.optim.lr_scheduler.ReduceLROnPlateau(made(t), min_lr=[0.1]),
    "a group that came later": _group_after_a_plateau,
    "restarts of no length": lambda t: t.optim.lr_scheduler.CosineAnnealingWarmRestarts(made(t), 0),
    "restarts that shrink": lambda t: t.optim.lr_scheduler.CosineAnnealingWarmRestarts(made(t), 2, T_mult=0),
    "a lowest rate in words": lambda t: t.optim.lr_scheduler.CosineAnnealingWarmRestarts(made(t), 2, eta_min="x"),
    "an epoch below zero": lambda t: t.optim.lr_scheduler.CosineAnnealingWarmRestarts(made(t), 2).step(-1),
    "a cycle of unknown shape": lambda t: t.optim.lr_scheduler.CyclicLR(made(t), 0.1, 1.0, mode="x"),
    "a cycle without momentum": lambda t: t.optim.lr_scheduler.CyclicLR(made(t, "Adagrad"), 0.1, 1.0),
    "a cycle of too few rates": lambda t: t.optim.lr_scheduler.CyclicLR(made(t), [0.1], 1.0),
    "one cycle of unknown length": lambda t: t.optim.lr_scheduler.OneCycleLR(made(t), 1.0),
    "one cycle of no length": lambda t: t.optim.lr_scheduler.OneCycleLR(made(t), 1.0, total_steps=0),
    "one cycle of no epochs": lambda t: t.optim.lr_scheduler.OneCycleLR(made(t), 1.0, epochs=0, steps_per_epoch=3),
    "one cycle of no steps": lambda t: t.optim.lr_scheduler.OneCycleLR(made(t), 1.0, epochs=1, steps_per_epoch=0),
    "one cycle that starts late": lambda t: t.optim.lr_scheduler.OneCycleLR(made(t), 1.0, total_steps=5, pct_start=2.0),
    "one cycle of unknown shape": lambda t: t.optim.lr_scheduler.OneCycleLR(
        made(t), 1.0, total_steps=5, anneal_strategy="x"
    ),
    "one cycle without momentum": lambda t: t.optim.lr_scheduler.OneCycleLR(made(t, "Adagrad"), 1.0, total_steps=5),
    "past the end": _past_the_end,
    "an empty chain": lambda t: t.optim.lr_scheduler.ChainedScheduler([]),
    "an empty sequence": lambda t: t.optim.lr_scheduler.SequentialLR(made(t), [], []),
    "a sequence of something else": lambda t: t.optim.lr_scheduler.SequentialLR(made(t), [3], []),
    "a plateau in a chain": lambda t: _plateau_in(t, "chain"),
    "a plateau in a sequence": lambda t: _plateau_in(t, "sequence"),
    "a chain for two optimizers": lambda t: _another_optimizer(t, "chain"),
    "a sequence for two optimizers": lambda t: _another_optimizer(t, "sequence"),
    "too few milestones": lambda t: (
        lambda s, o: s.SequentialLR(o, [s.StepLR(o, 1), s.StepLR(o, 1)], [])
    )(t.optim.lr_scheduler, made(t)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_raise_what_pytorch_raises(torch, mistake):
    with pytest.raises(Exception) as theirs:
        MISTAKES[mistake](torch)
    with pytest.raises(type(theirs.value)) as ours:
        MISTAKES[mistake](fastgrad)
    assert str(ours.value) == str(theirs.value)


def test_every_scheduler_of_pytorch_is_here(torch):
    assert set(torch.optim.lr_scheduler.__all__) == set(fastgrad.optim.lr_scheduler.__all__)
