"""`Parameter`: a tensor that a module trains; `UninitializedParameter`: one whose shape is yet to be known."""

from __future__ import annotations

from typing import Any

from fastgrad._tensor import Tensor
from fastgrad.ops.create import empty

__all__ = ["Buffer", "Parameter", "UninitializedParameter"]

_FIELDS = tuple(name for name in Tensor.__slots__ if not name.startswith("__"))


class Parameter(Tensor):
    """A leaf tensor that `Module` finds when it is assigned as an attribute. It shares `data`'s memory.

    It requires grad unless told otherwise, also when made inside `no_grad`. What is computed from it is a
    plain Tensor.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> nn.Parameter(torch.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        source = Tensor() if data is None else data.detach()
        parameter: Parameter = object.__new__(cls)
        for field in _FIELDS:
            setattr(parameter, field, getattr(source, field))
        parameter.requires_grad = requires_grad
        return parameter

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __copy__(self) -> Parameter:
        make, arguments, attributes = self.__reduce_ex__(4)
        made: Parameter = make(*arguments)
        made.__dict__.update(attributes or {})
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) not in memo:
            copied = type(self)(self.detach().clone(), self.requires_grad)
            copied.__dict__.update(self.__dict__)
            memo[id(self)] = copied
        made: Parameter = memo[id(self)]
        return made

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return type(self), (self.detach(), self.requires_grad), self.__dict__ or None


class Buffer(Tensor):
    """A tensor that is not trained and that `Module` finds when it is assigned as an attribute, as `register_buffer` would
    keep it. It shares `data`'s memory.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> layer = nn.Identity()
    >>> layer.mean = nn.Buffer(torch.zeros(2))
    >>> layer.state_dict()["mean"]
    tensor([0., 0.])
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        source = Tensor() if data is None else data.detach()
        buffer: Buffer = object.__new__(cls)
        for field in _FIELDS:
            setattr(buffer, field, getattr(source, field))
        buffer.persistent = persistent
        return buffer

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return _buffer, (self.detach(), self.persistent)


def _buffer(data: Tensor, persistent: bool) -> Buffer:
    return Buffer(data, persistent=persistent)


class UninitializedParameter(Parameter):
    """A parameter whose shape is yet to be known: `materialize(shape)` makes it an ordinary one, in place.

    Reading its shape raises RuntimeError.

    >>> from fastgrad import nn
    >>> weight = nn.UninitializedParameter()
    >>> weight
    <UninitializedParameter>
    >>> weight.materialize((2, 3))
    >>> weight.shape
    torch.Size([2, 3])
    """

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> UninitializedParameter:
        made = super().__new__(cls, empty(0, device=device, dtype=dtype), requires_grad)
        assert isinstance(made, UninitializedParameter)
        return made

    @property
    def shape(self) -> Any:
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )

    def materialize(self, shape: tuple[int, ...], device: Any = None, dtype: Any = None) -> None:
        """Become an ordinary parameter of this shape, with any contents."""
        made = empty(*shape, device=device, dtype=dtype or self._meta.dtype)
        self.__class__ = Parameter  # type: ignore[assignment]
        self.data = made

    def __repr__(self) -> str:
        return "<UninitializedParameter>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, dtype=self._meta.dtype)
        made: Parameter = memo[id(self)]
        return made

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return type(self), (self.requires_grad, None, self._meta.dtype), self.__dict__ or None
