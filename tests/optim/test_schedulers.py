"""Schedulers: PyTorch's rates and momenta to the last bit, saving, resuming, and what goes wrong."""

import copy
import itertools
import pickle
import re

import pytest

import fastgrad


class Wave:
    """A callable whose attributes a state dictionary keeps."""

    def __init__(self, width):
        self.width = width

    def __call__(self, epoch):
        return 1 + (epoch % self.width) / 10


def grid(name, **options):
    """(name, a function that makes the scheduler) for every choice of options, which may be lists of lists."""
    for values in itertools.product(*options.values()):
        chosen = dict(zip(options, values))
        words = re.sub(r" at 0x\w+", "", f"{name} {chosen}")  # the same in every process
        yield words, lambda s, o, chosen=chosen: getattr(s, name)(o, **chosen)


# A sequence takes first steps back and makes them again, which looks as if no optimizer had stepped; in PyTorch too.
pytestmark = pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
CASES = dict(
    [
        *grid("LambdaLR", lr_lambda=[lambda epoch: 0.95**epoch, Wave(4), [Wave(3), lambda epoch: 1 / (epoch + 1)]]),
        *grid("MultiplicativeLR", lr_lambda=[lambda epoch: 0.95, [Wave(3), lambda epoch: 0.9]]),
        *grid("StepLR", step_size=[1, 3, 30], gamma=[0.1, 0.5]),
        *grid("MultiStepLR", milestones=[[], [5, 20], [7, 7, 3]], gamma=[0.3]),
        *grid("ConstantLR", factor=[1 / 3, 0.5, 1.0], total_iters=[0, 4, 60]),
        *grid("LinearLR", start_factor=[1 / 3, 1.0], end_factor=[1.0, 0.2, 0.0], total_iters=[5, 60]),
        *grid("ExponentialLR", gamma=[0.9, 1.0]),
        *grid("PolynomialLR", total_iters=[5, 60], power=[1.0, 2.5]),
        *grid("CosineAnnealingLR", T_max=[1, 5, 50], eta_min=[0.0, 0.01]),
        *grid("CosineAnnealingWarmRestarts", T_0=[1, 5], T_mult=[1, 2, 3], eta_min=[0.0, 0.01]),
        *grid(
            "CyclicLR",
            base_lr=[0.01, [0.01, 0.02]],
            max_lr=[0.1],
            step_size_up=[3, 7],
            step_size_down=[None, 4],
            mode=["triangular", "triangular2", "exp_range"],
            gamma=[0.99],
            cycle_momentum=[True, False],
        ),
        *grid("CyclicLR", base_lr=[0.01], max_lr=[0.1], step_size_up=[3], scale_fn=[Wave(3)], scale_mode=["cycle", "x"]),
        *grid(
            "OneCycleLR",
            max_lr=[0.1, [0.2, 0.1]],
            total_steps=[60],
            pct_start=[0.3, 0.5],
            anneal_strategy=["cos", "linear"],
            three_phase=[False, True],
            cycle_momentum=[True, False],
        ),
        *grid("OneCycleLR", max_lr=[0.1], epochs=[6], steps_per_epoch=[10], div_factor=[10.0], final_div_factor=[100.0]),
        (
            "a chain",
            lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 4), s.ExponentialLR(o, 0.9), s.CosineAnnealingLR(o, 10)]),
        ),
        (
            "a sequence",
            lambda s, o: s.SequentialLR(
                o, [s.LinearLR(o, 0.1, total_iters=5), s.CosineAnnealingLR(o, 20), s.StepLR(o, 3)], milestones=[5, 25]
            ),
        ),
        (
            "a sequence of sequences",
            lambda s, o: s.SequentialLR(
                o,
                [
                    s.SequentialLR(o, [s.ConstantLR(o, 0.1, 2), s.LinearLR(o, 0.5)], milestones=[3]),
                    s.ExponentialLR(o, gamma=0.9),
                ],
                milestones=[12],
            ),
        ),
        (
            "a chain in a sequence",
            lambda s, o: s.SequentialLR(
                o,
                [s.ChainedScheduler([s.ConstantLR(o, 0.5), s.ExponentialLR(o, 0.9)]), s.ExponentialLR(o, gamma=0.9)],
                milestones=[60],
            ),
        ),
    ]
)
OPTIMIZERS = [("SGD", {"momentum": 0.9}), ("Adam", {})]


def made(library, kind="SGD", rates=(0.05, 0.2), **options):
    groups = [{"params": [library.ones(1, requires_grad=True)], "lr": rate} for rate in rates]
    return getattr(library.optim, kind)(groups, **options)


def seen(optimizer, scheduler):
    """What a scheduler has done to an optimizer, as plain numbers."""
    groups = [(float(g["lr"]), g.get("momentum"), g.get("betas")) for g in optimizer.param_groups]
    return [float(rate) for rate in scheduler.get_last_lr()], groups, getattr(scheduler, "last_epoch", None)


def steps(optimizer, scheduler, count):
    for _ in range(count):
        optimizer.step()
        scheduler.step()
        yield seen(optimizer, scheduler)


