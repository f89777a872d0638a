"""`backward` and `grad`: the two ways to run the tape back."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from .._suggest import naming_keywords
from . import engine

NO_GRAD_FN = "element {} of tensors does not require grad and does not have a grad_fn"
UNUSED = (
    "The differentiated Tensor at index {} appears to not have been used in the graph. Set allow_unused=True if this is "
    "the desired behavior."
)


def is_tensor(value: Any) -> bool:
    """Whether a value is a tensor. This layer lies below them, so they are known by what they have."""
    return hasattr(value, "_requires_grad")


def as_tuple(value: Any) -> tuple[Any, ...]:
    """One tensor as a tuple of one, a sequence of them as a tuple."""
    return (value,) if is_tensor(value) else tuple(value)


def _seed(output: Any, given: Any, position: int) -> Any:
    """The gradient to start with at one output: 1 for a scalar, else what the caller gave; checked."""
    if given is None:
        if output._meta.numel != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        if not output.dtype.is_floating_point:
            raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {output.dtype}")
        return engine.Arithmetic.ones_like(output)
    if not is_tensor(given):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(given).__name__}")
    if given.shape != output.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{position}] has a shape of {given.shape} and output[{position}] has a shape "
            f"of {output.shape}."
        )
    return given if given.dtype is output.dtype else given.to(output.dtype)


def _seeds(outputs: Sequence[Any], gradients: Any) -> list[Any]:
    given = (None,) * len(outputs) if gradients is None else as_tuple(gradients)
    if any(g is not None and not is_tensor(g) for g in given):
        bad = next(g for g in given if g is not None and not is_tensor(g))
        raise TypeError(f"gradients can be either Tensors or None, but got {type(bad).__name__}")
    if len(given) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(given)} gradients")
    seeds = []
    for k, (output, gradient) in enumerate(zip(outputs, given, strict=True)):
        if not output.requires_grad:
            raise RuntimeError(NO_GRAD_FN.format(k))
        seeds.append(_seed(output, gradient, k))
    return seeds


def _inputs(value: Any) -> tuple[Any, ...]:
    tensors = tuple(value.values()) if isinstance(value, dict) else as_tuple(value)
    for tensor in tensors:
        if not is_tensor(tensor):
            raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(tensor).__name__}")
    return tensors


@naming_keywords
def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradients of `tensors` (weighted by `grad_tensors`) into the `.grad` of the leaves, or of `inputs` only.

    A tensor with one element needs no weight. The graph is freed unless `retain_graph`; with `create_graph` the
    gradients can themselves be differentiated. RuntimeError for an output that does not require grad, a weight of the
    wrong shape, a graph that was freed, or a saved tensor that was changed in place.

    >>> import fastgrad as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    if grad_variables is not None:
        warnings.warn("'grad_variables' is deprecated. Use 'grad_tensors' instead.", FutureWarning, stacklevel=2)
        grad_tensors = grad_variables if grad_tensors is None else grad_tensors
    outputs = as_tuple(tensors)
    wanted = None if inputs is None else _inputs(inputs)
    if wanted is not None and not wanted:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    seeds = _seeds(outputs, grad_tensors)
    retain = create_graph if retain_graph is None else retain_graph
    if create_graph:
        warnings.warn(
            "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient "
            "which can cause a memory leak. We recommend using autograd.grad when creating the graph to avoid this. If you "
            "have to use this function, make sure to reset the .grad fields of your parameters to None after use to break "
            "the cycle and avoid the leak.",
            UserWarning,
            stacklevel=3,
        )
    if wanted is None:
        engine.run(outputs, seeds, retain, create_graph, None)
        return
    for tensor in wanted:
        tensor.retain_grad()  # a tensor that is no leaf keeps its gradient from now on
    leaves = [tensor for tensor in wanted if tensor.is_leaf]
    found = engine.run(outputs, seeds, retain, create_graph, wanted)
    assert found is not None
    gradients = {id(tensor): gradient for tensor, gradient in zip(wanted, found, strict=True)}
    engine.store({leaf: gradients[id(leaf)] for leaf in leaves if gradients[id(leaf)] is not None}, create_graph)


@naming_keywords
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
) -> Any:
    """The gradients of `outputs` with respect to `inputs`, as a tuple, or as a dict of the names of a dict of inputs.
    No `.grad` is touched.

    An input that no output depends on is an error unless `allow_unused` (None then) or `materialize_grads` (zeros). With
    `is_grads_batched` the first dimension of each grad_output counts gradients, and of each result too.

    >>> import fastgrad as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.autograd.grad((x * x).sum(), x)
    (tensor([2., 4.]),)
    """
    if isinstance(inputs, dict):
        values = list(inputs.values())
        found = grad(
            outputs, values, grad_outputs, retain_graph, create_graph, only_inputs, allow_unused, is_grads_batched,
            materialize_grads,
        )  # fmt: skip
        return dict(zip(inputs, found, strict=True))
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for other "
            "parts of the graph, please use torch.autograd.backward.",
            FutureWarning,
            stacklevel=3,
        )
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    if is_grads_batched:
        return _batched(outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads)
    tensors, wanted = as_tuple(outputs), _inputs(inputs)
    if not wanted:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    seeds = _seeds(tensors, grad_outputs)
    for tensor in wanted:
        if not tensor.requires_grad:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    retain = create_graph if retain_graph is None else retain_graph
    found = engine.run(tensors, seeds, retain, create_graph, wanted)
    assert found is not None
    for k, (tensor, gradient) in enumerate(zip(wanted, found, strict=True)):
        if gradient is None:
            if materialize_grads:
                found[k] = engine.Arithmetic.zeros(tensor.shape, tensor.dtype)
            elif not allow_unused:
                raise RuntimeError(UNUSED.format(k))
    return tuple(found)


def _batched(outputs: Any, inputs: Any, batches: Any, retain: Any, create: bool, unused: Any, zeros: bool) -> Any:
    """`grad` once for each entry along the first dimension of `batches`, results stacked."""
    batches = as_tuple(batches)
    count = batches[0].shape[0]
    rows = [
        grad(outputs, inputs, [b[k] for b in batches], k + 1 < count or retain, create, True, unused, False, zeros)
        for k in range(count)
    ]
    return tuple([None if column[0] is None else engine.Arithmetic.stack(column) for column in zip(*rows, strict=True)])
