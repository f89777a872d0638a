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
