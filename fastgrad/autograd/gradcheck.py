"""Gradients against finite differences.

The slow form compares whole Jacobians, element by element; the fast form compares one number for each pair of output and
input, v^T J u with fixed vectors u and v, and needs two calls of the function where the slow one needs two for each
element. Nothing is drawn from the generator of the program.
"""

from __future__ import annotations

import itertools
import math
import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .._suggest import naming_keywords
from .arithmetic import Arithmetic
from .passes import as_tuple, grad, is_tensor

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]

Inputs = tuple[Any, ...]


class GradcheckError(RuntimeError):
    """A gradient is not what it should be."""


def _values(func: Callable[..., Any], inputs: Inputs) -> list[Any]:
    """The outputs that may depend on the inputs: floating-point tensors."""
    return [y for y in as_tuple(func(*inputs)) if is_tensor(y) and y.is_floating_point()]


def _outputs(func: Callable[..., Any], inputs: Inputs) -> list[Any]:
    """The outputs that are part of the graph."""
    return [y for y in _values(func, inputs) if y.requires_grad]


def _wanted(inputs: Inputs) -> list[tuple[int, Any]]:
    """The inputs that require grad, with their positions."""
    return [(k, x) for k, x in enumerate(inputs) if is_tensor(x) and x.requires_grad]


def _check_inputs(inputs: Inputs) -> None:
    if not _wanted(inputs):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )
    for k, x in _wanted(inputs):
        if x.dtype.itemsize != 8:
            warnings.warn(
                f"Input #{k} requires gradient and is not a double precision floating point or complex. This check will "
                "likely fail if all the inputs are not of double precision floating point or complex. ",
                UserWarning,
                stacklevel=4,
            )
        if any(step == 0 and size > 1 for step, size in zip(x.stride(), x.shape, strict=True)):
            raise RuntimeError(
                f"The {k}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping to "
                "be able to compute the numerical gradients correctly. You should call .contiguous on the input before "
                "passing it to gradcheck."
            )
        x.retain_grad()


# --- finite differences -----------------------------------------------------------------------------------------------


def _slopes(func: Callable[..., Any], inputs: Inputs, x: Any, moves: Iterator[Any], eps: float) -> list[list[list[float]]]:
    """For each way of moving `x` (a list of (index, distance)): the slope of each output's elements along it."""
    rows = []
    memory = x.data  # changes through it are not counted as changes
    for move in moves:
        sides: list[list[Any]] = []
        before = [memory[index].item() for index, _ in move]
        for side in (eps, -eps):
            for (index, distance), value in zip(move, before, strict=True):
                memory[index] = value + side * distance
            sides.append([y.reshape(-1).tolist() for y in _values(func, inputs)])
        for (index, _), value in zip(move, before, strict=True):
            memory[index] = value
        high, low = sides
        rows.append([[(a - b) / (2 * eps) for a, b in zip(p, q, strict=True)] for p, q in zip(high, low, strict=True)])
    return rows


def _indices(x: Any) -> Iterator[tuple[int, ...]]:
    return itertools.product(*[range(n) for n in x.shape])


def _numerical(func: Callable[..., Any], inputs: Inputs, x: Any, eps: float) -> list[list[list[float]]]:
    """[input element][output][output element]."""
    return _slopes(func, inputs, x, ([(index, 1.0)] for index in _indices(x)), eps)


# --- the tape ---------------------------------------------------------------------------------------------------------


def _analytical(output: Any, wanted: Sequence[Any]) -> list[list[list[float]]]:
    """[wanted][output element][element of the input]."""
    jacobians: list[list[list[float]]] = [[] for _ in wanted]
    for k in range(output.numel()):
        seed = Arithmetic.from_list([float(i == k) for i in range(output.numel())], output.shape, output.dtype)
        found = grad(output, wanted, seed, retain_graph=True, allow_unused=True)
        for rows, x, gx in zip(jacobians, wanted, found, strict=True):
            if gx is not None and gx.shape != x.shape:
                raise GradcheckError("grad is incorrect size")
            if gx is not None and gx.dtype is not x.dtype:
                raise GradcheckError("grad is incorrect type")
            rows.append([0.0] * x.numel() if gx is None else gx.reshape(-1).tolist())
    return jacobians


