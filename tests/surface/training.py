"""Optimizers, schedulers, data and distributions. Their tests go deeper; here every name does its usual work once."""

from tests.surface.samples import Family

optimizers = Family("optimizers")
for kind in "SGD Adam AdamW RMSprop Adagrad Adadelta Adamax NAdam RAdam".split():
    start = "t.ones(3, requires_grad=True)"
    steps = "[w.__setattr__('grad', x[0].detach()), [o.step() for _ in range(3)]]"
    optimizers.show(
        f"optim.{kind}",
        f"(lambda w: (lambda o: ({steps}, w.detach())[1])(t.optim.{kind}([w], lr=0.1)))({start})",
        f"(lambda w: (lambda o: ({steps}, w.detach())[1])(t.optim.{kind}([w], lr=t.tensor(0.1), weight_decay=1)))({start})",
        f"str(t.optim.{kind}([x.detach()]))",
        f"sorted(t.optim.{kind}([x.detach()]).state_dict()['param_groups'][0])",
        f"t.optim.{kind}([x.detach()], lr=-1.0)",
        f"t.optim.{kind}([])",
        f"(lambda w: (lambda o: ({steps}, w.detach())[1])(t.optim.{kind}([w, w])))({start})",
        f"t.optim.{kind}(x)",
        f"t.optim.{kind}([x])",
    )
optimizers.show(
    "optim.LBFGS",
    "(lambda w: (t.optim.LBFGS([w], max_iter=5).step(lambda: [w.__setattr__('grad', None), ((w - x[0].detach()) ** 2).sum(),"
    " ((w - x[0].detach()) ** 2).sum().backward()][1]), w.detach())[1])(t.ones(3, requires_grad=True))",
    "str(t.optim.LBFGS([x.detach()]))",
    "t.optim.LBFGS([x.detach()]).step()",
)

schedulers = Family("schedulers")
SCHEDULERS = {
    "LambdaLR": "lambda e: 0.9 ** e", "MultiplicativeLR": "lambda e: 0.9", "StepLR": "2", "MultiStepLR": "[1, 3]",
    "ConstantLR": "0.5, 2", "LinearLR": "0.5, total_iters=3", "ExponentialLR": "0.9", "PolynomialLR": "6, 2.0",
    "CosineAnnealingLR": "4", "CosineAnnealingWarmRestarts": "2, 2", "CyclicLR": "0.1, 1.0, 2",
    "OneCycleLR": "1.0, total_steps=8",
}  # fmt: skip
for kind, arguments in SCHEDULERS.items():
    name = f"optim.lr_scheduler.{kind}"
    schedulers.show(
        name,
        f"(lambda o: (lambda s: [(o.step(), s.step(), s.get_last_lr()[0])[2] for _ in range(5)])(t.{name}(o, {arguments})))"
        "(t.optim.SGD([x.detach()], lr=0.5, momentum=0.9))",
        f"t.{name}(3, {arguments})",
    )
schedulers.show(
    "optim.lr_scheduler.ReduceLROnPlateau",
    "(lambda o: (lambda s: [(s.step(1.0), s.get_last_lr()[0])[1] for _ in range(6)])"
    "(t.optim.lr_scheduler.ReduceLROnPlateau(o, patience=1)))(t.optim.SGD([x.detach()], lr=0.5))",
)
for kind in ("ChainedScheduler([{0}, {0}])", "SequentialLR(o, [{0}, {0}], [2])"):
    schedulers.show(
        f"optim.lr_scheduler.{kind.partition('(')[0]}",
        "(lambda o: (lambda s: [(o.step(), s.step(), s.get_last_lr()[0])[2] for _ in range(5)])"
        f"(t.optim.lr_scheduler.{kind.format('t.optim.lr_scheduler.ExponentialLR(o, 0.9)')}))"
        "(t.optim.SGD([x.detach()], lr=0.5))",
    )

