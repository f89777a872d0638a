"""Machine code on disk: kept whole or not at all, used only when private, and never in the way."""

import concurrent.futures
import os
import stat

import pytest
from fastgrad.kernels import store

PROGRAM = """
import fastgrad
from fastgrad.kernels import jit, store
print((fastgrad.tensor([1.0, 2.0]) * fastgrad.tensor([3.0, 4.0])).tolist())
print(store.folder())
print(*jit.compiled)
"""


def run(run_python, cache):
    """(folder, what was compiled) of a process that multiplies."""
    product, folder, compiled = run_python("-c", PROGRAM, FASTGRAD_CACHE_DIR=str(cache)).stdout.splitlines()
    assert product == "[3.0, 8.0]"
    return folder, compiled.split()


@pytest.fixture
def filled(run_python, tmp_path):
    """A cache folder that holds one program's kernels, and their names."""
    folder, compiled = run(run_python, tmp_path)
    return tmp_path, tmp_path / os.path.relpath(folder, tmp_path), compiled


def test_a_cache_is_private_and_used(run_python, filled):
    cache, folder, compiled = filled
    assert "elementwise.mul.float32" in compiled
    kept = {path.stem for path in folder.iterdir()} - {"native.steps"}  # bookkeeping in place of Python's, no kernel
    assert kept == set(compiled)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert run(run_python, cache) == (str(folder), [])


@pytest.mark.parametrize("damage", ["empty", "cut", "changed", "other", "noise"])
def test_a_damaged_file_is_made_again(run_python, filled, damage):
    cache, folder, _ = filled
    path = folder / "elementwise.mul.float32.o"
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[-100] ^= 1
    noise = os.urandom(999)
    damaged = {"empty": b"", "cut": whole[:-7], "changed": bytes(changed), "other": b"\n\n" + whole, "noise": noise}
    path.write_bytes(damaged[damage])
    assert run(run_python, cache)[1] == ["elementwise.mul.float32"]
    assert path.read_bytes().split(b"\n", 2)[1] == whole.split(b"\n", 2)[1]
    assert run(run_python, cache)[1] == []


def test_a_folder_that_others_can_write_is_not_used(run_python, filled):
    cache, folder, compiled = filled
    for mode in (0o777, 0o720, 0o702):
        folder.chmod(mode)
        assert run(run_python, cache) == ("None", compiled)
    folder.chmod(0o700)
    assert run(run_python, cache)[1] == []


def test_nothing_to_write_to(run_python, tmp_path):
    """Kernels are compiled each time, and nothing else happens."""
    (tmp_path / "file").write_text("in the way")
    folder, compiled = run(run_python, tmp_path / "file")
    assert folder == "None"
    assert "elementwise.mul.float32" in compiled
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_folder_that_vanishes(run_python, tmp_path):
    program = f"""
import shutil
import fastgrad
from fastgrad.kernels import store
assert str(store.folder()).startswith({str(tmp_path)!r})
shutil.rmtree({str(tmp_path)!r})
print((fastgrad.ones(2) * fastgrad.ones(2)).tolist())
"""
    assert run_python("-c", program, FASTGRAD_CACHE_DIR=str(tmp_path)).stdout == "[1.0, 1.0]\n"


def test_two_processes_fill_one_cache(run_python, tmp_path):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: run(run_python, tmp_path), range(2)))
    folder, compiled = run(run_python, tmp_path)
    assert compiled == []
    assert not [path for path in os.scandir(folder) if path.name.endswith(".tmp")]


def test_the_fingerprint_follows_every_source(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_HERE", tmp_path)
    seen = {store.fingerprint()}
    for name, text in (("a.py", "x = 1"), ("a.py", "x = 2"), ("cpu/b.py", "y = 1"), ("cpu/c.py", "y = 1")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        assert store.fingerprint() not in seen
        seen.add(store.fingerprint())
    (tmp_path / "notes.txt").write_text("not code")
    assert store.fingerprint() in seen
    monkeypatch.setenv("NUMBA_OPT", "1")
    assert store.fingerprint() not in seen
    monkeypatch.delenv("NUMBA_OPT")
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert store.fingerprint() in seen


def test_code_without_the_symbol_is_refused(filled):
    _, folder, _ = filled
    symbol, code = (folder / "elementwise.mul.float32.o").read_bytes().split(b"\n", 2)[1:]
    with pytest.raises(RuntimeError, match="has no entry of that name"):
        store.load(f"{symbol.decode()}.nonsense", code)


def test_written_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "folder", lambda: tmp_path)
    store.write("family.kernel.float32", "symbol", b"code\nwith\nlines")
    assert store.read("family.kernel.float32") == ("symbol", b"code\nwith\nlines")
    assert store.read("family.other.float32") is None
    store.write("family.kernel.float32", "symbol", b"")
    assert store.read("family.kernel.float32") == ("symbol", b"")
