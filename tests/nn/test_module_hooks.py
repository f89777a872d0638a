"""Backward hooks and state_dict hooks of modules, and the paths to buffers and children: what PyTorch does, step by step."""

import warnings

import pytest

import fastgrad
from fastgrad import nn
from tests.nn.both import same


def shown(gradients):
    return [None if g is None else g.tolist() for g in gradients]


def example(t):
    """Three times the first input, and with a second one the sum too."""

    class Example(t.nn.Module):
        def forward(self, x, y=None):
            return x * 3 if y is None else (x * 3, x + y)

    return Example()


def test_full_backward_hooks_see_and_replace_gradients(torch):
    def program(t):
        log, module = [], example(t)

        def before(module, outputs):
            log.append(["pre", shown(outputs)])
            return tuple(None if g is None else g * 2 for g in outputs)

        def after(module, inputs, outputs):
            log.append(["full", shown(inputs), shown(outputs)])
            return tuple(None if g is None else g + 1 for g in inputs)

        module.register_full_backward_pre_hook(before)
        handle = module.register_full_backward_hook(after)
        module.register_full_backward_hook(lambda *_: log.append("first"), prepend=True)
        x, y = t.ones(2, requires_grad=True), t.ones(2, requires_grad=True)
        module(x).sum().backward()
        log.append(x.grad.tolist())
        a, b = module(x, y)
        (a + b).sum().backward()
        log.append([x.grad.tolist(), y.grad.tolist()])
        module(t.ones(2))
        handle.remove()
        x.grad = None
        module(x).sum().backward()
        return [*log, x.grad.tolist()]

    same(torch, program)


def test_a_full_backward_hook_without_inputs_to_differentiate(torch):
    def program(t):
        log, layer = [], t.nn.Linear(2, 1)
        layer.register_full_backward_hook(lambda module, inputs, outputs: log.append([shown(inputs), shown(outputs)]))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            layer(t.ones(1, 2)).sum().backward()
        return [log, [str(w.message) for w in caught]]

    same(torch, program)


def test_gradients_that_hooks_may_not_return(torch):
    def program(t, register, made):
        module = example(t)
        getattr(module, register)(lambda *_: made)
        module(t.ones(2, requires_grad=True)).sum().backward()

    same(torch, lambda t: program(t, "register_full_backward_hook", (1, 2, 3)))
    same(torch, lambda t: program(t, "register_full_backward_pre_hook", (1, 2)))


def test_the_old_kind_of_backward_hook(torch):
    def program(t):
        log, layer = [], t.nn.Linear(2, 1)
        layer.register_backward_hook(lambda module, inputs, outputs: log.append(shown(outputs)))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            layer(t.ones(3, 2)).sum().backward()
        log.append([str(w.message) for w in caught])
        layer.register_full_backward_hook(print)
        return log

    same(torch, program)
    seen, layer = [], nn.Linear(2, 1)
    layer.register_backward_hook(lambda *_: seen.append(1))
    x = fastgrad.ones(3, 2, requires_grad=True) * 2
    with pytest.warns(FutureWarning, match="multiple autograd Nodes"):
        y = layer(x)
    y.sum().backward()
    assert seen == [1]


def test_state_dict_hooks(torch):
    def program(t):
        log, net = [], t.nn.Sequential(t.nn.Linear(2, 1))

        def after(module, state, prefix, metadata):
            log.append(["saved", list(state), prefix, dict(metadata)])
            state[prefix + "more"] = 1

        def before(module, state, prefix, metadata, strict, missing, unexpected, errors):
            log.append(["load", type(module).__name__, list(state), prefix, strict])
            state.pop(prefix + "more", None)

        def loaded(module, keys):
            log.append(["loaded", list(keys.missing_keys), list(keys.unexpected_keys)])
            keys.missing_keys.clear()

        net.register_state_dict_pre_hook(lambda module, prefix, keep: log.append(["save", prefix, keep]))
        net[0].register_state_dict_post_hook(after)
        net[0].register_load_state_dict_pre_hook(before)
        net.register_load_state_dict_post_hook(loaded)
        state = net.state_dict()
        log.append(list(state))
        del state["0.bias"]
        return [*log, repr(net.load_state_dict(state))]

    same(torch, program)


def test_hooks_may_not_return_states():
    net = nn.Linear(1, 1)
    handle = net.register_state_dict_post_hook(lambda *_: 1)
    with pytest.raises(RuntimeError, match="must return None"):
        net.state_dict()
    handle.remove()
    net.register_load_state_dict_post_hook(lambda *_: 1)
    with pytest.raises(AssertionError, match="not expected to return new values"):
        net.load_state_dict(net.state_dict())


PATHS = {
    "a buffer": lambda t, net: net.get_buffer("1.running_mean"),
    "no such buffer": lambda t, net: net.get_buffer("1.mean"),
    "a parameter": lambda t, net: net.get_buffer("1.weight"),
    "an empty path": lambda t, net: net.set_submodule("", t.nn.ReLU()),
    "no module": lambda t, net: net.set_submodule("0", 3),
    "a new place": lambda t, net: [net.set_submodule("7", t.nn.ReLU()), repr(net)],
    "a new place, strict": lambda t, net: net.set_submodule("7", t.nn.ReLU(), strict=True),
    "in the place of a parameter": lambda t, net: net.set_submodule("0.weight", t.nn.ReLU()),
    "another": lambda t, net: [net.set_submodule("0", t.nn.ReLU()), repr(net)],
}


@pytest.mark.parametrize("name", PATHS)
def test_paths(torch, name):
    same(torch, lambda t: PATHS[name](t, t.nn.Sequential(t.nn.Linear(1, 1), t.nn.BatchNorm1d(1))))


def test_hooks_of_all_modules_come_before_a_modules_own(torch):
    def program(t):
        log, everywhere = [], t.nn.modules.module
        net = t.nn.Sequential(t.nn.Flatten(), t.nn.ReLU())
        x = t.ones(2, 3, requires_grad=True)

        def name(module):
            return type(module).__name__

        def doubled(module, inputs, outputs):
            log.append(["full", name(module), shown(inputs), shown(outputs)])
            return tuple(g * 2 for g in inputs)

        net[1].register_forward_pre_hook(lambda module, args: log.append(["own pre", name(module)]))
        net[1].register_forward_hook(lambda module, args, made: log.append(["own", made.tolist()]))
        net[1].register_full_backward_hook(lambda module, *_: log.append(["own full", name(module)]))
        handles = [
            everywhere.register_module_forward_pre_hook(lambda module, args: log.append(["pre", name(module)])),
            everywhere.register_module_forward_hook(lambda module, args, made: made + 1),
            everywhere.register_module_forward_hook(
                lambda module, args, kwargs, made: log.append(["keywords", kwargs]), with_kwargs=True, always_call=True
            ),
            everywhere.register_module_full_backward_hook(doubled),
            everywhere.register_module_full_backward_pre_hook(lambda module, outputs: log.append(["before", name(module)])),
        ]
        net(x).sum().backward()
        log.append(x.grad.tolist())
        for handle in handles:
            handle.remove()
        log.append("gone")
        net(x).sum().backward()
        return [*log, x.grad.tolist()]

    same(torch, program)
