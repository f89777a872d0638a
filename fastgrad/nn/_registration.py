"""Assigning a module's attributes: parameters, buffers and modules are recognised and kept by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastgrad._recording import changed
from fastgrad._tensor import Tensor
from fastgrad._typename import typename
from fastgrad.nn._members import Members
from fastgrad.nn.parameter import Buffer, Parameter

if TYPE_CHECKING:
    from fastgrad.nn.module import Module

__all__ = ["Registration"]


class Registration:
    """The members of a module, and how they come and go.

    The names of each kind are the keys of a dictionary, which keeps their order.
    """

    _parameter_names: dict[str, bool]
    _buffer_names: dict[str, bool]  # name -> whether state_dict() contains it
    _module_names: dict[str, bool]

    @property
    def _parameters(self) -> Members[Parameter | None]:
        return Members(self._parameter_names, self.__dict__)

    @property
    def _buffers(self) -> Members[Tensor | None]:
        return Members(self._buffer_names, self.__dict__)

    @property
    def _modules(self) -> Members[Module | None]:
        return Members(self._module_names, self.__dict__)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under `name`; None keeps the place, as a layer without bias does.

        Raises TypeError for another type, KeyError for an impossible or a taken name, ValueError for a
        non-leaf.
        """
        self._check_name("parameter", name, "_parameter_names")
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{typename(param)}' object to parameter '{name}' "
                    "(torch.nn.Parameter or None required)"
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created "
                    f"explicitly. To express '{name}' as a function of another Tensor, compute the value in "
                    "the forward() method."
                )
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is not trained; a `persistent` one is in `state_dict()`."""
        self._check_name("buffer", name, "_buffer_names")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' "
                "(torch Tensor or None required)"
            )
        self._buffer_names[name] = persistent
        self._buffers[name] = tensor

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module under `name`."""
        if module is not None and not isinstance(module, Registration):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name("module", name, "_module_names")
        self._modules[name] = module

    register_module = add_module

    def _check_name(self, kind: str, name: str, registry: str) -> None:
        names = self.__dict__.get(registry)
        if names is None:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if name not in names and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    def __setattr__(self, name: str, value: Any) -> None:
        changed()
        own = self.__dict__
        if isinstance(value, Parameter):
            if "_parameter_names" not in own:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            if name not in self._parameter_names:
                self._forget(name)
            self.register_parameter(name, value)
        elif name in own.get("_parameter_names", ()):
            self._replace(name, value, value is None, "parameter", "torch.nn.Parameter or None")
        elif isinstance(value, Registration):
            if "_module_names" not in own:
                raise AttributeError("cannot assign module before Module.__init__() call")
            if name not in self._module_names:
                self._forget(name)
            self.__dict__[name] = value
            self._module_names[name] = True
        elif name in own.get("_module_names", ()):
            self._replace(name, value, value is None, "child module", "torch.nn.Module or None")
        elif isinstance(value, Buffer):
            if name not in own.get("_buffer_names", ()):
                self._forget(name)
            self.register_buffer(name, value, value.persistent)
        elif name in own.get("_buffer_names", ()):
            fits = value is None or isinstance(value, Tensor)
            self._replace(name, value, fits, "buffer", "torch.nn.Buffer, torch.Tensor or None")
        else:
            object.__setattr__(self, name, value)

    def _replace(self, name: str, value: Any, fits: bool, kind: str, expected: str) -> None:
        if not fits:
            raise TypeError(f"cannot assign '{typename(value)}' as {kind} '{name}' ({expected} expected)")
        self.__dict__[name] = value

    def _forget(self, name: str) -> None:
        """Take a name out of the registries and the attributes, before it becomes another kind of member."""
        for names in (self._parameter_names, self._buffer_names, self._module_names, self.__dict__):
            names.pop(name, None)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        for registry in ("_parameter_names", "_buffer_names", "_module_names"):
            self.__dict__.get(registry, {}).pop(name, None)
