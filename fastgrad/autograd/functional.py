"""`backward` and `grad`: the two ways to run the tape back."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from . import engine

NO_GRAD_FN = "element {} of tensors does not require grad and does not have a grad_fn"


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _seed(output: Any, given: Any, create_graph: bool) -> Any:
    """The gradient to start with at one output: 1 for a scalar, else what the caller gave; checked."""
    from .._tensor import Tensor

    if given is None:
        if output._numel != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        if not output.dtype.is_floating_point:
            raise RuntimeError(
                f"grad can be implicitly created only for real scalar outputs but got {output.dtype}"
            )
        return engine.Arithmetic.ones_like(output)
    if not isinstance(given, Tensor):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(given).__name__}")
    if given.shape != output.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[0] has a shape of {given.shape} and output[0] has a shape of {output.shape}."
        )
    if given.dtype is not output.dtype:
        if not given.dtype.is_floating_point:
            raise RuntimeError(
                f"For complex Tensors, both grad_output and output are required to have the same dtype; got {given.dtype}"
            )
        given = given.to(output.dtype)
    return given


def _prepare(outputs: Any, gradients: Any, create_graph: bool) -> tuple[tuple[Any, ...], list[Any]]:
    tensors = _as_tuple(outputs)
    given = (None,) * len(tensors) if gradients is None else _as_tuple(gradients)
    if len(given) != len(tensors):
        raise RuntimeError(f"got {len(tensors)} tensors and {len(given)} gradients")
    seeds = []
    for k, (tensor, gradient) in enumerate(zip(tensors, given, strict=True)):
        if tensor._requires_grad or gradient is not None:
            seeds.append(_seed(tensor, gradient, create_graph))
        else:
            raise RuntimeError(NO_GRAD_FN.format(k))
        if not tensor._requires_grad:
            raise RuntimeError(NO_GRAD_FN.format(k))
    return tensors, seeds


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradients of `tensors` (weighted by `grad_tensors`) into the `.grad` of the leaves, or of `inputs` only.

    The graph is freed unless `retain_graph` (or `create_graph`, which records the gradients themselves).
    Raises RuntimeError for an output that is no scalar and has no gradient given, and for a graph already freed.

    >>> import fastgrad as torch
    >>> w = torch.tensor(3.0, requires_grad=True)
    >>> torch.autograd.backward(w * w)
    >>> w.grad
    tensor(6.)
    """
    retain = create_graph if retain_graph is None else retain_graph
    if inputs is not None and len(_as_tuple(inputs)) == 0:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    outputs, seeds = _prepare(tensors, grad_variables if grad_tensors is None else grad_tensors, create_graph)
    if create_graph:
        warnings.warn(
            "Using backward() with create_graph=True will create a reference cycle between the parameter and its "
            "gradient which can cause a memory leak. We recommend using autograd.grad when creating the graph to avoid "
            "this. If you have to use this function, make sure to reset the .grad fields of your parameters to None after "
            "use to break the cycle and avoid the leak.",
            UserWarning,
            stacklevel=3,
        )
    if inputs is None:
        engine.run(outputs, seeds, retain, create_graph, None)
        return
    wanted = _as_tuple(inputs)
    found = engine.run(outputs, seeds, retain, create_graph, wanted)
    assert found is not None
    engine.store(wanted, found, create_graph)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of `outputs` with respect to `inputs`, as a tuple; no `.grad` is touched.

    An input that no output depends on is an error unless `allow_unused` (None then) or `materialize_grads` (zeros).

    >>> import fastgrad as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.autograd.grad((x * x).sum(), x)
    (tensor([2., 4.]),)
    """
    if is_grads_batched:
        return _batched(outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads)
    if materialize_grads and allow_unused is False:
        raise ValueError("Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False.")
    wanted = _as_tuple(inputs)
    for tensor in wanted:
        if not tensor._requires_grad:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    tensors, seeds = _prepare(outputs, grad_outputs, create_graph)
    retain = create_graph if retain_graph is None else retain_graph
    found = engine.run(tensors, seeds, retain, create_graph, wanted)
    assert found is not None
    if None in [g if g is None else 0 for g in found]:
        if materialize_grads:
            found = [engine.Arithmetic.zeros_like(t) if g is None else g for t, g in zip(wanted, found, strict=True)]
        elif not allow_unused:
            raise RuntimeError(
                "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if this "
                "is the desired behavior."
            )
    return tuple(found)


def _batched(outputs: Any, inputs: Any, grad_outputs: Any, retain: Any, create: bool, unused: Any, zeros: bool) -> Any:
    """`grad` once for each entry along the first dimension of `grad_outputs`, results stacked."""
    from ..ops.join import stack

    batches = _as_tuple(grad_outputs)
    count = batches[0].shape[0]
    rows: list[Sequence[Any]] = [
        grad(outputs, inputs, [b[k] for b in batches], k + 1 < count or retain, create, True, unused, False, zeros)
        for k in range(count)
    ]
    return tuple([None if column[0] is None else stack(list(column)) for column in zip(*rows, strict=True)])