loading = Family("data")
whole = "t.utils.data.TensorDataset(t.arange(7), t.arange(7.0))"
DATA = {
    "TensorDataset": (f"{whole}[2]", f"len({whole})", "t.utils.data.TensorDataset(t.ones(2), t.ones(3))"),
    "Subset": (f"t.utils.data.Subset({whole}, [3, 1])[0]",),
    "ConcatDataset": (f"t.utils.data.ConcatDataset([{whole}, {whole}])[9]", "t.utils.data.ConcatDataset([])"),
    "StackDataset": ("t.utils.data.StackDataset([1, 2], [3, 4])[1]",),
    "ChainDataset": ("len(t.utils.data.ChainDataset([]))",),
    "IterableDataset": ("(t.utils.data.ChainDataset([]) + t.utils.data.ChainDataset([])).datasets.__len__()",),
    "Dataset": ("t.utils.data.Dataset()[0]",),
    "random_split": ("[list(p) for p in t.utils.data.random_split(range(9), [0.5, 0.5])]",),
    "Sampler": ("isinstance(t.utils.data.SequentialSampler([1]), t.utils.data.Sampler)",),
    "SequentialSampler": ("list(t.utils.data.SequentialSampler([5, 6]))",),
    "RandomSampler": (
        "list(t.utils.data.RandomSampler(range(9)))",
        "list(t.utils.data.RandomSampler(range(9), True, 40))",
        "t.utils.data.RandomSampler([])",
    ),
    "SubsetRandomSampler": ("list(t.utils.data.SubsetRandomSampler([5, 6, 7]))",),
    "WeightedRandomSampler": ("list(t.utils.data.WeightedRandomSampler([0.1, 0.9, 0.5], 9))",),
    "BatchSampler": ("list(t.utils.data.BatchSampler(range(5), 2, True))", "t.utils.data.BatchSampler(range(5), 0, True)"),
    "default_collate": ("t.utils.data.default_collate([(1, 0.5, x), (2, 1.5, y)])", "t.utils.data.default_collate([{1}])"),
    "default_convert": ("t.utils.data.default_convert([np.ones(2), 'a'])",),
    "get_worker_info": ("t.utils.data.get_worker_info()",),
    "DataLoader": (
        f"list(t.utils.data.DataLoader({whole}, 3))",
        f"list(t.utils.data.DataLoader({whole}, 3, shuffle=True, drop_last=True))",
        f"list(t.utils.data.DataLoader({whole}, 3, shuffle=True, num_workers=1))",
        f"list(t.utils.data.DataLoader({whole}, None))",
        f"t.utils.data.DataLoader({whole}, prefetch_factor=3)",
    ),
}
for name, samples in DATA.items():
    loading.show(f"utils.data.{name}", *samples)

probabilities = Family("distributions")
others = {"Normal": "y, w.exp()", "Uniform": "x - 1, x + 2 * y.exp()", "Bernoulli": "p * p", "Categorical": "p * p"}
KINDS = {"Normal": "x, y.exp()", "Uniform": "x, x + y.exp()", "Bernoulli": "p", "Categorical": "p"}
for kind, arguments in KINDS.items():
    d = f"t.distributions.{kind}({arguments})"
    other = f"t.distributions.{kind}({others[kind]})"
    value = "p.round()" if kind == "Bernoulli" else "r[:2]" if kind == "Categorical" else "x + 0.5 * y.exp()"
    probabilities.show(
        f"distributions.{kind}",
        f"{d}.sample((2,))", f"{d}.log_prob({value})", f"{d}.entropy()", f"{d}.mean", f"{d}.variance", f"{d}.stddev",
        f"{d}.mode", f"{d}.rsample((2,))", f"{d}.cdf({value})", f"{d}.icdf(p)",
        f"{d}.expand((2, *{d}.batch_shape)).entropy()",
        f"{d}.batch_shape", f"{d}.event_shape", f"t.distributions.kl_divergence({d}, {other})",
    )  # fmt: skip

FAMILIES = [optimizers, schedulers, loading, probabilities]