def _close(a: Sequence[float], b: Sequence[float], rtol: float, atol: float) -> bool:
    return all(x == y or abs(x - y) <= atol + rtol * abs(y) for x, y in zip(a, b, strict=True))


def _flat(rows: Sequence[Sequence[float]]) -> list[float]:
    return [value for row in rows for value in row]


def _mismatch(output: int, place: int, numerical: Any, analytical: Any) -> GradcheckError:
    return GradcheckError(
        f"Jacobian mismatch for output {output} with respect to input {place},\nnumerical:{numerical}\nanalytical:"
        f"{analytical}\n"
    )


def _table(rows: list[list[float]], x: Any) -> Any:
    """A Jacobian as a tensor (elements of the input, elements of the output), for the error's text."""
    return Arithmetic.from_list(_flat(rows), (len(rows), len(rows[0]) if rows else 0), x.dtype)


def _slow(func: Callable[..., Any], inputs: Inputs, eps: float, rtol: float, atol: float, nondet_tol: float) -> None:
    places = _wanted(inputs)
    wanted = [x for _, x in places]
    numerical = [_numerical(func, inputs, x, eps) for x in wanted]
    for i, output in enumerate(_values(func, inputs)):
        if not output.requires_grad:
            continue
        analytical = _analytical(output, wanted)
        again = _analytical(output, wanted)
        for (place, x), by_tape, repeated, by_difference in zip(places, analytical, again, numerical, strict=True):
            if not _close(_flat(by_tape), _flat(repeated), 0.0, nondet_tol):
                raise GradcheckError(
                    "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives "
                    "different values, although analytical gradient matches numerical gradient.The tolerance for "
                    f"nondeterminism was {nondet_tol}."
                )
            rows = [row[i] for row in by_difference]
            columns = [list(column) for column in zip(*by_tape, strict=True)] if by_tape else []
            if not _close(_flat(columns), _flat(rows), rtol, atol):
                raise _mismatch(i, place, _table(rows, x), _table(columns, x))


def _direction(count: int, draw: random.Random) -> list[float]:
    values = [draw.random() + 0.1 for _ in range(count)]
    length = math.sqrt(sum(v * v for v in values)) or 1.0
    return [v / length for v in values]


def _fast(func: Callable[..., Any], inputs: Inputs, eps: float, rtol: float, atol: float) -> None:
    draw = random.Random(0)
    places = _wanted(inputs)
    moves = [_direction(x.numel(), draw) for _, x in places]
    slopes = [
        _slopes(func, inputs, x, iter([list(zip(_indices(x), u, strict=True))]), eps)[0]
        for (_, x), u in zip(places, moves, strict=True)
    ]
    for i, output in enumerate(_values(func, inputs)):
        if not output.requires_grad:
            continue
        v = _direction(output.numel(), draw)
        seed = Arithmetic.from_list(v, output.shape, output.dtype)
        found = grad(output, [x for _, x in places], seed, retain_graph=True, allow_unused=True)
        for (place, _), u, slope, gx in zip(places, moves, slopes, found, strict=True):
            by_difference = math.fsum(a * b for a, b in zip(v, slope[i], strict=True))
            by_tape = 0.0 if gx is None else math.fsum(a * b for a, b in zip(u, gx.reshape(-1).tolist(), strict=True))
            if not _close([by_tape], [by_difference], rtol, atol * max(1.0, sum(u) * sum(v))):
                raise _mismatch(i, place, by_difference, by_tape)


# --- what else a derivative must do -----------------------------------------------------------------------------------


