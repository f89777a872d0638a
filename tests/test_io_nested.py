"""Nested data in one file: it comes back as it was, tied tensors tied, and nothing is run on the way."""

import collections
import contextlib
import io as streams
import math
import pickle

import numpy as np
import pytest
import safetensors.numpy

import fastgrad
from fastgrad import io, nn, optim


def same(a, b):
    """Equal in types, structure and values."""
    if isinstance(a, fastgrad.Tensor):
        return type(a) is type(b) and a.dtype is b.dtype and a.requires_grad == b.requires_grad and fastgrad.equal(a, b)
    if isinstance(a, dict):
        return type(b) is dict and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or (a != a and b != b))


def through(value, tmp_path):
    fastgrad.save(value, tmp_path / "file")
    return fastgrad.load(tmp_path / "file")


VALUES = {
    "nothing": None,
    "numbers": [1, -(2**70), 0.1, -0.0, True, False, math.inf, -math.inf, math.nan, 1e-320],
    "text": ["", "a\n\u20ac\x00", "__metadata__", "fastgrad"],
    "a list": [],
    "a tuple": (1, (), [2, (3,)]),
    "a dictionary": {},
    "keys": {1: "a", "1": "b", 2.5: "c", None: "d", False: "e", (1, "x"): {"y": ()}, "": 0},
    "a tensor": fastgrad.arange(6).reshape(2, 3),
    "tensors": [fastgrad.ones(2), {"x": (fastgrad.tensor(3.5), fastgrad.zeros(0, 2)), "y": fastgrad.tensor([True])}],
    "names that meet": {"a": {"b": fastgrad.ones(1)}, "a.b": fastgrad.zeros(1), "a.b_": fastgrad.tensor([2.0])},
    "empty names": {"": fastgrad.ones(1), "x": {"": fastgrad.zeros(1)}},
    "leaves": {"w": fastgrad.ones(2, requires_grad=True), "p": nn.Parameter(fastgrad.ones(1)), "t": fastgrad.ones(2)},
    "frozen": nn.Parameter(fastgrad.ones(1), requires_grad=False),
    "markers": {"tensor": "x", "dict": [1], "list": {"float": "nan"}},
}


@pytest.mark.parametrize("case", VALUES)
def test_what_is_saved_comes_back(case, tmp_path):
    assert same(VALUES[case], through(VALUES[case], tmp_path))


def test_other_containers_come_back_as_plain_ones(tmp_path):
    pair = collections.namedtuple("pair", "a b")
    given = [collections.OrderedDict(a=1), collections.Counter("aab"), pair(1, 2), fastgrad.Size([2]), np.float32(0.5)]
    assert same([{"a": 1}, {"a": 2, "b": 1}, (1, 2), (2,), 0.5], through(given, tmp_path))


def test_tied_tensors_are_written_once_and_tied_again(tmp_path):
    w = nn.Parameter(fastgrad.rand(100, 100))
    back = through({"first": w, "second": [w], "values": w.data, "turned": w.data.t()}, tmp_path)
    assert back["first"] is back["second"][0]
    assert back["values"].data_ptr() == back["first"].data_ptr()
    assert fastgrad.equal(back["turned"], w.data.t())
    assert not back["values"].requires_grad
    size = (tmp_path / "file").stat().st_size
    assert size < 2 * 40_000 + 1500


