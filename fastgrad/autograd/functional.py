"""Derivatives of functions, rather than of tensors: Jacobians, Hessians, and their products with vectors.

Everything runs backward: a product of a Jacobian with a vector from the right comes from differentiating the product from
the left, which is linear in its vector, a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .._suggest import naming_keywords, suggest
from .arithmetic import Arithmetic
from .modes import enable_grad
from .passes import grad, is_tensor

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Function = Callable[..., Any]
Tensors = tuple[Any, ...]


def __getattr__(name: str) -> Any:
    raise suggest(__name__, name, __all__)


def _as_tuple(value: Any, what: str, name: str) -> tuple[bool, Tensors]:
    """Whether a tuple was given, and the tensors in it; TypeError for anything but tensors."""
    several = isinstance(value, tuple)
    tensors = value if several else (value,)
    for k, x in enumerate(tensors):
        if not is_tensor(x):
            given = f"value at index {k}" if several else f"given {what}"
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the {given} has type "
                f"{type(x)}."
            )
    return several, tensors


def _inputs(tensors: Tensors, create_graph: bool) -> Tensors:
    """Tensors to differentiate by: apart from the caller's graph, unless that is to be part of the result."""
    return tuple([x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_() for x in tensors])


def _call(func: Function, inputs: Tensors, name: str, strict: bool) -> tuple[bool, Tensors]:
    several, outputs = _as_tuple(func(*inputs), "outputs of the user-provided function", name)
    for k, y in enumerate(outputs):
        if strict and not y.requires_grad:
            raise RuntimeError(
                f"Output {k} of the user-provided function does not require gradients. The outputs must be computed in a "
                "differentiable manner from the input when running in strict mode."
            )
    return several, outputs


def _scalar(outputs: Tensors, name: str) -> Any:
    if len(outputs) != 1:
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {name} should contain a single element")
    return outputs[0]


def _vector(v: Any, like: Tensors, name: str, of_inputs: bool) -> Tensors:
    """The vector of a product, in the shapes of `like`; it may be left out for a single number."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            which = (
                "input to the user-provided function is a single Tensor" if of_inputs
                else "user-provided function returns a single Tensor"
            )  # fmt: skip
            raise RuntimeError(f"The vector v can only be None if the {which} with a single element.")
        return (Arithmetic.ones_like(like[0]),)
    _, vectors = _as_tuple(v, "v", name)
    if len(vectors) != len(like):
        raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(vectors)}.")
    for k, (given, x) in enumerate(zip(vectors, like, strict=True)):
        if given.shape != x.shape:
            entry = f"Entry {k} in " if len(like) > 1 else ""
            raise RuntimeError(f"{entry}v has invalid size: should be {x.shape} but got {given.shape}.")
    return vectors


def _gradients(outputs: Sequence[Any], inputs: Tensors, seeds: Any, create_graph: bool, independent: str | None) -> Tensors:
    """`grad` with zeros for what does not depend; an error in strict mode, whose text `independent` is then."""
    kept = [k for k, y in enumerate(outputs) if y.requires_grad]
    found: Sequence[Any] = (None,) * len(inputs)
    if kept:
        given = None if seeds is None else [seeds[k] for k in kept]
        found = grad([outputs[k] for k in kept], inputs, given, True, create_graph, allow_unused=True)
    for k, gx in enumerate(found):
        if gx is None and independent is not None:
            raise RuntimeError(independent.format(k))
    return tuple([Arithmetic.zeros(x.shape, x.dtype) if gx is None else gx for gx, x in zip(found, inputs, strict=True)])


_INDEPENDENT = "The output of the user-provided function is independent of input {}. This is not allowed in strict mode."
_JACOBIAN_INDEPENDENT = (
    "The jacobian of the user-provided function is independent of input {}. This is not allowed in strict mode."
)


def _given_back(tensors: Sequence[Any], several: bool, create_graph: bool) -> Any:
    """Results in the caller's form, outside the graph unless it was asked for."""
    made = tuple(tensors) if create_graph else tuple([x.detach() for x in tensors])
    return made if several else made[0]


@naming_keywords
def vjp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """`func(*inputs)`, and the product of `v` (in the shape of the outputs) with its Jacobian.

    >>> import fastgrad as torch
    >>> torch.autograd.functional.vjp(lambda x: x * x, torch.tensor([1.0, 2.0]), torch.ones(2))[1]
    tensor([2., 4.])
    """
    with enable_grad():
        one, given = _as_tuple(inputs, "inputs", "vjp")
        wanted = _inputs(given, create_graph)
        several, outputs = _call(func, wanted, "vjp", strict)
        vectors = _vector(v, outputs, "vjp", of_inputs=False)
        product = _gradients(outputs, wanted, vectors, create_graph, _INDEPENDENT if strict else None)
    return _given_back(outputs, several, create_graph), _given_back(product, one, create_graph)


