"""What a step does, written down while it runs: rows, calls that NumPy serves, updates, effects, checks.

A recorder runs nothing itself. The step runs eagerly under it, and everything that reaches memory passes the seams of the
layers below (`_recording.py`). Addresses become buffers and offsets at once, since memory that is freed is used again.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from .. import _recording, _tensor
from .._caller import user_frame
from .._generator import Generator, default_generator
from .._launch import core
from .._storage import address_of
from .._tensor import Tensor
from . import refusals
from .events import Check, Effect, Event, HostCall, Output, Row, Update, replaced, version
from .flow import Flow, put
from .hooks import Hooks
from .leaves import Leaves
from .memory import ARGUMENT, GRADIENT, OUTSIDE, TEMPORARY, Memory, Pointer, TensorRef
from .options import Options
from .places import HIGH, places

_one_at_a_time = threading.RLock()  # the hooks are the process's


class Recorder:
    """One recording. `with recorder: result = step(...)`, then `recorder.finish(result)`."""

    def __init__(self, arguments: list[Tensor], outside: Iterable[Tensor], memory: Memory | None = None) -> None:
        self.thread = threading.get_ident()
        self.memory = memory or Memory()  # that of an earlier recording, which this one goes on from
        self.events: list[Event] = []
        self.options, self.hooks, self.flow = Options(self), Hooks(self), Flow(self)
        self.broken: list[str] = []  # why this cannot become a plan
        self.leaves = Leaves(self.memory)
        self.owners: list[Any] = []  # what must stay alive for the addresses of rows to hold
        self.generators: list[Generator] = []
        self.arguments, self.switches = arguments, list[Any]()  # how what is switched to and fro stood when it began
        self.result: Any = None
        self.went_back = False  # whether a backward pass ran; in the end, whether it reached the `.grad` of a leaf
        self._quiet = 0  # inside something that is noted as a whole
        self._paused = 0  # inside something that outlasts the step
        self._unknown: dict[int, Row] = {}
        places = [self.memory.add_tensor(ARGUMENT, tensor, index) for index, tensor in enumerate(arguments)]
        self.shares = [place.index for place in places]  # for each argument, in whose memory it lies
        apart = self.shares == list(range(len(arguments)))
        for tensor, place in zip(arguments, places, strict=True):
            whole = place.kind == ARGUMENT and self.memory.find(place.address) is place
            if tensor._meta.numel and not (whole and (apart or memory is None)):
                self.broken.append("two arguments share memory")
        self._watched = [(tensor, version(tensor)) for tensor in (*arguments, *outside)]
        for tensor, _ in self._watched[len(arguments) :]:
            if self.memory.add_tensor(OUTSIDE, tensor).kind == ARGUMENT:
                self.broken.append("an argument shares memory with a tensor that the step reaches in another way")
        for tensor in [t for t, _ in self._watched if t._requires_grad and t._node is None]:
            self.leaves.known(tensor)
        self.bumps: list[tuple[Any, int]] = []  # tensors (arguments by number), and by how much their versions rose

    # -- beginning and end ---------------------------------------------------------------------------------------------

    def __enter__(self) -> Recorder:
        _one_at_a_time.acquire()
        self._entry = core.launch_entry()
        core.set_hook(self._launched)
        _tensor.set_watch(self._allocated)
        _recording.active = self
        return self

    def __exit__(self, *error: object) -> None:
        _recording.active = None
        _tensor.set_watch(None)
        core.set_hook(None)
        _one_at_a_time.release()

    def finish(self, result: Any) -> None:
        """Work out what the step leaves behind."""
        cells: set[int] = set()  # views share theirs
        for number, (tensor, before) in enumerate(self._watched):
            if version(tensor) != before and id(tensor._cell) not in cells:
                cells.add(id(tensor._cell))
                self.bumps.append((number if number < len(self.arguments) else tensor, version(tensor) - before))
        for leaf in self.leaves.all:
            leaf.finish(self)
        changed = any(x.after is not None or (x.kept and x.had and x.version) for x in self.leaves.all)
        self.went_back = self.went_back and changed
        read = self.flow.places(result)
        plain = put(result, read, lambda item: None)
        found = [*self.leaves.refusals(self.events), *refusals.of_result(self, plain)]
        self.broken += found + self.hooks.refusals(plain)
        self.result = put(replaced(plain, Tensor, functools.partial(Output, self)), read, lambda item: item)
        self._resolve()
        # A recording keeps nothing of one call's arguments and gradients alive.
        self.metas = [tensor._meta for tensor in self.arguments]
        self.arguments, self._watched = [], []
        for buffer in self.memory.buffers:
            if buffer.kind in (ARGUMENT, GRADIENT):
                buffer.owner = None
        for item in self.flow.items:
            item.value = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What is made here outlasts the step: an optimizer's state at its first step."""
        if self._elsewhere():
            yield
            return
        self._paused += 1
        try:
            with self.noted():
                yield
        finally:
            self._paused -= 1

    @contextmanager
    def noted(self) -> Iterator[None]:
        """What is done here is noted as a whole; memory that is made is the step's."""
        if self._elsewhere():
            yield
            return
        self._quiet += 1
        try:
            yield
        finally:
            self._quiet -= 1

    # -- what the layers tell ------------------------------------------------------------------------------------------

    def looks_away(self) -> bool:
        """Whether what happens now is no part of the recording, or is noted as a whole."""
        return bool(self._quiet) or self._elsewhere()

    def _elsewhere(self) -> bool:
        return threading.get_ident() != self.thread

    def _allocated(self, tensor: Tensor) -> None:
        if not self._elsewhere():
            address, nbytes = tensor._address, tensor._meta.nbytes
            self.memory.add(OUTSIDE if self._paused else TEMPORARY, address, nbytes)

    def memory_of(self, memory: bytes) -> None:
        """Bytes that a launch made for a kernel's notes."""
        self.memory.add(TEMPORARY, address_of(memory), len(memory))

    def _launched(self, row: int, total: int, grain: int, *args: Any) -> None:
        if not self.looks_away():
            made = Row(core.Rows.names.get(row, "?"), row, total, grain, list(args), self.line())
            for k in places(made.name, total, args):
                pointer = self.memory.pointer(args[k])
                if pointer is None:
                    self._unknown.setdefault(args[k], made)
                else:
                    made.args[k] = self._touch(pointer)
            self.events.append(made)
        self._entry(row, total, grain, *args)

    def host(self, function: Any, args: Any, kwargs: Any) -> Any:
        """Run and note a launch that NumPy serves."""
        if self.looks_away():
            return function(*args, **kwargs)
        encoded = replaced((args, kwargs), Tensor, self.ref)
        with self.noted():
            result = function(*args, **kwargs)
        made = replaced(result, Tensor, self.ref)
        parts = made if isinstance(made, (list, tuple)) else [made]
        if made is not None and not all(isinstance(part, TensorRef) for part in parts):
            self.broken.append(f"{function.__name__} gives Python a number at {self.line()}")
        if refusals.is_caught():
            self.broken.append(f"an error of {function.__name__} would be caught in the step, at {self.line()}")
        grads = self._gradients_now() if made is None else []  # without a result it may be a check
        self.events.append(HostCall(function, encoded[0], encoded[1], made, self.line(), grads))
        return result

    def effect(self, function: Any, args: Any, kwargs: Any) -> Any:
        """Run and note something on Python's side alone."""
        if not self.looks_away():
            if any(isinstance(value, (Tensor, float)) for value in (*args[1:], *kwargs.values())):
                self.broken.append(f"{function.__qualname__} is given a value that may change, at {self.line()}")
            self.events.append(Effect(function, args, kwargs, self.line()))
            with self.paused():
                return function(*args, **kwargs)
        return function(*args, **kwargs)

    def update(self, optimizer: Any, table: Any) -> None:
        """Run and note an optimizer's step."""
        if not self.looks_away():
            line = self.line()
            if table.converted or table.scattered:
                self.broken.append(f"a parameter or gradient is not contiguous, at {line}")
            self.saw_leaves(table.parameters)
            gradients = [None if p._grad is None else self.ref(p._grad).pointer for p in table.parameters]
            self.owners.append(table)
            self.events.append(Update(optimizer, table, gradients, line))
        with self.paused():
            table.update(optimizer)

    def refuse(self, what: str) -> None:
        """Something happens in the step that no plan can do."""
        if not self.looks_away():
            self.broken.append(f"{what} at {self.line()}")

    def check(self, flag: int, function: Any, args: Any) -> None:
        """Note that a byte tells of bad input."""
        if not self.looks_away():
            pointer = self.memory.pointer(flag)
            assert pointer is not None
            if refusals.is_caught():
                self.broken.append(f"an error that is told by values would be caught in the step, at {self.line()}")
            encoded = replaced(args, Tensor, self.ref)
            self.events.append(Check(self._touch(pointer), function, encoded, self.line(), self._gradients_now()))

    def _gradients_now(self) -> list[tuple[Any, Any]]:
        return [(leaf, now) for leaf in self.leaves.all if (now := leaf.now(self)) is not False]

    def looked_at(self, tensor: Tensor, why: str = "NumPy reads or writes a tensor") -> None:
        """NumPy looks at a tensor's memory: fresh memory is being given its contents, anything else ends the plan."""
        if self.looks_away():
            return
        pointer = self.memory.pointer(tensor._address)
        if pointer is not None and pointer.buffer.kind == TEMPORARY and not pointer.buffer.touched:
            pointer.buffer.made_by_hand = True
        elif tensor._meta.numel and not self.hooks.look(pointer):
            self.refuse(why)

    def read(self, tensor: Tensor, name: str, read: Callable[[], Any]) -> Any:
        """Python reads the values of a tensor: fine if they are returned, and nothing else is done with them."""
        with self.paused():
            value = read()
        if not self.looks_away() and not self.flow.given(tensor, name, value, sys._getframe(2)):
            self.looked_at(tensor, "the value of a tensor is read by Python")
        return value

    def saw_leaves(self, leaves: Iterable[Tensor], matters: bool = True) -> None:
        """Leaves whose `.grad` is looked at or about to change; where it is dropped, what it was does not matter."""
        if self._elsewhere():
            return
        for tensor in leaves:
            count = len(self.leaves.all)
            leaf = self.leaves.known(tensor)
            if leaf is not None and not leaf.asked:
                leaf.ask(matters, self.memory)
            if len(self.leaves.all) > count and not any(known is tensor for known, _ in self._watched):
                self._watched.append((tensor, version(tensor)))

    def is_always_one(self, tensor: Tensor) -> bool:
        """Whether a row of this recording wrote the 1 that a tensor holds."""
        found = self.memory.find(tensor._address)
        for event in reversed(self.events):
            if any(pointer.buffer is found for pointer in event.pointers()):
                return isinstance(event, Row) and event.name.startswith("elementwise.fill") and event.args[1] == 1.0
        return False

    # -- addresses -----------------------------------------------------------------------------------------------------

    def _touch(self, pointer: Pointer) -> Pointer:
        buffer = pointer.buffer
        if not buffer.touched:
            buffer.touched = True
            if buffer.made_by_hand:
                buffer.constant = ctypes.string_at(buffer.address, buffer.nbytes)
        return pointer

    def ref(self, tensor: Tensor) -> TensorRef:
        """A tensor by buffer, offset and geometry."""
        pointer = self.memory.pointer(tensor._address)
        if pointer is None:
            self.owners.append(tensor)
            buffer = self.memory.add_tensor(OUTSIDE, tensor)
            pointer = Pointer(buffer, tensor._address - buffer.address)
        return TensorRef(self._touch(pointer), tensor._meta)

    def _resolve(self) -> None:
        """Find who owns the addresses that belong to no buffer, so that plans can keep them alive."""
        layouts = {plan[2]: plan[3] for plan in core._plans.values()}
        unknown = {
            address: row for address, row in self._unknown.items() if not row.name.startswith("matmul.")
        }  # of a product: the 1 that column sums are made with, which the process keeps
        for address in list(unknown):
            if address in layouts:
                self.owners.append(layouts[address])
                del unknown[address]
        self._adopt_generators([default_generator], unknown)
        if unknown:
            self._adopt_generators([g for g in gc.get_objects() if type(g) is Generator], unknown)
        if any(address >= HIGH for address in unknown):
            self._adopt_tensors(unknown)
        for row in {id(row): row for address, row in unknown.items() if address >= HIGH}.values():  # others: sizes
            if not row.name.startswith("random."):
                self.broken.append(f"{row.name} at {row.line} uses memory that nobody is known to keep")

    def _adopt_generators(self, generators: list[Generator], unknown: dict[int, Row]) -> None:
        for generator in generators:
            mine = [address for address in (generator.address, generator.spare) if address in unknown]
            if mine:
                self.generators.append(generator)
            for address in mine:
                del unknown[address]

    def _adopt_tensors(self, unknown: dict[int, Row]) -> None:
        """Tensors that the step reaches in ways that nobody looked into (a list of tensors in a list ...)."""
        owners = Memory()
        for found in gc.get_objects():
            if issubclass(type(found), Tensor):  # isinstance would run the `__class__` of other libraries' objects
                owners.add_tensor(OUTSIDE, found)
        for address, row in list(unknown.items()):
            buffer = owners.find(address)
            if buffer is not None:
                self.owners.append(buffer.owner)
                del unknown[address]
                pointer = Pointer(buffer, address - buffer.address)
                row.args[:] = [pointer if arg == address else arg for arg in row.args]

    def line(self) -> str:
        """The file and line of the user's code that is being run."""
        frame, _ = user_frame()
        return f"{frame.f_code.co_filename}:{frame.f_lineno}"
