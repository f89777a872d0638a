"""A training loop over the public API, with a progress bar and a clean Ctrl-C."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tqdm import tqdm

import fastgrad
from fastgrad import Tensor, nn
from fastgrad.optim import Optimizer
from fastgrad.utils.data import DataLoader

__all__ = ["Epoch", "History", "evaluate", "fit"]

LossFunction = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training data gave: losses are means over samples, accuracies are 0 to 1.

    ``train_loss`` and ``train_accuracy`` are gathered while the parameters move, as a progress bar shows
    them. There is no accuracy where targets are numbers instead of classes.
    """

    train_loss: float
    train_accuracy: float | None
    test_loss: float | None
    test_accuracy: float | None
    samples: int
    seconds: float


@dataclass
class History:
    """The whole epochs of a ``fit``, and whether Ctrl-C ended it; an epoch that was cut short is left out.

    ``best`` is the number, from 1, of the epoch whose parameters were put back, with ``patience``.
    """

    epochs: list[Epoch] = field(default_factory=list)
    interrupted: bool = False
    best: int | None = None

    @property
    def samples_per_second(self) -> float:
        """Training speed over all whole epochs, evaluation not counted; 0 where there is none."""
        seconds = sum(epoch.seconds for epoch in self.epochs)
        return sum(epoch.samples for epoch in self.epochs) / seconds if seconds else 0.0


def fit(
    model: nn.Module,
    optimizer: Optimizer,
    train_loader: DataLoader,
    *,
    epochs: int,
    test_loader: DataLoader | None = None,
    loss_function: LossFunction | None = None,
    patience: int | None = None,
    progress: bool = True,
    compiled: bool = False,
) -> History:
    """Train a model: the loader gives (inputs, targets), ``loss_function`` takes ``model(inputs)`` and targets.

    ``loss_function`` is ``nn.CrossEntropyLoss()`` unless given: outputs of shape (batch, classes), targets
    that are class indices. After each epoch the model is evaluated on ``test_loader``. With ``patience``,
    training ends when that many epochs have brought no smaller test loss, and the parameters of the best one
    are put back. The first Ctrl-C ends training after the step in progress, so parameters and optimizer
    state belong together; ``History.interrupted`` says so. A second one raises KeyboardInterrupt at once.
    With ``compiled`` the step is replayed by ``fastgrad.compile``: quicker, and right for models whose ``forward`` has no
    side effects. Raises ValueError where there is nothing to train on, or nothing to be patient about.

    Example:
        >>> data = fastgrad.utils.data.TensorDataset(fastgrad.rand(8, 4), fastgrad.randint(0, 3, (8,)))
        >>> model = nn.Linear(4, 3)
        >>> optimizer = fastgrad.optim.SGD(model.parameters(), lr=0.1)
        >>> history = fit(model, optimizer, DataLoader(data, batch_size=4), epochs=2, progress=False)
        >>> len(history.epochs)
        2
    """
    loss_function = loss_function or nn.CrossEntropyLoss()
    if epochs < 1 or len(train_loader) < 1:
        raise ValueError(f"fit: nothing to do in {epochs} epochs of {len(train_loader)} batches")
    if patience is not None and test_loader is None:
        raise ValueError("fit: patience needs a test_loader")

    def step(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        optimizer.zero_grad()
        outputs = model(x)
        loss = loss_function(outputs, y)
        loss.backward()
        optimizer.step()
        return loss, outputs

    train_step = fastgrad.compile(step) if compiled else step
    history, best = History(), _Best()
    bar = tqdm(total=epochs * len(train_loader.dataset), unit=" samples", unit_scale=True, disable=not progress)
    with bar, _interrupt_between_steps() as stop:
        for number in range(1, epochs + 1):
            bar.set_description(f"epoch {number}/{epochs}", refresh=False)
            start = time.perf_counter()
            running = _Running()
            model.train()
            for inputs, targets in train_loader:
                loss, outputs = train_step(inputs, targets)
                running.add(loss, outputs, targets)
                bar.set_postfix(running.shown(), refresh=False)
                bar.update(len(targets))
                if stop.is_set():
                    history.interrupted = True
                    break
            if history.interrupted:
                break
            seconds = time.perf_counter() - start
            epoch = Epoch(running.loss, running.accuracy, None, None, running.samples, seconds)
            if test_loader is not None:
                test_loss, test_accuracy = evaluate(model, test_loader, loss_function)
                epoch = replace(epoch, test_loss=test_loss, test_accuracy=test_accuracy)
                if patience is not None:
                    best.see(number, test_loss, model)
            history.epochs.append(epoch)
            if patience is not None and number - best.epoch >= patience:
                break
    if best.epoch:
        model.load_state_dict(best.state)
        history.best = best.epoch
    return history


@fastgrad.no_grad()
def evaluate(
    model: nn.Module, loader: Iterable[Any], loss_function: LossFunction | None = None
) -> tuple[float, float | None]:
    """Mean loss and accuracy (0 to 1) of a model over ``loader``; its train/eval mode is put back.

    The accuracy is None where targets are numbers instead of class indices.

    Example:
        >>> data = fastgrad.utils.data.TensorDataset(fastgrad.rand(8, 4), fastgrad.zeros(8).long())
        >>> loss, accuracy = evaluate(nn.Linear(4, 1), DataLoader(data))
        >>> accuracy
        1.0
    """
    loss_function = loss_function or nn.CrossEntropyLoss()
    running = _Running()
    training = model.training
    model.eval()
    try:
        for inputs, targets in loader:
            outputs = model(inputs)
            running.add(loss_function(outputs, targets), outputs, targets)
    finally:
        model.train(training)
    return running.loss, running.accuracy


class _Running:
    """Sums over the samples seen so far: a last batch that is smaller weighs less."""

    def __init__(self) -> None:
        self.samples = 0
        self._loss = 0.0
        self._right: int | None = None

    def add(self, loss: Tensor, outputs: Tensor, targets: Tensor) -> None:
        count = len(targets)
        self.samples += count
        self._loss += loss.item() * count
        if not targets.is_floating_point():
            self._right = (self._right or 0) + int((outputs.argmax(1) == targets).sum().item())

    @property
    def loss(self) -> float:
        return self._loss / self.samples

    @property
    def accuracy(self) -> float | None:
        return None if self._right is None else self._right / self.samples

    def shown(self) -> dict[str, str]:
        accuracy = self.accuracy
        return {"loss": f"{self.loss:.4f}"} | ({} if accuracy is None else {"accuracy": f"{accuracy:.1%}"})


class _Best:
    """The parameters of the epoch with the smallest loss; ``epoch`` is 0 before there is one."""

    def __init__(self) -> None:
        self.epoch = 0
        self._loss = math.inf
        self.state: dict[str, Tensor] = {}

    def see(self, epoch: int, loss: float, model: nn.Module) -> None:
        if loss < self._loss:
            self.epoch, self._loss = epoch, loss
            self.state = {name: tensor.clone() for name, tensor in model.state_dict().items()}


@contextmanager
def _interrupt_between_steps() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets, instead of raising in the middle of a step; a second one raises.

    Python delivers signals to the main thread alone, so elsewhere (or where the program ignores Ctrl-C) the
    event is never set and nothing changes.
    """
    stop = threading.Event()
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield stop
        return

    def handle(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop.set()

    signal.signal(signal.SIGINT, handle)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
