"""One optimisation and one code generation for a kernel and all that it calls.

Left to itself numba makes a finished library of every function that a kernel calls, with wrappers, two runs of the
optimiser and machine code, and links it into each caller, where all is optimised again. Kernels are entered at one place
only, so until there the functions stay as they were lowered: a first step that compiles everything takes a quarter less.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from numba.core.codegen import JITCodeLibrary


class Part(JITCodeLibrary):
    """A function that waits to be linked into its callers."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """No address: nothing of this is machine code."""
        self._ensure_finalized()
        return 0


class Whole(JITCodeLibrary):
    """What is entered by `symbol`, with all that it calls.

    Every other function becomes internal, between linking and optimisation: numba numbers its functions from 1 in each
    process, so `segment v4` may be one loop in an object file of this process and another in yesterday's; where both are
    loaded, the linker would take the first for both.
    """

    symbol = ""

    def _optimize_final_module(self) -> None:
        for function in self._final_module.functions:
            if not function.is_declaration and function.name != self.symbol:
                function.linkage = "internal"
        super()._optimize_final_module()


@contextlib.contextmanager
def parts(codegen: Any) -> Iterator[None]:
    """What is compiled in this block is `Part`s; under numba's compiler lock."""
    usual, codegen._library_class = codegen._library_class, Part
    codegen.set_env = lambda name, environment: None  # what Python's exceptions need; kernels raise none
    try:
        yield
    finally:
        codegen._library_class = usual
        del codegen.set_env
