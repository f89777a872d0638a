"""Something that is no tensor, given to a layer: the error that says so, made when it is too late and costs nothing."""

from __future__ import annotations

from fastgrad._typename import typename

__all__ = ["no_tensor"]

_OWN = ("_meta", "_requires_grad", "_numel", "_storage", "_array", "_node", "dtype")  # what operations ask a tensor for


def no_tensor(error: AttributeError) -> TypeError | None:
    """PyTorch's error for an argument that is no tensor, where that is what went wrong; None for anything else.

    Function and argument are those of the outermost public function of the package that was given the thing.

    >>> from fastgrad.nn import Linear
    >>> Linear(3, 2)("text")
    Traceback (most recent call last):
        ...
    TypeError: linear(): argument 'input' (position 1) must be Tensor, not str
    """
    given, trace = error.obj, error.__traceback__
    if error.name not in _OWN or hasattr(type(given), "_meta"):
        return None
    while trace is not None:
        code, scope = trace.tb_frame.f_code, trace.tb_frame.f_locals
        public = not code.co_name.startswith("_") and code.co_name != "forward"
        if public and trace.tb_frame.f_globals.get("__name__", "").startswith("fastgrad."):
            for position, name in enumerate(code.co_varnames[: code.co_argcount], 1):
                if scope.get(name) is given:
                    kind = typename(type(given))
                    return TypeError(f"{code.co_name}(): argument '{name}' (position {position}) must be Tensor, not {kind}")
        trace = trace.tb_next
    return None