def _check_no_outputs(func: Callable[..., Any], inputs: Inputs, eps: float) -> None:
    """No output is part of the graph: then nothing may depend on the inputs."""
    for _, x in _wanted(inputs):
        if any(value != 0.0 for row in _numerical(func, inputs, x, eps) for column in row for value in column):
            raise GradcheckError("Numerical gradient for function expected to be zero")


def _check_linear(func: Callable[..., Any], inputs: Inputs) -> None:
    """A gradient of zero goes in, zeros must come out."""
    outputs, wanted = _outputs(func, inputs), [x for _, x in _wanted(inputs)]
    zeros = [Arithmetic.zeros(y.shape, y.dtype) for y in outputs]
    for gx in grad(outputs, wanted, zeros, allow_unused=True):
        if gx is not None and any(value != 0.0 for value in gx.reshape(-1).tolist()):
            raise GradcheckError("backward not multiplied by grad_output")


def _refuse(**flags: bool) -> None:
    for name, value in flags.items():
        if value:
            raise NotImplementedError(f"fastgrad has neither forward-mode differentiation nor vmap: leave out {name}=True")


@naming_keywords
def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compare the gradients of `func(*inputs)` with central differences; the inputs should be float64.

    An element passes when it is within `atol + rtol * |numerical|`. Raises GradcheckError at the first that does not (or
    returns False without `raise_exception`), ValueError when no input requires grad, NotImplementedError for forward-mode
    and batched checks. Each output is run back alone, so a derivative always sees the others' gradients missing, and the
    dtype of each gradient is always compared: `check_undefined_grad` and `check_grad_dtypes` change nothing.

    >>> import fastgrad as torch
    >>> x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(lambda x: x * x, (x,))
    True
    """
    assert check_backward_ad or check_forward_ad, "Expected at least one of check_forward_ad or check_backward_ad to be True"
    _refuse(
        check_forward_ad=check_forward_ad, check_batched_grad=check_batched_grad,
        check_batched_forward_grad=check_batched_forward_grad,
    )  # fmt: skip
    given = as_tuple(inputs)
    _check_inputs(given)
    try:
        if not _outputs(func, given):
            _check_no_outputs(func, given, eps)
            return True
        if fast_mode:
            _fast(func, given, eps, rtol, atol)
        else:
            _slow(func, given, eps, rtol, atol, nondet_tol)
        _check_linear(func, given)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


@naming_keywords
def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """`gradcheck` of the gradients of `func`: as functions of its inputs and of the gradients of its outputs.

    >>> import fastgrad as torch
    >>> x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(lambda x: x * x * x, (x,))
    True
    """
    _refuse(check_fwd_over_rev=check_fwd_over_rev)
    given = as_tuple(inputs)
    outputs = _outputs(func, given)
    if grad_outputs is None:
        draw = random.Random(0)
        seeds = tuple([_seed(y, draw, gen_non_contig_grad_outputs) for y in outputs])
    else:
        seeds = as_tuple(grad_outputs)

    def gradients(*args: Any) -> tuple[Any, ...]:
        inside = args[: len(args) - len(seeds)]
        wanted = [x for _, x in _wanted(inside)]
        found = grad(_outputs(func, inside), wanted, args[len(inside) :], create_graph=True, allow_unused=True)
        return tuple([gx for gx in found if gx is not None])

    return gradcheck(
        gradients, given + seeds, eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception, nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad, fast_mode=fast_mode, masked=masked,
    )  # fmt: skip


def _seed(output: Any, draw: random.Random, strided: bool) -> Any:
    """A gradient for an output, between -1 and 1; with `strided` one that does not lie contiguously."""
    shape = (*output.shape, 2) if strided else tuple(output.shape)
    values = [draw.uniform(-1.0, 1.0) for _ in range(math.prod(shape))]
    made = Arithmetic.from_list(values, shape, output.dtype)
    return (made[..., 0].detach() if strided else made).requires_grad_()