@naming_keywords
def jvp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """`func(*inputs)`, and the product of its Jacobian with `v` (in the shape of the inputs).

    >>> import fastgrad as torch
    >>> torch.autograd.functional.jvp(lambda x: x * x, torch.tensor([1.0, 2.0]), torch.ones(2))[1]
    tensor([2., 4.])
    """
    with enable_grad():
        _, given = _as_tuple(inputs, "inputs", "jvp")
        wanted = _inputs(given, create_graph)
        vectors = _vector(v, wanted, "jvp", of_inputs=True)
        several, outputs = _call(func, wanted, "jvp", strict)
        seeds = tuple([Arithmetic.zeros(y.shape, y.dtype).requires_grad_() for y in outputs])
        from_left = _gradients(outputs, wanted, seeds, True, _INDEPENDENT if strict else None)
        product = _gradients(from_left, seeds, vectors, create_graph, None)
    return _given_back(outputs, several, create_graph), _given_back(product, several, create_graph)


@naming_keywords
def vhp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """`func(*inputs)`, one number, and the product of `v` (in the shape of the inputs) with its Hessian.

    >>> import fastgrad as torch
    >>> torch.autograd.functional.vhp(lambda x: (x * x * x).sum(), torch.tensor([1.0, 2.0]), torch.ones(2))[1]
    tensor([ 6., 12.])
    """
    with enable_grad():
        one, given = _as_tuple(inputs, "inputs", "vhp")
        wanted = _inputs(given, create_graph)
        vectors = _vector(v, wanted, "vhp", of_inputs=True)
        several, outputs = _call(func, wanted, "vhp", strict)
        first = _gradients([_scalar(outputs, "vhp")], wanted, None, True, _INDEPENDENT if strict else None)
        product = _gradients(first, wanted, vectors, create_graph, _JACOBIAN_INDEPENDENT if strict else None)
    return _given_back(outputs, several, create_graph), _given_back(product, one, create_graph)


@naming_keywords
def hvp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """`func(*inputs)`, one number, and the product of its Hessian with `v`: as `vhp`, since a Hessian is symmetric.

    >>> import fastgrad as torch
    >>> torch.autograd.functional.hvp(lambda x: (x * x * x).sum(), torch.tensor([1.0, 2.0]), torch.ones(2))[1]
    tensor([ 6., 12.])
    """
    with enable_grad():
        one, given = _as_tuple(inputs, "inputs", "hvp")
        wanted = _inputs(given, create_graph)
        vectors = _vector(v, wanted, "hvp", of_inputs=True)
        several, outputs = _call(func, wanted, "hvp", strict)
        first = _gradients([_scalar(outputs, "hvp")], wanted, None, True, _INDEPENDENT if strict else None)
        product = _gradients(first, wanted, vectors, create_graph, _JACOBIAN_INDEPENDENT if strict else None)
    return _given_back(outputs, several, create_graph), _given_back(product, one, create_graph)


@naming_keywords
def jacobian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The derivative of each element of the outputs with respect to each element of the inputs.

    Of the outputs' shape followed by the input's; a tuple for several inputs, a tuple of those for several outputs. One
    backward pass for each output element, also with `vectorize`. NotImplementedError for `strategy="forward-mode"`.

    >>> import fastgrad as torch
    >>> torch.autograd.functional.jacobian(lambda x: x * x, torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    _check_strategy(strategy, "strategy")
    with enable_grad():
        one, given = _as_tuple(inputs, "inputs", "jacobian")
        wanted = _inputs(given, create_graph)
        several, outputs = _call(func, wanted, "jacobian", strict)
        table = [_rows(y, k, wanted, create_graph, strict) for k, y in enumerate(outputs)]
    made = tuple([_given_back(row, one, create_graph) for row in table])
    return made if several else made[0]


def _rows(output: Any, number: int, wanted: Tensors, create_graph: bool, strict: bool) -> list[Any]:
    """The Jacobian of one output with respect to each input."""
    text = f"Output {number} of the user-provided function is independent of input {{}}. This is not allowed in strict mode."
    flat = output.reshape(-1)
    rows = [_gradients([flat[k]], wanted, None, create_graph, text if strict else None) for k in range(output.numel())]
    if not rows:
        return [Arithmetic.zeros((*output.shape, *x.shape), x.dtype) for x in wanted]
    return [
        Arithmetic.stack(list(column)).reshape(*output.shape, *x.shape)
        for column, x in zip(zip(*rows, strict=True), wanted, strict=True)
    ]


@naming_keywords
def hessian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a function that returns one number: the Jacobian of its gradient.

    Of the input's shape twice; a tuple of tuples for several inputs. NotImplementedError for `outer_jacobian_strategy=
    "forward-mode"`.

    >>> import fastgrad as torch
    >>> torch.autograd.functional.hessian(lambda x: (x * x * x).sum(), torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    _check_strategy(outer_jacobian_strategy, "outer_jacobian_strategy")
    one, given = _as_tuple(inputs, "inputs", "hessian")

    def number(*args: Any) -> Any:
        _, outputs = _as_tuple(func(*args), "outputs of the user-provided function", "hessian")
        return _scalar(outputs, "hessian").reshape(())

    def gradient(*args: Any) -> Any:
        found: Any = jacobian(number, args, create_graph=True, strict=strict)
        return found

    made = jacobian(gradient, given, create_graph, strict)
    return made if one else made[0][0]


def _check_strategy(strategy: str, name: str) -> None:
    if strategy not in ("reverse-mode", "forward-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')
    if strategy == "forward-mode":
        raise NotImplementedError(f'fastgrad has no forward-mode differentiation: leave out {name}="forward-mode"')
