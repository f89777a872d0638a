"""Anomaly detection: which call of the forward pass made the node whose derivative failed or gave NaN.

While it is on, every new node remembers the lines of the program that made it, and a backward pass looks for NaN behind
each node. While it is off it costs nothing: nodes are made by another constructor only as long as it is on.
"""

from __future__ import annotations

import os
import threading
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .arithmetic import Arithmetic
from .graph import Node
from .modes import ANOMALY, state, unusual

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_plain_init = Node.__init__


class _Watch(threading.local):
    node: Node | None = None  # whose derivative is running


_watch = _Watch()


class _Settings:
    check_nan = True


class Trace:
    """Where a node was made, and during the derivative of which other node."""

    def __init__(self, lines: list[str] | None, parent: Node | None) -> None:
        self.lines, self.parent = lines, parent

    def enter(self, node: Node) -> None:
        """The derivative of `node` is about to run."""
        _watch.node = node

    def check(self, node: Node, gradients: Sequence[Any]) -> None:
        """RuntimeError where the derivative of `node` made a NaN."""
        if _Settings.check_nan:
            for index, gradient in enumerate(gradients):
                if gradient is not None and Arithmetic.has_nan(gradient):
                    raise RuntimeError(f"Function '{node.name()}' returned nan values in its {index}th output.")


def _traced_init(node: Node, needs: tuple[bool, ...], edges: tuple[Any, ...]) -> None:
    _plain_init(node, needs, edges)
    frames = [frame for frame in traceback.extract_stack() if not frame.filename.startswith(_PACKAGE)]
    node.hooks = {"trace": Trace(traceback.format_list(frames), _watch.node)}


@contextmanager
def watching(outputs: Sequence[Any]) -> Iterator[None]:
    """A backward pass under detection. An error that comes out of it is preceded by a warning that says where."""
    seen: set[Node] = set()
    todo = [tensor._node for tensor in outputs if tensor._node is not None]
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            node._hooks().setdefault("trace", Trace(None, None))
            todo += [edge[0] for edge in node.next if edge is not None and edge[1] >= 0]
    before = _watch.node
    try:
        yield
    except Exception:
        if _watch.node is not None:
            _report(_watch.node)
        raise
    finally:
        _watch.node = before


def _report(node: Node | None) -> None:
    start, cause = "Error detected in", "Traceback of forward call that caused the error:"
    while node is not None:
        trace = node.hooks["trace"]
        told = f"{cause}\n{''.join(trace.lines)}" if trace.lines is not None else (
            "No forward pass information available. Enable detect anomaly during forward pass for more information."
        )  # fmt: skip
        warnings.warn(f"{start} {node.name()}. {told}", UserWarning, stacklevel=4)
        node = trace.parent
        start = "\n\nPrevious calculation was induced by"
        cause = "Traceback of forward call that induced the previous calculation:"


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on."""
    return state.anomaly


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly detection, when on, looks for NaN."""
    return _Settings.check_nan


def _set(enabled: bool, check_nan: bool) -> None:
    unusual[ANOMALY] = enabled
    type(state).anomaly = enabled  # of the class: for all threads, as in PyTorch
    _Settings.check_nan = check_nan
    Node.__init__ = _traced_init if enabled else _plain_init  # type: ignore[method-assign, assignment]


class set_detect_anomaly:
    """Turns anomaly detection on or off: at once as a function, for a block as a context manager.

    >>> import fastgrad as torch
    >>> x = torch.tensor([-1.0], requires_grad=True)
    >>> with torch.autograd.set_detect_anomaly(True):
    ...     x.sqrt().backward()
    Traceback (most recent call last):
        ...
    RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = state.anomaly, _Settings.check_nan
        _set(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        _set(*self.before)


class detect_anomaly(set_detect_anomaly):
    """Turns anomaly detection on for a block; see `set_detect_anomaly`."""

    def __init__(self, check_nan: bool = True) -> None:
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            stacklevel=2,
        )
        self.check_nan = check_nan

    def __enter__(self) -> None:
        self.before = state.anomaly, _Settings.check_nan
        _set(True, self.check_nan)
