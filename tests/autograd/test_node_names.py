"""Nodes carry PyTorch's names, number included."""

import pytest

import fastgrad
from tests.autograd.outcome import node_name

NAMES = {
    "AddBackward0": ["x + x", "x + 1", "1 + x", "x.add(x, alpha=2)"],
    "SubBackward0": ["x - x", "x - 1", "x.sub(x, alpha=2)"],
    "RsubBackward1": ["1 - x", "torch.rsub(x, 1)"],
    "MulBackward0": ["x * x", "x * 2", "2 / x", "torch.outer(v, v)", "F.dropout(x)"],
    "DivBackward0": ["x / x", "x / 2"],
    "NegBackward0": ["-x"],
    "PowBackward0": ["x**2", "x**2.5", "x.square()"],
    "PowBackward1": ["x**x"],
    "PowBackward2": ["2**x"],
    "ExpBackward0": ["x.exp()"],
    "LogBackward0": ["x.log()"],
    "SqrtBackward0": ["x.sqrt()"],
    "ReciprocalBackward0": ["x.reciprocal()"],
    "AbsBackward0": ["x.abs()"],
    "SignBackward0": ["x.sign()"],
    "ClampBackward0": ["torch.clamp(x, v, v * 3)"],
    "ClampBackward1": ["x.clamp(0, 1)", "x.clamp(min=0)"],
    "ClampMinBackward0": ["x.clamp_min(0)"],
    "ClampMaxBackward0": ["x.clamp_max(1)"],
    "MaximumBackward0": ["torch.maximum(x, x)"],
    "MinimumBackward0": ["torch.minimum(x, x)"],
    "WhereBackward0": ["torch.where(x > 1, x, x)"],
    "SumBackward0": ["x.sum()"],
    "SumBackward1": ["x.sum(0)", "x.sum((0, 1))", "x.sum(1, True)"],
    "MeanBackward0": ["x.mean()"],
    "MeanBackward1": ["x.mean(0)", "x.mean((0, 1))"],
    "MaxBackward0": ["x.max(0).values"],
    "MaxBackward1": ["x.max()"],
    "MinBackward0": ["x.min(0).values"],
    "MinBackward1": ["x.min()"],
    "ViewBackward0": ["x.view(4)", "x.reshape(4)", "x.flatten()", "F.linear(x[None], x, v)"],
    "UnsafeViewBackward0": ["x.t().reshape(4)", "x[None] @ x", "F.linear(x[None], x)"],
    "TBackward0": ["x.t()"],
    "TransposeBackward0": ["x.transpose(0, 1)", "x.mT"],
    "PermuteBackward0": ["x.permute(1, 0)", "x.T"],
    "UnsqueezeBackward0": ["x.unsqueeze(0)", "x[None]"],
    "SqueezeBackward0": ["x.squeeze()"],
    "SqueezeBackward1": ["x.squeeze(0)"],
    "SqueezeBackward2": ["x.squeeze((0, 1))"],
    "ExpandBackward0": ["v.expand(3, 2)", "torch.broadcast_to(v, (3, 2))"],
    "CloneBackward0": ["x.clone()", "x.t().contiguous()"],
    "SelectBackward0": ["x[0]", "x[:, 0]", "x[0, 0]", "x.select(0, 1)"],
    "SliceBackward0": ["x[0:1]", "x[:]", "x.narrow(0, 0, 1)"],
    "AliasBackward0": ["x[...]"],
    "IndexBackward0": ["x[torch.tensor([0, 1])]", "x[x > 1]", "x[[0, 1]]"],
    "IndexSelectBackward0": ["torch.index_select(x, 0, torch.tensor([0]))"],
    "GatherBackward0": ["x.gather(0, torch.tensor([[0, 1]]))"],
    "CatBackward0": ["torch.cat([x, x])"],
    "StackBackward0": ["torch.stack([x, x])"],
    "MmBackward0": ["x @ x", "x.mm(x)", "F.linear(x, x)"],
    "MvBackward0": ["x @ v", "x.mv(v)"],
    "DotBackward0": ["v @ v", "v.dot(v)"],
    "BmmBackward0": ["x[None].bmm(x[None])"],
    "AddmmBackward0": ["torch.addmm(v, x, x)", "torch.addmm(x, x, x)", "F.linear(x, x, v)"],
    "ToCopyBackward0": ["x.double()", "x.to(torch.float64)"],
    "ReluBackward0": ["x.relu()", "F.relu(x)"],
    "SigmoidBackward0": ["x.sigmoid()"],
    "TanhBackward0": ["x.tanh()"],
    "GeluBackward0": ["F.gelu(x)"],
    "SiluBackward0": ["F.silu(x)"],
    "SoftmaxBackward0": ["F.softmax(x, 0)"],
    "LogSoftmaxBackward0": ["F.log_softmax(x, 0)"],
    "MseLossBackward0": ["F.mse_loss(x, x)"],
    "NllLossBackward0": ["F.nll_loss(x, torch.tensor([0, 1]))", "F.cross_entropy(x, torch.tensor([0, 1]))"],
    "BinaryCrossEntropyBackward0": ["F.binary_cross_entropy(x.sigmoid(), torch.ones(2, 2))"],
    "CopySlices": ["changed(x * 1, lambda y: y[0].mul_(2))", "changed(x * 1, lambda y: y[0].zero_())"],
    "AsStridedBackward0": ["changed((x * 1)[0], lambda y: y.mul_(2))"],
    "CopyBackwards": ["changed(x * 1, lambda y: y.copy_(x))"],
    "ZeroBackward0": ["changed(x * 1, lambda y: y.zero_())"],
    "IndexPutBackward0": ["changed(x * 1, lambda y: y.__setitem__(y > 1, 0.0))"],
    None: ["x.detach()", "x.contiguous()", "F.dropout(x, training=False)", "x.argmax()"],
}
CASES = [(text, name) for name, texts in NAMES.items() for text in texts]


def changed(tensor, change):
    change(tensor)
    return tensor


def evaluated(text, torch):
    """The name of the node behind an expression of a matrix x and a vector v."""
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    v = torch.tensor([1.0, 2.0], requires_grad=True)
    return node_name(eval(text, {"torch": torch, "F": torch.nn.functional, "changed": changed, "x": x, "v": v}))


@pytest.mark.parametrize(("text", "name"), CASES, ids=[text for text, _ in CASES])
def test_name(text, name):
    assert evaluated(text, fastgrad) == name


@pytest.mark.parametrize(("text", "name"), CASES, ids=[text for text, _ in CASES])
def test_pytorch_agrees(text, name, torch):
    assert evaluated(text, torch) == name
