"""Machine code on disk: one object file for each compiled kernel, so that a second process compiles nothing.

The folder's name carries a hash of everything that decides the code: every source file of this package, the versions of
numba and llvmlite, the code-generating NUMBA_* settings and the processor. A kernel is looked up by name alone, which is
why a warm process never imports numba at all (a quarter of a second), only llvmlite's loader.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
# Settings that do not change the code a kernel compiles to.
_HARMLESS = {"NUMBA_NUM_THREADS", "NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT", "NUMBA_THREADING_LAYER", "NUMBA_ENABLE_CUDASIM"}
# One lock for all that is made once (kernels, the engine, the launcher): a fork waits for it, or the child would find it
# held by a thread that it does not have. `fastgrad/_launch/forks.py` sees to that.
lock = threading.RLock()
_warned = False


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let Ctrl-C wait until the block is done: an import of numba or LLVM that is broken off cannot be taken up again in
    this process, and none of their code expects to be interrupted."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    came: list[Any] = []
    signal.signal(signal.SIGINT, lambda *about: came.append(about))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            before(*came[-1])


def fingerprint() -> str:
    """The hash of all that decides a kernel's machine code, as 16 hexadecimal digits."""
    import hashlib
    from importlib.metadata import version  # 40 ms, which importing fastgrad should not pay

    import llvmlite.binding as llvm

    parts = [f"python{sys.version_info[:2]}", f"numba{version('numba')}", f"llvmlite{version('llvmlite')}"]
    parts += sorted(f"{k}={v}" for k, v in os.environ.items() if k.startswith("NUMBA_") and k not in _HARMLESS)
    parts += [llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()]
    digest = hashlib.sha256("\n".join(parts).encode())
    for path in sorted(_HERE.rglob("*.py")):
        digest.update(path.relative_to(_HERE).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def folder() -> Path | None:
    """The cache folder, made if need be; None where nothing private can be written (kernels then compile each time).

    What lies in it is run as machine code, so a folder that belongs to somebody else, or that others can write, is not used.
    """
    import tempfile

    base = os.environ.get("FASTGRAD_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        path = Path(base).expanduser() / "fastgrad" / f"kernels-{fingerprint()}"
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = path.stat()
        if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
            return None
        with tempfile.TemporaryFile(dir=path):
            pass
        return path
    except (OSError, RuntimeError):
        return None


def read(name: str) -> tuple[str, bytes] | None:
    """(symbol, object code) kept under this name, or None. A damaged file counts as absent."""
    import hashlib

    here = folder()
    if here is None:
        return None
    try:
        digest, symbol, code = (here / f"{name}.o").read_bytes().split(b"\n", 2)
    except (OSError, ValueError):
        return None
    if hashlib.sha256(code).hexdigest().encode() != digest:
        return None
    return symbol.decode(), code


def write(name: str, symbol: str, code: bytes) -> None:
    """Keep object code under this name; the file appears whole or not at all."""
    import hashlib
    import tempfile

    here = folder()
    if here is None:
        return
    try:
        handle, temporary = tempfile.mkstemp(dir=here, suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(code).hexdigest().encode() + b"\n" + symbol.encode() + b"\n" + code)
        os.replace(temporary, here / f"{name}.o")
    except OSError:
        pass  # a full or vanished disk costs time in the next process, nothing in this one


_engine: Any = None


def engine() -> Any:
    """The one LLVM engine that all kernels are loaded into. It lives as long as the process: addresses stay valid."""
    global _engine
    with lock:
        if _engine is None:
            _engine = _make_engine()
    return _engine


def add_module(text: str) -> Any:
    """Compile a module of LLVM instructions into the engine, which is returned."""
    import llvmlite.binding as llvm

    with lock:
        engine().add_module(llvm.parse_assembly(text))
        engine().finalize_object()
        return engine()


def machine() -> Any:
    """This processor, for LLVM to compile for."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, jit=True
    )


def _make_engine() -> Any:
    import llvmlite.binding as llvm

    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine())


def load(symbol: str, code: bytes) -> int:
    """Load object code and give the address of its function `symbol`."""
    import llvmlite.binding as llvm

    with lock:
        # Object files share one name space: jit.py leaves `symbol` as the only name that they give to it.
        engine().add_object_file(llvm.ObjectFileRef.from_data(code))
        engine().finalize_object()
        address: int = engine().get_function_address(symbol)
    if not address:
        raise RuntimeError(f"the object code of kernel {symbol} has no entry of that name")
    return address


def say_compiling() -> None:
    """One line on stderr, once a process, so that the first run's wait has a name."""
    global _warned
    if not _warned:
        _warned = True
        print("fastgrad: compiling kernels for this processor (kept for the next run)", file=sys.stderr, flush=True)
