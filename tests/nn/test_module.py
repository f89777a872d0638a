"""What a Module keeps, finds, saves, and says."""

import copy
import pickle

import pytest

import fastgrad
from fastgrad import nn


def fill(module, library):
    """Give a module each kind of member: parameters, buffers, children, and a plain value."""
    layers = library.nn
    module.first = layers.Linear(3, 4)
    module.rest = layers.Sequential(layers.ReLU(), layers.Linear(4, 2, bias=False))
    module.scale = layers.Parameter(library.ones(2))
    module.register_parameter("absent", None)
    module.register_buffer("mean", library.zeros(2))
    module.register_buffer("scratch", library.zeros(1), persistent=False)
    module.name = "net"


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        fill(self, fastgrad)

    def forward(self, x, shift=0.0):
        return self.rest(self.first(x)) * self.scale + self.mean + shift


def twin(torch):
    """The same network under PyTorch."""

    class TorchNet(torch.nn.Module):
        def __init__(self):
            super().__init__()
            fill(self, torch)

        forward = Net.forward

    TorchNet.__name__ = "Net"
    return TorchNet()


NAMES = ["scale", "first.weight", "first.bias", "rest.1.weight"]


def test_members_are_found_in_order():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [name for name, _ in net.named_parameters(prefix="net")] == [f"net.{name}" for name in NAMES]
    assert [name for name, _ in net.named_parameters(recurse=False)] == ["scale"]
    assert [name for name, _ in net.named_buffers()] == ["mean", "scratch"]
    assert [name for name, _ in net.named_modules()] == ["", "first", "rest", "rest.0", "rest.1"]
    assert [name for name, _ in net.named_children()] == ["first", "rest"]
    assert list(map(id, net.parameters())) == list(
        map(id, [net.scale, *net.first.parameters(), net.rest[1].weight])
    )
    assert net.get_submodule("rest.1") is net.rest[1]
    assert net.get_submodule("") is net
    assert net.get_parameter("rest.1.weight") is net.rest[1].weight