@pytest.mark.parametrize(("kind", "options"), OPTIMIZERS)
@pytest.mark.parametrize("case", CASES)
def test_fifty_steps_are_pytorchs(torch, case, kind, options):
    found = []
    for library in (fastgrad, torch):
        optimizer = made(library, kind, **options)
        scheduler = CASES[case](library.optim.lr_scheduler, optimizer)
        found.append([seen(optimizer, scheduler), *steps(optimizer, scheduler, 50)])
    assert found[0] == found[1]


def _without_bound_methods(state):
    return {name: value for name, value in state.items() if name != "_scale_fn_ref"}


@pytest.mark.parametrize("case", CASES)
def test_state_is_pytorchs_and_goes_on_elsewhere(torch, case):
    def scheduler_of(library):
        optimizer = made(library, momentum=0.9)
        return optimizer, copy.deepcopy(CASES[case])(library.optim.lr_scheduler, optimizer)

    (optimizer, scheduler), (oracle, other) = map(scheduler_of, (fastgrad, torch))
    for _ in zip(steps(optimizer, scheduler, 17), steps(oracle, other, 17)):
        pass
    state, expected = scheduler.state_dict(), _without_bound_methods(other.state_dict())
    assert "optimizer" not in state
    differ = {name for name in {*state, *expected} if str(state.get(name)) != str(expected.get(name))}
    assert not {name for name in differ if not any(mark in name for mark in ("scheduler", "milestones"))}, differ

    resumed, fresh = scheduler_of(fastgrad)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    fresh.load_state_dict(pickle.loads(pickle.dumps(state)))
    assert list(steps(resumed, fresh, 20)) == list(steps(optimizer, scheduler, 20))


@pytest.mark.parametrize("case", [case for case in CASES if "a sequence" not in case and "a chain" not in case])
def test_resuming_with_a_last_epoch_is_pytorchs(torch, case):
    if "LambdaLR" in case:
        pytest.skip("needs no state")
    name, options = case.split(" ", 1)
    found = []
    for library in (fastgrad, torch):
        optimizer = made(library, momentum=0.9)
        scheduler = CASES[case](library.optim.lr_scheduler, optimizer)
        list(steps(optimizer, scheduler, 5))
        kept = copy.deepcopy(optimizer.state_dict())
        optimizer = made(library, momentum=0.9)
        optimizer.load_state_dict(kept)
        given = CASES[case].__defaults__[0]
        scheduler = getattr(library.optim.lr_scheduler, name)(optimizer, **given, last_epoch=5)
        found.append([seen(optimizer, scheduler), *steps(optimizer, scheduler, 5)])
    assert found[0] == found[1], options


PLATEAUS = [
    dict(zip(("mode", "threshold_mode", "patience", "cooldown", "min_lr", "threshold"), values))
    for values in itertools.product(["min", "max"], ["rel", "abs"], [0, 2], [0, 3], [0, [0.01, 0.03]], [1e-4, 0.1])
]


@pytest.mark.parametrize("options", PLATEAUS, ids=str)
def test_plateaus_are_pytorchs(torch, options):
    measures = [3.0, 2.5, 2.6, 2.5, 2.49, 1.0, 1.2, 1.1, 1.3, 1.0, 0.99, 2.0, 2.1, 2.2, 3.0, 3.0, 3.0, 3.1, 3.1, 2.0]
    found = []
    for library in (fastgrad, torch):
        optimizer = made(library)
        scheduler = library.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, **options)
        log = []
        for number, measure in enumerate(measures):
            scheduler.step(library.tensor(measure))
            log.append((seen(optimizer, scheduler), scheduler.num_bad_epochs, scheduler.in_cooldown, scheduler.best))
            if number == 10:
                state = copy.deepcopy(scheduler.state_dict())
                scheduler = library.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
                scheduler.load_state_dict(state)
        found.append((log, state))
    assert found[0] == found[1]


def test_a_rate_that_is_a_tensor_stays_the_same_tensor(torch):
    found = []
    for library in (fastgrad, torch):
        rate = library.tensor(0.5)
        optimizer = library.optim.SGD([library.ones(1)], lr=rate)
        scheduler = library.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        list(steps(optimizer, scheduler, 2))
        assert optimizer.param_groups[0]["lr"] is rate
        found.append((rate.item(), scheduler.get_last_lr()[0].item(), scheduler.base_lrs[0].item()))
    assert found[0] == found[1] == (0.125, 0.125, 0.5)


def test_training_with_a_schedule_is_pytorchs(torch):
    found = []
    for library in (fastgrad, torch):
        w = library.ones(3, dtype=library.float64, requires_grad=True)
        optimizer = library.optim.Adam([w], lr=0.1)
        scheduler = library.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.5, total_steps=60)
        for _ in range(50):
            optimizer.zero_grad()
            ((w - library.arange(3)) ** 2).sum().backward()
            optimizer.step()
            scheduler.step()
        found.append(w.tolist())
    assert found[0] == pytest.approx(found[1], rel=1e-12)
