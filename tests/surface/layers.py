"""Layers, activations, losses, initialisers and tools of `nn`."""

from tests.surface.samples import Family

layers = Family("nn")
LINES = {
    "relu relu6 selu silu mish softsign tanhshrink logsigmoid hardsigmoid hardswish tanh sigmoid gelu": "x",
    "elu celu": "x, 1.3", "leaky_relu": "x, 0.2", "softplus": "x, 2.0, 1.0", "hardtanh": "x, -0.5, 0.7",
    "hardshrink softshrink": "x, 0.4", "threshold": "x, 0.1, 20.0", "softmax log_softmax softmin": "x, 1", "glu": "c",
    "prelu": "x, v", "rrelu": "x, 0.1, 0.3", "linear": "x, q, v", "bilinear": "x, y, c[:, :, :3][:, :3, :]",
    "dropout alpha_dropout": "x, 0.5, False", "layer_norm rms_norm": "x, (3,)", "group_norm": "c, 3",
    "cosine_similarity pairwise_distance": "x, y", "mse_loss l1_loss huber_loss smooth_l1_loss": "x, y",
    "cross_entropy": "x, r[:2]", "nll_loss": "x, r[:2]", "binary_cross_entropy": "p, o.to(p.dtype)",
    "binary_cross_entropy_with_logits": "x, p", "poisson_nll_loss": "x, p", "gaussian_nll_loss": "x, y, p",
    "hinge_embedding_loss soft_margin_loss": "x, y.sign()", "margin_ranking_loss": "x, y, w.sign()",
    "multilabel_soft_margin_loss": "x, p", "multi_margin_loss": "x, r[:2]", "triplet_margin_loss": "x, y, w",
    "cosine_embedding_loss": "x, y, v[:2].sign()", "embedding": "g, q",
}  # fmt: skip
for names, arguments in LINES.items():
    for name in names.split():
        layers.show(f"nn.functional.{name}", f"t.nn.functional.{name}({arguments})")
layers.show("nn.functional.normalize", *[f"t.nn.functional.normalize({given})" for given in (
    "x", "x, out=t.empty(0)", "x, 1.0, 0", "c, dim=2", "x, float('inf')", "x * 0", "x, eps=2.0", "v",
    "v, dim=0", "i")])  # fmt: skip
layers.show("nn.functional.gumbel_softmax", *[f"t.nn.functional.gumbel_softmax({given})" for given in (
    "x", "x, 0.5", "c, 2.0, False, 1e-10, 1", "x, hard=True", "x, hard=True, dim=0")])  # fmt: skip
PADS = {
    "constant": ("x, (1, 2)", "x, (1, 2, 0, 1), 'constant', 0.5", "c, (0, 1, 2, 0, 1, 1)", "x, (-1, 1)",
                 "x, (-1, -1), value=3", "i, (1, 1)", "x, (1,)", "x, (1, 1, 1, 1, 1, 1)",
                 "x, (-3, -3)", "b, (1, 0), value=True", "x, (0, 0)"),
    **dict.fromkeys(("reflect", "replicate", "circular"), (
        "x, (1, 2)", "c, (2, 1)", "c, (1, 1, 1, 0)", "x, (4, 0)", "v, (1, 1)", "x, (1, 1), value=2.0", "x, (-1, 1)",
        "x, (0, 0)")),
    "nonsense": ("x, (1, 1)",),
}  # fmt: skip
for mode, samples in PADS.items():
    squared = samples if mode == "constant" else ["{0} * {0},{1}".format(*sample.split(",", 1)) for sample in samples]
    given = [s if "constant" in s else s.replace(")", f"), '{mode}'", 1) for s in squared]
    layers.show(f"nn.functional.pad ({mode})", *[f"t.nn.functional.pad({sample})" for sample in given])
MODULES = {
    "ReLU ReLU6 SELU SiLU Mish Softsign Tanhshrink LogSigmoid Hardsigmoid Hardswish Tanh Sigmoid GELU Identity": ("", "x"),
    "ELU CELU LeakyReLU Hardshrink Softshrink": ("0.4", "x"), "Softplus": ("2.0, 1.0", "x"), "Threshold": ("0.1, 20.0", "x"),
    "Hardtanh": ("-0.5, 0.7", "x"), "Softmax LogSoftmax Softmin": ("1", "x"), "GLU": ("", "c"), "PReLU": ("", "x"),
    "Flatten": ("", "c"), "Unflatten": ("1, (3, 1)", "x"), "BatchNorm1d": ("3, affine=False", "c"),
    "LayerNorm RMSNorm": ("3", "x"),
    "GroupNorm": ("3, 3", "c"), "MSELoss L1Loss SmoothL1Loss HuberLoss": ("", "x, y"),
    "CrossEntropyLoss NLLLoss MultiMarginLoss": ("", "x, r[:2]"),
    "BCELoss": ("", "p, o.to(p.dtype)"), "BCEWithLogitsLoss PoissonNLLLoss MultiLabelSoftMarginLoss": ("", "x, p"),
    "GaussianNLLLoss": ("", "x, y, p"), "HingeEmbeddingLoss SoftMarginLoss": ("", "x, y.sign()"),
    "MarginRankingLoss": ("", "x, y, w.sign()"), "TripletMarginLoss TripletMarginWithDistanceLoss": ("", "x, y, w"),
    "CosineEmbeddingLoss": ("", "x, y, v[:2].sign()"), "CosineSimilarity PairwiseDistance": ("", "x, y"),
    "KLDivLoss": ("reduction='batchmean'", "x, p"), "MultiLabelMarginLoss": ("", "x, g"),
}  # fmt: skip
for names, (made, arguments) in MODULES.items():
    for name in names.split():
        layers.show(f"nn.{name}", f"t.nn.{name}({made})({arguments})")

FAMILIES = [layers]
