"""Deep copies and pickles of modules, optimizers, schedulers, generators and data sets go on as the original does."""

import copy
import pickle

import pytest

import fastgrad
from fastgrad import nn, optim
from fastgrad.utils import data

WAYS = {"deepcopy": copy.deepcopy, "pickle": lambda thing: pickle.loads(pickle.dumps(thing))}


@pytest.fixture(params=WAYS)
def copied(request):
    return WAYS[request.param]


def made(kind):
    fastgrad.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))
    optimizer = getattr(optim, kind)(model.parameters(), lr=0.05)
    return model, optimizer, optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=20, cycle_momentum=False)


def train(model, optimizer, scheduler, steps):
    fastgrad.manual_seed(1)
    for _ in range(steps):
        def closure():
            optimizer.zero_grad()
            loss = model(fastgrad.rand(6, 3)).square().mean()
            loss.backward()
            return loss

        optimizer.step(closure)
        scheduler.step()
    return [p.tolist() for p in model.parameters()] + [b.tolist() for b in model.buffers()] + scheduler.get_last_lr()


KINDS = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "LBFGS"]


@pytest.mark.parametrize("kind", KINDS)
def test_copies_of_a_whole_training_go_on_alike(kind, copied):
    """Together, so that the optimizer's parameters are the model's in the copy too."""
    whole = made(kind)
    train(*whole, 3)
    twin = copied(whole)
    before = [p.tolist() for p in whole[0].parameters()]
    after = train(*twin, 3)
    assert [p.tolist() for p in whole[0].parameters()] == before
    assert train(*whole, 3) == after
    assert twin[1].param_groups[0]["params"][0] is next(twin[0].parameters())


def test_copies_of_a_generator_go_on_alike(copied):
    generator = fastgrad.Generator().manual_seed(3)
    fastgrad.randn(3, generator=generator)
    twin = copied(generator)
    assert fastgrad.randn(40, generator=generator).tolist() == fastgrad.randn(40, generator=twin).tolist()
    assert twin.initial_seed() == 3


def test_copies_of_a_module_keep_what_is_tied_and_its_modes(copied):
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    model[0].bias.requires_grad_(False)
    model.eval()
    twin = copied(model)
    assert twin[1].weight is twin[0].weight is not model[0].weight
    assert not twin[0].bias.requires_grad
    assert not twin.training
    assert fastgrad.equal(twin[0].weight, model[0].weight)


def test_copies_of_a_loader_and_its_data(copied):
    whole = data.TensorDataset(fastgrad.arange(7))
    parts = data.ConcatDataset([data.Subset(whole, [1, 3]), whole])
    loader = data.DataLoader(parts, batch_size=2, shuffle=True, generator=fastgrad.Generator().manual_seed(1))
    twin = copied(loader)
    assert [b.tolist() for (b,) in twin] == [b.tolist() for (b,) in loader]