def test_shared_members_come_once():
    shared = nn.Linear(2, 2)
    net = nn.Sequential(shared, shared)
    assert len(list(net.parameters())) == 2
    assert len(list(net.modules())) == 2
    assert [name for name, _ in net.named_parameters(remove_duplicate=False)] == [
        "0.weight", "0.bias", "1.weight", "1.bias",
    ]  # fmt: skip
    assert list(net.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_members_live_under_their_names_and_in_the_registries():
    net = Net()
    assert net._parameters["scale"] is net.scale
    assert "absent" in net._parameters
    assert net.absent is None
    assert set(net._modules) == {"first", "rest"}
    net._parameters["scale"] = replaced = nn.Parameter(fastgrad.zeros(2))
    assert net.scale is replaced
    del net.scale
    assert "scale" not in net._parameters
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'scale'"):
        _ = net.scale
    del net._buffers["mean"]
    assert not hasattr(net, "mean")


def test_an_assigned_member_changes_its_kind():
    net = nn.Module()
    net.thing = 1
    net.thing = nn.Parameter(fastgrad.ones(1))
    assert list(net._parameters) == ["thing"]
    assert not list(net._buffers)
    net.thing = None
    assert list(net._parameters) == ["thing"]
    assert not list(net.parameters())
    other = nn.Module()
    other.register_buffer("thing", fastgrad.ones(1), persistent=False)
    other.thing = fastgrad.zeros(1)
    assert next(other.buffers()).item() == 0
    assert not other.state_dict()
    other.thing = nn.Linear(1, 1)
    assert list(other._modules) == ["thing"]
    assert not list(other._buffers)


MISTAKES = {
    "tensor as parameter": lambda t, m: setattr(m, "scale", t.zeros(2)),
    "number as parameter": lambda t, m: setattr(m, "scale", 3),
    "number as module": lambda t, m: setattr(m, "first", 3),
    "number as buffer": lambda t, m: setattr(m, "mean", 3),
    "parameter of another type": lambda t, m: m.register_parameter("p", t.zeros(2)),
    "parameter with a dot": lambda t, m: m.register_parameter("a.b", None),
    "parameter without a name": lambda t, m: m.register_parameter("", None),
    "parameter named by a number": lambda t, m: m.register_parameter(3, None),
    "name taken": lambda t, m: m.register_parameter("forward", None),
    "name taken by a plain value": lambda t, m: m.register_buffer("name", None),
    "buffer of another type": lambda t, m: m.register_buffer("b", "text"),
    "buffer with a dot": lambda t, m: m.register_buffer("a.b", None),
    "module of another type": lambda t, m: m.add_module("m", t.zeros(1)),
    "module with a dot": lambda t, m: m.add_module("a.b", None),
    "module name taken": lambda t, m: m.add_module("name", None),
    "no such submodule": lambda t, m: m.get_submodule("first.nothing"),
    "a parameter is no submodule": lambda t, m: m.get_submodule("scale"),
    "no such parameter": lambda t, m: m.get_parameter("first.nothing"),
    "training is a bool": lambda t, m: m.train(1),
    "integer dtype": lambda t, m: m.to(t.int64),
    "state is no mapping": lambda t, m: m.load_state_dict([1]),
    "missing and unexpected": lambda t, m: m.load_state_dict({"scale": t.ones(2), "extra": t.ones(1)}),
    "wrong shape": lambda t, m: m.load_state_dict({**m.state_dict(), "first.weight": t.ones(1, 2)}),
    "no tensor": lambda t, m: m.load_state_dict({**m.state_dict(), "scale": 3}),
    "add to a chain": lambda t, m: m.rest + 1,
    "multiply a chain by zero": lambda t, m: m.rest * 0,
    "index out of range": lambda t, m: m.rest[7],
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_raise_what_pytorch_raises(torch, mistake):
    with pytest.raises(Exception) as theirs:
        MISTAKES[mistake](torch, twin(torch))
    with pytest.raises(type(theirs.value)) as ours:
        MISTAKES[mistake](fastgrad, Net())
    assert str(ours.value).replace("fastgrad.", "torch.").replace(
        "nn.container", "nn.modules.container"
    ).replace("torch._tensor.Tensor", "torch.Tensor") == str(theirs.value)


def test_assignment_before_init_is_refused():
    class Early(nn.Module):
        def __init__(self, value):
            self.value = value

    with pytest.raises(AttributeError, match=r"cannot assign parameters before Module.__init__\(\) call"):
        Early(nn.Parameter(fastgrad.ones(1)))
    with pytest.raises(AttributeError, match=r"cannot assign module before Module.__init__\(\) call"):
        Early(nn.ReLU())
    with pytest.raises(
        NotImplementedError, match='Module \\[Module\\] is missing the required "forward" function'
    ):
        nn.Module()(1)


def test_repr_is_pytorchs(torch):
    def examples(library):
        layers = library.nn
        yield layers.Sequential(
            layers.Linear(2, 3), layers.ReLU(), layers.Sequential(layers.Dropout(0.25), layers.Tanh())
        )
        yield layers.ModuleList([layers.Linear(2, 2), layers.Linear(2, 2), layers.Sigmoid()])
        yield layers.ModuleList()
        yield layers.Sequential()
        yield from (layers.ReLU(inplace=True), layers.LeakyReLU(0.2), layers.ELU(2.0, inplace=True))
        yield from (layers.GELU(), layers.GELU("tanh"), layers.Softmax(1), layers.LogSoftmax(dim=0))
        yield from (layers.Softplus(2, 10), layers.Softplus(), layers.Flatten(), layers.Identity())
        yield from (layers.SiLU(), layers.Linear(1, 2, bias=False), layers.Dropout())
        yield from (layers.MSELoss(), layers.CrossEntropyLoss(), layers.BCELoss())

    for ours, theirs in zip(examples(fastgrad), examples(torch), strict=True):
        assert repr(ours) == repr(theirs)
    assert repr(Net()) == repr(twin(torch))


def test_state_dict_goes_through_and_keeps_identity():
    net, other = Net(), Net()
    saved = net.state_dict()
    assert list(saved) == ["scale", "mean", "first.weight", "first.bias", "rest.1.weight"]
    assert not any(value.requires_grad for value in saved.values())
    assert saved["scale"].data_ptr() == net.scale.data_ptr()
    assert next(iter(net.state_dict(prefix="net."))) == "net.scale"
    assert net.state_dict(keep_vars=True)["scale"] is net.scale
    weight = other.first.weight
    assert repr(other.load_state_dict(saved)) == "<All keys matched successfully>"
    assert other.first.weight is weight
    assert bool((weight == net.first.weight).all())
    assert weight.requires_grad


def test_loading_loosely_reports_and_assigning_replaces():
    net = Net()
    report = net.load_state_dict({"scale": fastgrad.zeros(2), "extra": fastgrad.zeros(1)}, strict=False)
    assert report.missing_keys == ["mean", "first.weight", "first.bias", "rest.1.weight"]
    assert report.unexpected_keys == ["extra"]
    assert net.scale.sum().item() == 0
    state = {name: value.double() for name, value in Net().state_dict().items()}
    net.load_state_dict(state, assign=True)
    assert net.first.weight.dtype is fastgrad.float64
    assert net.first.weight.data_ptr() == state["first.weight"].data_ptr()
    assert isinstance(net.first.weight, nn.Parameter)
    assert net.first.weight.requires_grad


def test_extra_state_is_saved_and_asked_for():
    class Counting(nn.Module):
        count = 0

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    module, other = Counting(), nn.Sequential(Counting())
    module.count = 5
    assert dict(module.state_dict()) == {"_extra_state": {"count": 5}}
    other.load_state_dict(nn.Sequential(module).state_dict())
    assert other[0].count == 5
    with pytest.raises(RuntimeError, match='Missing key\\(s\\) in state_dict: "_extra_state"'):
        module.load_state_dict({})


def test_train_eval_apply_and_freezing():
    net = Net()
    seen = []
    assert net.apply(lambda module: seen.append(type(module).__name__)) is net
    assert seen == ["Linear", "ReLU", "Linear", "Sequential", "Net"]
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    assert all(module.training for module in net.train().modules())
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())


def test_zero_grad_drops_or_fills():
    net = Net()
    net(fastgrad.ones(1, 3)).sum().backward()
    gradient = net.scale.grad
    net.zero_grad(set_to_none=False)
    assert net.scale.grad.data_ptr() == gradient.data_ptr()
    assert gradient.abs().sum().item() == 0
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_conversions_keep_the_parameters():
    net = Net()
    weight = net.first.weight
    net(fastgrad.ones(1, 3)).sum().backward()
    assert net.double() is net
    assert net.first.weight is weight
    assert weight.dtype is fastgrad.float64
    assert weight.grad.dtype is fastgrad.float64
    assert net.mean.dtype is fastgrad.float64
    assert (
        net.float().to(dtype=fastgrad.float64).to(fastgrad.float32).to("cpu").mean.dtype is fastgrad.float32
    )
    counter = nn.Module()
    counter.register_buffer("n", fastgrad.tensor(3))
    assert counter.double().n.dtype is fastgrad.int64


def test_copies_and_pickles_are_independent():
    net = Net()
    net.link = net.first  # one module under two names stays one module
    for made in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert made.link is made.first
        assert made.first is not net.first
        assert list(made.state_dict()) == list(net.state_dict())
        assert bool((made.first.weight == net.first.weight).all())
        assert isinstance(made.scale, nn.Parameter)
        made.first.weight.data.zero_()
        assert net.first.weight.abs().sum().item() > 0
        assert [name for name, _ in made.named_parameters()] == NAMES


def test_a_module_is_freed_without_the_garbage_collector():
    import gc
    import weakref

    gc.disable()
    try:
        net = Net()
        watched = weakref.ref(net.first.weight)
        del net
        assert watched() is None
    finally:
        gc.enable()
