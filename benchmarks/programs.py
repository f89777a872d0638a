"""The training steps that are measured, written once for every library: fastgrad and PyTorch from the same lines, JAX and
scikit-learn in their own form. Each maker returns a function that does one step."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

Step = Callable[[], Any]
LIBRARIES = {"fastgrad": "fastgrad", "torch": "torch", "jax": "jax", "sklearn": "sklearn"}


def installed() -> list[str]:
    """The libraries of this comparison that can be imported here."""
    return [name for name, module in LIBRARIES.items() if importlib.util.find_spec(module)]


def set_threads(threads: int) -> None:
    """Equal threads for every library that lets them be set at run time (JAX takes what the process is given)."""
    import fastgrad

    fastgrad.set_num_threads(threads)
    if importlib.util.find_spec("torch"):
        import torch

        torch.set_num_threads(threads)
    if importlib.util.find_spec("threadpoolctl"):
        import threadpoolctl

        threadpoolctl.threadpool_limits(threads)


def data(widths: list[int], batch: int) -> tuple[Any, Any]:
    """One batch: inputs in [0, 1) and class indices, the same for every library."""
    random = np.random.default_rng(0)
    return random.random((batch, widths[0]), np.float32), random.integers(0, widths[-1], batch)


def mlp(
    library: str, widths: list[int], batch: int, optimizer: str = "sgd", activations: tuple[str, ...] = (),
    form: str = "eager", precision: str = "highest",
) -> Step:  # fmt: skip
    """A training step of a dense network: cross-entropy, SGD with momentum or Adam.

    `form`: "eager"; "compiled", which is the whole step in fastgrad and the network in PyTorch; "fused", which is
    PyTorch's word for an optimizer that updates in one kernel. `precision`: of products, as in PyTorch.
    """
    x, y = data(widths, batch)
    activations = activations or ("relu",) * (len(widths) - 2)
    if library == "jax":
        return _jax_mlp(widths, x, y, optimizer, activations)
    if library == "sklearn":
        return _sklearn_mlp(widths, x, y, optimizer)
    torch = importlib.import_module(library)
    nn, optim = importlib.import_module(f"{library}.nn"), importlib.import_module(f"{library}.optim")
    torch.set_float32_matmul_precision(precision)
    torch.manual_seed(0)
    layers: list[Any] = []
    for k, (n_in, n_out) in enumerate(pairwise(widths)):
        layers.append(nn.Linear(n_in, n_out))
        if k < len(activations):
            layers.append({"relu": nn.ReLU, "sigmoid": nn.Sigmoid}[activations[k]]())
    net, loss_function = nn.Sequential(*layers), nn.CrossEntropyLoss()
    fused = {} if form == "eager" else {"fused": True}
    if optimizer == "sgd":
        updater = optim.SGD(net.parameters(), lr=0.01, momentum=0.9, **fused)
    else:
        updater = optim.Adam(net.parameters(), lr=1e-3, **fused)
    inputs, targets = torch.tensor(x), torch.tensor(y)
    if form == "compiled" and library == "torch":
        net = torch.compile(net)

    def step(inputs: Any, targets: Any) -> Any:
        updater.zero_grad()
        loss = loss_function(net(inputs), targets)
        loss.backward()
        updater.step()
        return loss

    call = torch.compile(step) if form == "compiled" and library == "fastgrad" else step
    return lambda: call(inputs, targets)


def classifier_by_hand(library: str) -> Step:
    """Program 4: 500 x 20-13-8-3 with an own Module, cross-entropy and SGD with momentum."""
    torch = importlib.import_module(library)
    nn, optim = importlib.import_module(f"{library}.nn"), importlib.import_module(f"{library}.optim")
    torch.manual_seed(420)
    x = torch.rand((500, 20), dtype=torch.float32) * 100
    y = torch.randint(low=0, high=3, size=(500,), dtype=torch.float32).long()

    class Net(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.linear1 = nn.Linear(20, 13, bias=False)
            self.linear2 = nn.Linear(13, 8, bias=False)
            self.output = nn.Linear(8, 3)

        def forward(self, x: Any) -> Any:
            return self.output(torch.sigmoid(self.linear2(torch.relu(self.linear1(x)))))

    net, loss_function = Net(), nn.CrossEntropyLoss()
    updater = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step() -> Any:
        updater.zero_grad()
        loss = loss_function(net(x), y)
        loss.backward()
        updater.step()
        return loss

    return step


def line_by_hand(library: str) -> Step:
    """Program 5: one step of linear regression, with the parameters moved by hand."""
    torch = importlib.import_module(library)
    torch.manual_seed(0)
    x = torch.rand([50])
    y = 3 * x + 0.8
    w = torch.rand(1, requires_grad=True)
    b = torch.rand(1, requires_grad=True)

    def step() -> Any:
        loss = (x * w + b - y).pow(2).mean()
        for parameter in (w, b):
            if parameter.grad is not None:
                parameter.grad.data.zero_()
        loss.backward()
        w.data -= 0.01 * w.grad.data
        b.data -= 0.01 * b.grad.data
        return loss

    return step


def scalar_product(library: str) -> Step:
    """`(w * x).backward()` on two numbers: nothing but overhead."""
    torch = importlib.import_module(library)
    w, x = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0)

    def step() -> Any:
        (w * x).backward()

    return step


CHAIN = 100


def recorded_operations(library: str) -> Step:
    """CHAIN additions of eight numbers to eight numbers, recorded: what an operation costs besides its arithmetic."""
    torch = importlib.import_module(library)
    x = torch.ones(8, requires_grad=True)

    def step() -> Any:
        y = x
        for _ in range(CHAIN):
            y = y + x
        return y

    return step


def engine_nodes(library: str) -> Step:
    """CHAIN recorded operations of eight numbers, and the usual backward pass through their nodes."""
    torch = importlib.import_module(library)
    x, seed = torch.ones(8, requires_grad=True), torch.ones(8)

    def step() -> Any:
        y = x
        for _ in range(CHAIN):
            y = y + 1
        x.grad = None
        y.backward(seed)
        return x.grad

    return step


def kept_nodes(library: str) -> Step:
    """A pass of `autograd.grad` through CHAIN nodes that hand their gradient on as it is and are kept: the engine alone."""
    torch = importlib.import_module(library)
    x = torch.ones(8, requires_grad=True)
    y = x
    for _ in range(CHAIN):
        y = y + 1
    seed = torch.ones(8)
    return lambda: torch.autograd.grad(y, x, seed, retain_graph=True)


def _jax_mlp(widths: list[int], x: Any, y: Any, optimizer: str, activations: tuple[str, ...]) -> Step:
    import jax
    import jax.numpy as jnp

    random = np.random.default_rng(1)
    parameters = [
        (jnp.asarray(random.normal(0, n_in**-0.5, (n_in, n_out)), jnp.float32), jnp.zeros(n_out, jnp.float32))
        for n_in, n_out in pairwise(widths)
    ]
    inputs, targets = jnp.asarray(x), jnp.asarray(y)

    def loss(parameters: Any) -> Any:
        h = inputs
        for k, (w, b) in enumerate(parameters):
            h = h @ w + b
            if k < len(activations):
                h = getattr(jax.nn, activations[k])(h)
        return -jnp.take_along_axis(jax.nn.log_softmax(h), targets[:, None], 1).mean()

    zeros = jax.tree.map(jnp.zeros_like, parameters)

    def momentum(parameters: Any, state: Any) -> Any:
        value, gradients = jax.value_and_grad(loss)(parameters)
        velocity = jax.tree.map(lambda v, g: 0.9 * v + g, state, gradients)
        return jax.tree.map(lambda p, v: p - 0.01 * v, parameters, velocity), velocity, value

    def adam(parameters: Any, state: Any) -> Any:
        count, mean, square = state
        value, gradients = jax.value_and_grad(loss)(parameters)
        count = count + 1
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradients)
        square = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, square, gradients)
        rate = 1e-3 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        moved = jax.tree.map(lambda p, m, s: p - rate * m / (jnp.sqrt(s) + 1e-8), parameters, mean, square)
        return moved, (count, mean, square), value

    update = jax.jit(momentum if optimizer == "sgd" else adam, donate_argnums=(0, 1))
    moments = (jnp.float32(0), zeros, jax.tree.map(jnp.zeros_like, zeros))
    held: list[Any] = [parameters, zeros if optimizer == "sgd" else moments]

    def step() -> Any:
        held[0], held[1], value = update(*held)
        return value.block_until_ready()

    return step


def _sklearn_mlp(widths: list[int], x: Any, y: Any, optimizer: str) -> Step:
    from sklearn.neural_network import MLPClassifier

    net = MLPClassifier(
        tuple(widths[1:-1]), solver=optimizer, batch_size=len(x), learning_rate_init=0.01, momentum=0.9,
        nesterovs_momentum=False, alpha=0.0, shuffle=False,
    )  # fmt: skip
    classes = np.arange(widths[-1])
    net.partial_fit(x, y, classes=classes)
    return lambda: net.partial_fit(x, y, classes=classes)