def test_a_checkpoint_goes_on(tmp_path):
    """Model, optimizer, scheduler, generator and numbers in one file; training goes on to the same bits."""

    def made():
        fastgrad.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))
        groups = [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.02}]
        optimizer = optim.NAdam(groups, lr=0.01)
        return model, optimizer, optim.lr_scheduler.MultiStepLR(optimizer, [2, 5, 5])

    def train(model, optimizer, scheduler, generator, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            model(fastgrad.rand(8, 4, generator=generator)).square().sum().backward()
            optimizer.step()
            scheduler.step()

    generator = fastgrad.Generator().manual_seed(3)
    first = made()
    train(*first, generator, 4)
    model, optimizer, scheduler = first
    fastgrad.save(
        {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "scheduler": scheduler.state_dict(),
            "random": generator.get_state(),
            "epoch": 4,
        },
        tmp_path / "checkpoint",
    )
    train(*first, generator, 4)
    saved = fastgrad.load(tmp_path / "checkpoint")
    second = made()
    for part, name in zip(second, ("model", "optimizer", "scheduler")):
        part.load_state_dict(saved[name])
    again = fastgrad.Generator()
    again.set_state(saved["random"])
    train(*second, again, 4)
    for a, b in zip(model.parameters(), second[0].parameters()):
        assert fastgrad.equal(a, b)
    assert scheduler.get_last_lr() == second[2].get_last_lr()


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam"])
def test_the_state_of_optimizers_comes_back(name, tmp_path):
    options = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
    w = fastgrad.rand(3, requires_grad=True)
    optimizer = getattr(optim, name)([w], lr=0.1, **options)
    w.sum().backward()
    optimizer.step()
    assert same(optimizer.state_dict(), through(optimizer.state_dict(), tmp_path))


def test_lbfgs_comes_back(tmp_path):
    w = fastgrad.rand(3, requires_grad=True)
    optimizer = optim.LBFGS([w], max_iter=4)

    def closure():
        optimizer.zero_grad()
        loss = (w**4).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert same(optimizer.state_dict(), through(optimizer.state_dict(), tmp_path))


def test_state_goes_to_pytorch_and_back(torch, tmp_path):
    files = pytest.importorskip("safetensors.torch")

    def made(library):
        return library.nn.Sequential(library.nn.Linear(3, 4), library.nn.ReLU(), library.nn.BatchNorm1d(4))

    ours, theirs = made(fastgrad), made(torch)
    fastgrad.save(ours.state_dict(), tmp_path / "ours.safetensors")
    theirs.load_state_dict(files.load_file(tmp_path / "ours.safetensors"))
    x = np.random.default_rng(0).standard_normal((5, 3)).astype("f4")
    expected = ours(fastgrad.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(theirs(torch.from_numpy(x)).detach().numpy(), expected, rtol=1e-5, atol=1e-6)

    files.save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    again = made(fastgrad)
    again.load_state_dict(fastgrad.load(tmp_path / "theirs.safetensors"))
    for a, b in zip(again.state_dict().values(), theirs.state_dict().values()):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_tied_weights_go_to_pytorch(torch, tmp_path):
    files = pytest.importorskip("safetensors.torch")

    def made(library):
        model = library.nn.Sequential(library.nn.Linear(3, 3), library.nn.Linear(3, 3))
        model[1].weight = model[0].weight
        return model

    ours, theirs = made(fastgrad), made(torch)
    fastgrad.save(ours.state_dict(), tmp_path / "tied")
    files.load_model(theirs, tmp_path / "tied")
    for name, value in ours.state_dict().items():
        np.testing.assert_array_equal(theirs.state_dict()[name].numpy(), value.numpy())


def test_half_precision_of_pytorch_is_read_as_float32(torch, tmp_path):
    files = pytest.importorskip("safetensors.torch")
    values = torch.tensor([1.5, -2.25, float("inf"), 1e-3])
    files.save_file({"half": values.half(), "brain": values.bfloat16()}, tmp_path / "x")
    back = fastgrad.load(tmp_path / "x")
    assert back["half"].tolist() == values.half().tolist()
    assert back["brain"].tolist() == values.bfloat16().tolist()
    assert back["brain"].dtype is fastgrad.float32


def test_streams_are_files_too():
    stream = streams.BytesIO()
    fastgrad.save([1, fastgrad.ones(2)], stream)
    stream.seek(0)
    assert same(fastgrad.load(stream, map_location="cpu", weights_only=True), [1, fastgrad.ones(2)])


def test_metadata_stands_beside_the_structure(tmp_path):
    w = fastgrad.ones(1)
    io.save([w, w], tmp_path / "x", metadata={"epoch": "4"})
    assert io.load_metadata(tmp_path / "x") == {"epoch": "4"}


class Odd:
    """Something of one's own."""


def _endless():
    data = [1]
    data.append({"again": data})
    return data


REFUSED = {
    "a module": (nn.Linear(2, 1), TypeError, r"a whole Linear.*save\(model.state_dict\(\), path\).*load_state_dict\(load"),
    "a module inside": ({"net": [nn.Linear(2, 1)]}, TypeError, r"'net.0' is a whole Linear"),
    "an optimizer": ({"o": optim.SGD([fastgrad.ones(1)])}, TypeError, r"'o' is a whole SGD.*it.state_dict\(\)"),
    "an object": ({"x": {"y": Odd()}}, TypeError, "'x.y' is of type Odd"),
    "a set": ([{1}], TypeError, "'0' is of type set"),
    "bytes": (b"x", TypeError, "that is of type bytes"),
    "a function": ({"f": len}, TypeError, "'f' is of type builtin_function_or_method"),
    "an array": ({"x": np.zeros(2)}, TypeError, "'x' is a NumPy array"),
    "an odd key": ({"x": {frozenset(): 1}}, TypeError, "a key of x is a frozenset"),
    "an odd part of a key": ({(1, b"x"): 1}, TypeError, "bytes"),
    "a circle": (_endless(), ValueError, "1.again contains itself"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_saved_is_refused(case, tmp_path):
    value, kind, text = REFUSED[case]
    with pytest.raises(kind, match=text):
        fastgrad.save(value, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_odd_arguments_are_refused(tmp_path):
    with pytest.raises(TypeError, match="expected a path or a file opened for writing, not int"):
        fastgrad.save({}, 3)
    with pytest.raises(TypeError, match="expected a path or a file opened for reading, not int"):
        fastgrad.load(3)
    with pytest.raises(TypeError, match="'epoch' to 4"):
        io.save({}, tmp_path / "x", metadata={"epoch": 4})
    with pytest.raises(ValueError, match="kept for the structure"):
        io.save({}, tmp_path / "x", metadata={"fastgrad": "x"})
    fastgrad.save({}, tmp_path / "x")
    with pytest.raises(RuntimeError, match="loaded to the CPU"):
        fastgrad.load(tmp_path / "x", map_location="cuda")


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("unpickled",)


def test_pickles_are_never_read(tmp_path):
    for protocol in (2, 3, 4, 5):
        (tmp_path / "x.pt").write_bytes(pickle.dumps(Bomb(), protocol))
        with pytest.raises(ValueError, match=r"x.pt: .*no pickles.*safetensors.torch.save_file"):
            fastgrad.load(tmp_path / "x.pt", weights_only=False)


DAMAGED = [
    "", "null", "[]", "3", "{}", '{"version": 1}', '{"version": 2, "data": 1}', '{"version": 1, "data": {"tensor": "y"}}',
    '{"version": 1, "data": {"set": []}}', '{"version": 1, "data": [1]}', '{"version": 1, "data": {"dict": [1]}}',
    '{"version": 1, "data": {"list": 3}}', '{"version": 1, "data": {"list": [], "dict": []}}',
    '{"version": 1, "data": {"dict": [[{"list": []}, 1]]}}', '{"version": 1, "data": {"float": "x"}}',
    '{"version": 1, "data": ' + '{"list": [' * 5000 + "]}" * 5000 + "}", '{"version": 1, "data": {"tensor": []}}',
]  # fmt: skip


@pytest.mark.parametrize("text", DAMAGED, ids=lambda text: text[:40])
def test_a_damaged_description_is_an_error(text, tmp_path):
    content = safetensors.numpy.save({"x": np.zeros(2)}, metadata={"fastgrad": text})
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ValueError, match="damaged|newer fastgrad"):
        fastgrad.load(tmp_path / "x")


def test_damaged_bytes_are_an_error(tmp_path):
    fastgrad.save({"x": fastgrad.zeros(3), "y": [1]}, tmp_path / "x")
    content = (tmp_path / "x").read_bytes()
    rng = np.random.default_rng(0)
    length = int.from_bytes(content[:8], "little")
    for _ in range(200):
        broken = bytearray(content)
        broken[rng.integers(8 + length)] = rng.integers(256)
        (tmp_path / "broken").write_bytes(broken)
        with contextlib.suppress(ValueError):
            fastgrad.load(tmp_path / "broken")
