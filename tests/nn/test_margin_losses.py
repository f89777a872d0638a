"""Losses that are likelihoods or have a margin, and distances: values, gradients of two orders, names, errors of PyTorch."""

import warnings

import numpy as np
import pytest

import fastgrad
from fastgrad import nn
from fastgrad.autograd import gradcheck, gradgradcheck

RNG = np.random.default_rng(0)
X, Y, P = RNG.standard_normal((5, 4)), RNG.standard_normal((5, 4)), RNG.random((5, 4))
SIGNS, ROW_SIGNS, WEIGHT = np.sign(RNG.standard_normal((5, 4))), np.sign(RNG.standard_normal(5)), RNG.random(4)
CLASSES = RNG.integers(0, 4, 5)
LABELS = np.array([[1, 2, -1, 0], [-1, 0, 0, 0], [3, 2, 1, 0], [0, -1, -1, -1], [2, 3, -1, 1]])

# name: (make(nn, reduction, tensor of an array), inputs, how many of them are differentiated)
LOSSES = {
    "KLDivLoss": (lambda n, r, t: n.KLDivLoss(reduction=r), [X, P], 2),
    "KLDivLoss of logarithms": (lambda n, r, t: n.KLDivLoss(reduction=r, log_target=True), [X, np.log(P)], 2),
    "PoissonNLLLoss": (lambda n, r, t: n.PoissonNLLLoss(reduction=r), [X, P], 2),
    "PoissonNLLLoss of counts": (lambda n, r, t: n.PoissonNLLLoss(False, reduction=r), [P, P * 3], 2),
    "PoissonNLLLoss full": (lambda n, r, t: n.PoissonNLLLoss(full=True, reduction=r), [X, P * 4], 1),
    "GaussianNLLLoss": (lambda n, r, t: n.GaussianNLLLoss(reduction=r), [X, Y, P], 3),
    "GaussianNLLLoss of rows": (lambda n, r, t: n.GaussianNLLLoss(full=True, reduction=r, eps=0.5), [X, Y, P[:, 0]], 2),
    "HingeEmbeddingLoss": (lambda n, r, t: n.HingeEmbeddingLoss(0.7, reduction=r), [X, SIGNS], 1),
    "SoftMarginLoss": (lambda n, r, t: n.SoftMarginLoss(reduction=r), [X, SIGNS], 1),
    "MarginRankingLoss": (lambda n, r, t: n.MarginRankingLoss(0.3, reduction=r), [X, Y, SIGNS], 2),
    "CosineEmbeddingLoss": (lambda n, r, t: n.CosineEmbeddingLoss(0.1, reduction=r), [X, Y, ROW_SIGNS], 2),
    "MultiLabelSoftMarginLoss": (lambda n, r, t: n.MultiLabelSoftMarginLoss(reduction=r), [X, P], 2),
    "MultiLabelSoftMarginLoss weighted": (lambda n, r, t: n.MultiLabelSoftMarginLoss(t(WEIGHT), reduction=r), [X, P], 2),
    "MultiLabelMarginLoss": (lambda n, r, t: n.MultiLabelMarginLoss(reduction=r), [X, LABELS], 1),
    "MultiMarginLoss": (lambda n, r, t: n.MultiMarginLoss(reduction=r), [X, CLASSES], 1),
    "MultiMarginLoss squared": (lambda n, r, t: n.MultiMarginLoss(2, 0.8, t(WEIGHT), reduction=r), [X, CLASSES], 1),
    "TripletMarginLoss": (lambda n, r, t: n.TripletMarginLoss(reduction=r), [X, Y, P], 3),
    "TripletMarginLoss swapped": (lambda n, r, t: n.TripletMarginLoss(swap=True, reduction=r), [X, Y, P], 3),
    "TripletMarginLoss cubed": (lambda n, r, t: n.TripletMarginLoss(p=3, reduction=r), [X, Y, P], 3),
    "TripletMarginWithDistanceLoss": (
        lambda n, r, t: n.TripletMarginWithDistanceLoss(reduction=r, distance_function=n.CosineSimilarity()), [X, Y, P], 3,
    ),
    "HuberLoss": (lambda n, r, t: n.HuberLoss(r, 0.6), [X, Y], 2),
}  # fmt: skip
DISTANCES = {
    "PairwiseDistance": (lambda n, r, t: n.PairwiseDistance(), [X, Y], 2),
    "PairwiseDistance to one": (lambda n, r, t: n.PairwiseDistance(), [X, Y[0]], 2),
    "PairwiseDistance p 3": (lambda n, r, t: n.PairwiseDistance(3, keepdim=True), [X, Y], 2),
    "CosineSimilarity": (lambda n, r, t: n.CosineSimilarity(), [X, Y], 2),
    "CosineSimilarity along 0": (lambda n, r, t: n.CosineSimilarity(0), [X.reshape(5, 2, 2), Y.reshape(5, 2, 2)], 2),
    "CosineSimilarity to one": (lambda n, r, t: n.CosineSimilarity(), [X, Y[:1]], 2),
}
RUNS = [(name, r) for name in LOSSES for r in ("mean", "sum", "none")] + [(name, "none") for name in DISTANCES]
# PyTorch: no second derivative; or two operations, where fastgrad has one.
NO_SECOND = ("MultiMarginLoss", "MultiLabelMarginLoss")


