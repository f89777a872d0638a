"""The training loop: its figures are right, its modes are put back, and Ctrl-C falls between steps."""

import os
import signal
import threading

import pytest

import fastgrad
from fastgrad import nn, optim, trainer
from fastgrad.utils.data import DataLoader, TensorDataset


@pytest.fixture
def problem():
    """Two classes that a line separates: (model, optimizer, loader of batches of 8, 8 and 4)."""
    x = fastgrad.randn(20, 2)
    y = (x[:, 0] > 0).long()
    model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 2))
    return model, optim.Adam(model.parameters(), lr=0.05), DataLoader(TensorDataset(x, y), batch_size=8)


def test_it_learns_and_keeps_the_figures(problem, capsys):
    model, _, loader = problem
    history = trainer.fit(*problem, epochs=30, test_loader=loader)
    assert len(history.epochs) == 30
    assert not history.interrupted
    first, last = history.epochs[0], history.epochs[-1]
    assert last.train_loss < first.train_loss
    assert last.test_accuracy >= 0.95
    assert last.samples == 20
    assert history.samples_per_second > 0
    assert (last.test_loss, last.test_accuracy) == trainer.evaluate(model, loader)
    bar = capsys.readouterr().err
    assert "epoch 30/30" in bar
    assert "samples/s" in bar
    assert "accuracy=" in bar


def test_evaluate_weighs_samples_not_batches(problem):
    model, _, loader = problem
    x, y = loader.dataset.tensors
    model.eval()
    loss, accuracy = trainer.evaluate(model, loader)
    whole = model(x)
    assert loss == pytest.approx(nn.CrossEntropyLoss()(whole, y).item(), rel=1e-5)
    assert accuracy == (whole.argmax(1) == y).sum().item() / 20


@pytest.mark.parametrize("training", [True, False])
def test_evaluate_puts_the_mode_back_and_records_nothing(problem, training):
    model, _, loader = problem
    model.train(training)
    with pytest.raises(ZeroDivisionError):
        trainer.evaluate(model, loader, lambda outputs, targets: 1 / 0)
    assert model.training is training
    trainer.evaluate(model, loader)
    assert model.training is training
    assert all(parameter.grad is None for parameter in model.parameters())


def test_another_loss_and_no_bar(problem, capsys):
    model, optimizer, loader = problem
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)
    history = trainer.fit(model, optimizer, loader, epochs=1, loss_function=loss, progress=False)
    assert history.epochs[0].test_loss is None
    assert capsys.readouterr().err == ""


def test_nothing_to_train_on_is_an_error(problem):
    model, optimizer, loader = problem
    with pytest.raises(ValueError, match="nothing to do in 0 epochs"):
        trainer.fit(model, optimizer, loader, epochs=0)
    tiny = DataLoader(loader.dataset, batch_size=100, drop_last=True)
    with pytest.raises(ValueError, match="of 0 batches"):
        trainer.fit(model, optimizer, tiny, epochs=1)


def test_numbers_have_no_accuracy(capsys):
    x = fastgrad.randn(20, 2)
    model = nn.Linear(2, 1)
    loader = DataLoader(TensorDataset(x, x[:, :1] * 2 - 1), batch_size=8)
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    history = trainer.fit(model, optimizer, loader, epochs=60, test_loader=loader, loss_function=nn.MSELoss())
    assert history.epochs[-1].test_loss < 0.1 * history.epochs[0].test_loss
    assert history.epochs[-1].train_accuracy is history.epochs[-1].test_accuracy is None
    assert "accuracy" not in capsys.readouterr().err


class Script(nn.Module):
    """A model whose loss on the test set follows a script, whatever is learned."""

    def __init__(self, losses):
        super().__init__()
        self.weight = nn.Parameter(fastgrad.zeros(1))
        self.losses = iter(losses)

    def forward(self, x):
        return self.weight * 0 + (1.0 if self.training else next(self.losses))


class Counting(optim.SGD):
    """Sets the weight to the number of steps taken."""

    def step(self):
        self.param_groups[0]["params"][0].data += 1


def patient(losses, patience, epochs=20):
    model = Script(losses)
    data = TensorDataset(fastgrad.zeros(4, 1), fastgrad.zeros(4, 1))
    return model, trainer.fit(
        model,
        Counting(model.parameters(), lr=1.0),
        DataLoader(data, batch_size=4),
        epochs=epochs,
        test_loader=DataLoader(data, batch_size=4),
        loss_function=lambda outputs, targets: (outputs + 0 * targets).mean(),
        patience=patience,
        progress=False,
    )


@pytest.mark.parametrize(
    ("losses", "patience", "epochs", "best"),
    [
        ([3.0, 2.0, 2.5, 1.0, 1.5, 1.2, 0.5], 2, 6, 4),
        ([3.0, 2.0, 2.0, 2.0], 2, 4, 2),  # as good is not better
        ([1.0, 2.0], 1, 2, 1),
        ([3.0, float("nan"), 2.0, 2.5, 2.6], 2, 5, 3),
        ([1.0] * 20, 100, 20, 1),
    ],
)
def test_patience_ends_training_and_puts_the_best_back(losses, patience, epochs, best):
    model, history = patient(losses, patience)
    assert len(history.epochs) == epochs
    assert history.best == best
    assert model.weight.item() == best  # one step an epoch


def test_patience_with_a_loss_that_is_never_finite():
    model, history = patient([float("nan")] * 3, 3)
    assert len(history.epochs) == 3
    assert history.best is None
    assert model.weight.item() == 3


def test_patience_needs_something_to_watch(problem):
    model, optimizer, loader = problem
    with pytest.raises(ValueError, match="patience needs a test_loader"):
        trainer.fit(model, optimizer, loader, epochs=1, patience=1)


class Interrupting(nn.Module):
    """Presses Ctrl-C in the middle of the forward pass of step ``at``, ``times`` times."""

    def __init__(self, model, at, times=1):
        super().__init__()
        self.model, self.at, self.times, self.calls = model, at, times, 0

    def forward(self, x):
        self.calls += 1
        if self.calls == self.at:
            for _ in range(self.times):
                os.kill(os.getpid(), signal.SIGINT)
        return self.model(x)


def test_ctrl_c_ends_after_the_step_in_progress(problem):
    model, optimizer, loader = problem
    model = Interrupting(model, at=5)
    history = trainer.fit(model, optimizer, loader, epochs=10, progress=False)
    assert history.interrupted
    assert len(history.epochs) == 1  # three steps an epoch: the fifth stands in the second
    steps = {int(state["step"]) for state in optimizer.state.values()}
    assert steps == {5}  # every parameter has seen the fifth step
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_raises_at_once(problem):
    model, optimizer, loader = problem
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(Interrupting(model, at=2, times=2), optimizer, loader, epochs=10, progress=False)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_it_trains_in_another_thread(problem):
    histories = []

    def work():
        histories.append(trainer.fit(*problem, epochs=2, progress=False))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(histories[0].epochs) == 2
