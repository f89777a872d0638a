"""Sequential and ModuleList as lists."""

from collections import OrderedDict

from fastgrad import nn


def test_containers_are_lists():
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
    chain = nn.Sequential(a, b)
    assert list(chain) == [a, b]
    assert chain[-1] is b
    assert isinstance(chain[:1], nn.Sequential)
    chain.append(c).insert(0, c)
    assert list(chain) == [c, a, b, c]
    del chain[0]
    assert list(chain) == [a, b, c]
    assert [name for name, _ in chain.named_children()] == ["0", "1", "2"]
    assert chain.pop(1) is b
    chain[0] = b
    assert list(chain + chain) == [b, c, b, c]
    assert list(chain * 2) == [b, c, b, c]
    chain += nn.Sequential(a)
    chain *= 2
    assert list(chain) == [b, c, a, b, c, a]
    held = nn.ModuleList([a])
    held += [b]
    held.extend([c])
    assert list(held) == [a, b, c]
    assert list(held[1:]) == [b, c]
    named = nn.Sequential(OrderedDict(one=nn.Linear(1, 2), two=nn.ReLU()))
    assert list(named.state_dict()) == ["one.weight", "one.bias"]
    assert named.one is named[0]