def prepared(library, name, reduction, dtype):
    make, arrays, count = (LOSSES | DISTANCES)[name]
    convert = lambda a: library.from_numpy(np.array(a, dtype if a.dtype.kind == "f" else a.dtype))
    inputs = [convert(a) for a in arrays]
    for leaf in inputs[:count]:
        leaf.requires_grad_()
    return make(library.nn, reduction, convert), inputs, inputs[:count]


def outcome(library, name, reduction, dtype):
    loss, inputs, leaves = prepared(library, name, reduction, dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y = loss(*inputs)
    weight = library.from_numpy(np.cos(np.arange(y.numel())).astype(dtype)).reshape(y.shape)
    first = library.autograd.grad((y * weight).sum(), leaves, retain_graph=True)
    if name.startswith(NO_SECOND):
        return repr(loss), y, first, []
    graph = library.autograd.grad((y * weight).sum(), leaves, create_graph=True)
    total = sum((g * g * g).sum() for g in graph)
    second = library.autograd.grad(total, leaves, allow_unused=True) if total.requires_grad else []
    return repr(loss), y, [*first, *graph], [0.0 if g is None else g.detach().numpy(force=True) for g in second]


@pytest.mark.parametrize(("name", "reduction"), RUNS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_as_pytorch(torch, name, reduction, dtype):
    (text, y, first, second), (wanted, ty, tfirst, tsecond) = (outcome(t, name, reduction, dtype) for t in (fastgrad, torch))
    assert text == wanted
    assert str(y.dtype) == str(ty.dtype)
    assert tuple(y.shape) == tuple(ty.shape)
    near = 200 * np.finfo(dtype).eps
    for got, want in zip([y, *first], [ty, *tfirst], strict=True):
        got, want = got.detach().numpy(), want.detach().numpy()
        np.testing.assert_allclose(got, want, rtol=near, atol=near * max(1, np.abs(want).max()))
    for got, want in zip(second, tsecond):
        np.testing.assert_allclose(got, want, rtol=0, atol=10 * near * max(1, np.abs(want).max()))


@pytest.mark.parametrize("name", LOSSES | DISTANCES)
def test_gradients_are_differences(name):
    loss, inputs, leaves = prepared(fastgrad, name, "mean", "float64")
    call = lambda *given: loss(*given, *inputs[len(leaves) :])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert gradcheck(call, leaves)
        assert gradgradcheck(call, leaves)


def test_long_batches_give_the_same_bits_for_any_number_of_threads():
    x = fastgrad.from_numpy(np.random.default_rng(1).standard_normal((20_000, 7)).astype("f4"))
    target, before, results = (
        fastgrad.from_numpy(np.random.default_rng(2).integers(0, 7, 20_000)),
        fastgrad.get_num_threads(),
        set(),
    )
    try:
        for threads in (1, 2, 5):
            fastgrad.set_num_threads(threads)
            leaf = x.clone().requires_grad_()
            loss = (
                nn.MultiMarginLoss()(leaf, target)
                + nn.PoissonNLLLoss()(leaf, x.abs())
                + nn.CosineSimilarity()(leaf, x).sum()
            )
            loss.backward()
            results.add(loss.detach().numpy().tobytes() + leaf.grad.numpy().tobytes())
    finally:
        fastgrad.set_num_threads(before)
    assert len(results) == 1


def _ones(t, *shape):
    return t.ones(*shape)


MISTAKES = {
    "no class": lambda t, f: f.multi_margin_loss(_ones(t, 3, 4), t.tensor([0, 1, 4])),
    "too few classes": lambda t, f: f.multi_margin_loss(_ones(t, 3, 4), t.tensor([0, 1])),
    "float classes": lambda t, f: f.multi_margin_loss(_ones(t, 3, 4), _ones(t, 3)),
    "p 3": lambda t, f: f.multi_margin_loss(_ones(t, 3, 4), t.tensor([0, 1, 2]), p=3),
    "too few weights": lambda t, f: f.multi_margin_loss(_ones(t, 3, 4), t.tensor([0, 1, 2]), weight=_ones(t, 3)),
    "scores of three dimensions": lambda t, f: f.multi_margin_loss(_ones(t, 1, 3, 4), t.tensor([0])),
    "integer scores": lambda t, f: f.multi_margin_loss(_ones(t, 3, 4).long(), t.tensor([0, 1, 2])),
    "no label": lambda t, f: f.multilabel_margin_loss(_ones(t, 1, 3), t.tensor([[0, 3, -1]])),
    "labels below -1": lambda t, f: f.multilabel_margin_loss(_ones(t, 1, 3), t.tensor([[0, -2, -1]])),
    "too few labels": lambda t, f: f.multilabel_margin_loss(_ones(t, 2, 3), t.tensor([[0, 1, -1]])),
    "float labels": lambda t, f: f.multilabel_margin_loss(_ones(t, 1, 3), _ones(t, 1, 3)),
    "pairs that do not fit": lambda t, f: f.soft_margin_loss(_ones(t, 3, 4), _ones(t, 2, 4)),
    "ranks of other dimensions": lambda t, f: f.margin_ranking_loss(_ones(t, 3, 4), _ones(t, 3, 4), _ones(t, 4)),
    "cosines with a matrix of targets": lambda t, f: f.cosine_embedding_loss(*[_ones(t, 3, 4)] * 3),
    "cosines of a vector": lambda t, f: f.cosine_embedding_loss(_ones(t, 3, 4), _ones(t, 4), _ones(t, 3)),
    "triplets of other dimensions": lambda t, f: f.triplet_margin_loss(_ones(t, 3, 4), _ones(t, 3, 4), _ones(t, 4)),
    "triplets without a margin": lambda t, f: f.triplet_margin_loss(*[_ones(t, 3, 4)] * 3, margin=0),
    "no such reduction": lambda t, f: f.poisson_nll_loss(_ones(t, 2), _ones(t, 2), reduction="abc"),
    "no such reduction of labels": lambda t, f: f.multilabel_soft_margin_loss(_ones(t, 2), _ones(t, 2), reduction="abc"),
    "a negative variance": lambda t, f: f.gaussian_nll_loss(_ones(t, 2), _ones(t, 2), -_ones(t, 2)),
    "variances that do not fit": lambda t, f: f.gaussian_nll_loss(_ones(t, 3, 4), _ones(t, 3, 4), _ones(t, 2, 4)),
    "weights of another size": lambda t, f: f.huber_loss(_ones(t, 3), _ones(t, 3), weight=_ones(t, 2)),
    "cosine of integers": lambda t, f: f.cosine_similarity(_ones(t, 2, 2).long(), _ones(t, 2, 2).long()),
    "cosine along 3": lambda t, f: f.cosine_similarity(_ones(t, 2, 2), _ones(t, 2, 2), dim=3),
    "distance of other sizes": lambda t, f: f.pairwise_distance(_ones(t, 2, 2), _ones(t, 2, 3)),
    "delta of letters": lambda t, f: t.nn.HuberLoss(delta="a"),
    "a module without a margin": lambda t, f: t.nn.TripletMarginLoss(margin=0),
    "a module with p 3": lambda t, f: t.nn.MultiMarginLoss(p=3),
    "a module with a matrix of weights": lambda t, f: t.nn.MultiMarginLoss(weight=_ones(t, 2, 2)),
    "soft margins of signs with gradients": lambda t, f: f.soft_margin_loss(_ones(t, 2), _ones(t, 2).requires_grad_()),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_raise_what_pytorch_raises(torch, mistake):
    errors = []
    for library in (fastgrad, torch):
        with pytest.raises(Exception) as raised:
            MISTAKES[mistake](library, library.nn.functional)
        errors.append((raised.type, str(raised.value)))
    assert errors[0] == errors[1]


def test_a_divergence_warns_of_the_mean(torch):
    for library in (fastgrad, torch):
        with pytest.warns(UserWarning, match="reduction: 'mean' divides the total loss by both"):
            library.nn.functional.kl_div(library.zeros(2), library.ones(2))
