"""Modules with parameters, containers, what every Module has, initialisers and tools."""

from tests.surface.samples import Family

modules = Family("nn: modules")
used = "(lambda m, *a: (m(*a), [p for p in m.parameters()], str(m)))"  # result, drawn parameters, text
MODULES = {
    "Linear": ("3, 2", "3, 2, False", "3, 4, dtype=t.float64", "4, 2", "0, 2", "3, -1"),
    "LazyLinear": ("2", "2, bias=False"),
    "Embedding": ("3, 2", "3, 2, padding_idx=0", "3, 2, max_norm=0.5", "3, 2, 7"),
    "BatchNorm1d": ("3", "3, affine=False", "3, 1e-3, 0.5", "3, track_running_stats=False", "3, momentum=None", "4"),
    "LayerNorm": ("3", "(2, 3)", "3, bias=False", "3, 1e-3, False", "4"),
    "RMSNorm": ("3", "3, 1e-3", "(2, 3)", "3, elementwise_affine=False", "4"),
    "GroupNorm": ("3, 3", "1, 3", "1, 3, affine=False", "2, 3"),
    "PReLU": ("", "3, 0.1"), "RReLU": ("", "0.2, 0.4", "0.5, 0.1"), "Identity": ("", "54, anything=3"),
    "Dropout": ("", "0.2", "0.0", "1.0", "1.5"), "AlphaDropout": ("", "0.2", "-1.0"), "FeatureAlphaDropout": ("", "0.2"),
}  # fmt: skip
for name, samples in MODULES.items():
    given = "h[:1] % 3" if name == "Embedding" else "c" if name in ("BatchNorm1d", "GroupNorm") else "x"
    made = [f"t.nn.{name}({sample})" for sample in samples]
    modules.show(
        f"nn.{name}", *[f"{used}({m}, {given})" for m in made], f"{made[0]}.eval()({given})",
        f"{'list' * (name == 'LazyLinear')}({made[0]}.state_dict())",
        f"[n for n, _ in {made[0]}.named_parameters()], [n for n, _ in {made[0]}.named_buffers()]", f"{made[0]}.training",
        f"{made[0]}('text')", f"{made[0]}()", f"t.nn.{name}(nonsense=1)" if name != "Identity" else "t.nn.Identity()()",
    )  # fmt: skip
modules.show("nn.Dropout1d", "t.nn.Dropout1d(0.3)(c)", "t.nn.Dropout1d(0.3)(v)", "t.nn.Dropout1d(2)")
modules.show("nn.Bilinear", f"{used}(t.nn.Bilinear(3, 3, 2), x, y)", f"{used}(t.nn.Bilinear(3, 3, 2, False), x, y)",
             "t.nn.Bilinear(3, 2, 2)(x, y)", "t.nn.Bilinear(0, 2, 2)")  # fmt: skip
modules.show("nn.BatchNorm1d buffers", "(lambda m: ([m(z) for z in (c, c * c, c + 2)], m.running_mean, m.running_var, "
             "m.num_batches_tracked, m.eval()(c)))(t.nn.BatchNorm1d(3))")  # fmt: skip
NET = "t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.Linear(4, 2))"
modules.show("nn.Sequential", f"{used}({NET}, x)", f"len({NET})", f"{NET}[0]", f"str({NET}[1:])", f"{NET}[7]",
    f"{NET}[-1].bias",
    f"(lambda m: (m.append(t.nn.ReLU()), m.pop(1), m.insert(0, t.nn.Identity()), str(m)))({NET})",
    f"str({NET} + {NET})", f"(lambda m: (m.__delitem__(1), str(m)))({NET})", "t.nn.Sequential(3)", f"str({NET} * 2)",
    "str(t.nn.Sequential(__import__('collections').OrderedDict(a=t.nn.ReLU(), b=t.nn.Tanh())))")  # fmt: skip
LIST, DICT = "t.nn.ModuleList([t.nn.Linear(3, 2), t.nn.ReLU()])", "t.nn.ModuleDict(dict(a=t.nn.Linear(3, 2), b=t.nn.ReLU()))"
modules.show("nn.ModuleList", *[f"(lambda m: {then})({LIST})" for then in (
    "str(m)", "len(m)", "m[0](x)", "m[5]", "m[-1]", "str(m[:1])", "(m.append(t.nn.Tanh()), m.extend([t.nn.ELU()]), str(m))",
    "(m.insert(0, t.nn.Tanh()), m.pop(1), list(m.state_dict()))[1:]", "m.append(3)", "m(x)",
    "str(m + [t.nn.Tanh()])")])  # fmt: skip
modules.show("nn.ModuleDict", *[f"(lambda m: {then})({DICT})" for then in (
    "str(m)", "len(m)", "m['a'](x)", "m['c']", "'a' in m", "list(m)", "list(m.keys())", "list(m.state_dict())", "m(x)",
    "(m.update({'c': t.nn.Tanh()}), m.pop('a'), str(m))", "m.update(3)", "(m.clear(), len(m))",
    "m.update([('q', 3)])")])  # fmt: skip
modules.show("nn.ParameterList", *[f"(lambda m: {then})(t.nn.ParameterList([t.ones(2), t.zeros(3)]))" for then in (
    "str(m)", "len(m)", "m[1]", "m[4]", "(m.append(t.ones(1)), list(m.state_dict()))", "str(m[:1])", "m(x)",
    "[p.requires_grad for p in m]", "(m.extend([t.ones(1)]), m.pop(), len(m))")])  # fmt: skip
modules.show("nn.ParameterDict", *[f"(lambda m: {then})(t.nn.ParameterDict(dict(a=t.ones(2))))" for then in (
    "str(m)", "m['a']", "m['b']", "list(m)", "(m.update({'c': t.ones(1)}), list(m.state_dict()))", "m(x)")])  # fmt: skip
modules.show("nn.Parameter", "t.nn.Parameter(t.ones(2))", "repr(t.nn.Parameter(t.ones(2)))", "t.nn.Parameter(i)",
    "t.nn.Parameter(t.ones(2), False).requires_grad", "t.nn.Parameter(t.ones(2)).is_leaf", "t.nn.Parameter()",
    "t.nn.Parameter(x.detach()) + x", "isinstance(t.nn.Parameter(t.ones(1)), t.Tensor)",
    "t.nn.Parameter([1.0])")  # fmt: skip

SET = "(lambda m: (m.__setattr__('b', t.nn.Buffer({})), {}))(t.nn.Linear(2, 2))[1]"
modules.show("nn.Buffer", *[SET.format(given, then) for given, then in (
    ("t.ones(2)", "list(m.state_dict())"), ("t.ones(2), persistent=False", "list(m.state_dict())"), ("t.ones(2)", "m.b + 1"),
    ("t.ones(2)", "isinstance(m.b, t.nn.Buffer)"), ("t.ones(2)", "m.double().b"), ("t.ones(2)", "list(m.named_buffers())"),
    ("t.ones(2)", "(m.__setattr__('b', t.zeros(3)), m.state_dict()['b'])"),
    ("t.ones(2)", "__import__('copy').deepcopy(m).b"),
    ("t.ones(2)", "m.b.requires_grad"), ("t.ones(2)", "m.__setattr__('b', 3)"))])  # fmt: skip
METHODS = {
    "parameters": ("list(m.parameters())", "list(m[0].parameters(recurse=False))"),
    "named_parameters": ("[n for n, _ in m.named_parameters()]", "[n for n, _ in m.named_parameters(prefix='p')]"),
    "buffers": ("list(m.buffers())",), "named_buffers": ("[n for n, _ in m.named_buffers()]",),
    "modules": ("[type(k).__name__ for k in m.modules()]",), "named_modules": ("[n for n, _ in m.named_modules()]",),
    "children": ("[type(k).__name__ for k in m.children()]",), "named_children": ("[n for n, _ in m.named_children()]",),
    "apply": ("m.apply(lambda k: k.weight.data.fill_(0.5) if hasattr(k, 'weight') else None)(x)",),
    "state_dict": ("m.state_dict()", "list(m.state_dict(prefix='p.'))", "list(m.state_dict(keep_vars=True).values())"),
    "load_state_dict": (
        "(m.load_state_dict({k: v * 0 + 0.1 for k, v in m.state_dict().items()}), m(x))[1]", "m.load_state_dict({})",
        "str(m.load_state_dict({}, strict=False))", "m.load_state_dict({'0.weight': t.ones(1)}, strict=False)",
        "m.load_state_dict(3)", "str(m.load_state_dict(m.state_dict()))",
        "m.load_state_dict({**m.state_dict(), 'more': t.ones(1)})",
    ),
    "extra_repr": ("m[0].extra_repr()", "m.extra_repr()"), "train": ("m.train().training", "m.train('x')"),
    "eval": ("[k.training for k in m.eval().modules()]",),
    "to": ("m.to(t.float64)(x.double())", "m.to(t.int64)", "m.to('cpu')(x)"),
    "double": ("m.double()(x.double())",), "float": ("m.double().float()(x)",), "cpu": ("m.cpu()(x)",),
    "type": ("m.type(t.float64)(x.double())",),
    "zero_grad": ("(m(x).sum().backward(), m.zero_grad(), m[0].weight.grad)[2]",
        "(m(x).sum().backward(), m.zero_grad(set_to_none=False), m[0].weight.grad)[2]"),
    "requires_grad_": ("m.requires_grad_(False)(x)", "[p.requires_grad for p in m.requires_grad_(False).parameters()]"),
    "add_module": ("(m.add_module('last', t.nn.ReLU()), str(m))", "m.add_module('a.b', t.nn.ReLU())",
        "m.add_module('', None)", "m.add_module('q', 3)", "m.add_module('training', t.nn.ReLU())"),
    "register_module": ("(m.register_module('last', t.nn.ReLU()), str(m))",),
    "register_parameter": ("(m.register_parameter('w', t.nn.Parameter(t.ones(2))), list(m.state_dict()))",
        "m.register_parameter('w', t.ones(2))", "m.register_parameter('a.b', None)", "m.register_parameter(3, None)"),
    "register_buffer": ("(m.register_buffer('w', t.ones(2)), list(m.state_dict()), m.w)",
        "(m.register_buffer('w', t.ones(2), persistent=False), list(m.state_dict()))", "m.register_buffer('w', 3)",
        "m.register_buffer('a.b', None)"),
    "get_submodule": ("m.get_submodule('0')", "m.get_submodule('7')"),
    "get_parameter": ("m.get_parameter('0.weight')", "m.get_parameter('0.x')"),
    "get_buffer": ("m.get_buffer('0.x')",), "set_submodule": ("(m.set_submodule('1', t.nn.ReLU()), str(m))",),
    "register_forward_hook": ("(m.register_forward_hook(lambda k, i, o: o * 2), m(x))[1]",
        "(lambda h: (h.remove(), m(x)))(m.register_forward_hook(lambda k, i, o: o * 2))[1]",
        "(m.register_forward_hook(lambda k, a, b, o: o * 2, with_kwargs=True), m(x))[1]"),
    "register_forward_pre_hook": ("(m.register_forward_pre_hook(lambda k, i: (i[0] * 2,)), m(x))[1]",),
    "register_full_backward_hook": ("(m.register_full_backward_hook(lambda k, i, o: (i[0] * 2,)), m(x))[1]",),
    "register_full_backward_pre_hook": ("(m.register_full_backward_pre_hook(lambda k, o: (o[0] * 2,)), m(x))[1]",),
    "register_state_dict_pre_hook": (
        "(m.register_state_dict_pre_hook(lambda k, p, v: k.zero_grad()), list(m.state_dict()))[1]",
    ),
    "register_load_state_dict_post_hook": (
        "(m.register_load_state_dict_post_hook(lambda k, j: j.missing_keys.clear()), str(m.load_state_dict({})))[1]",
    ),
    "forward": ("m.forward(x)", "t.nn.Module()(x)", "m(v[:2])", "m(i)"), "attributes": ("m.nothing", "m.__setattr__('0', 3)",
        "(m.__delattr__('0'), str(m))", "m[0].weight.requires_grad",
        "m[0].__setattr__('weight', 3)"),
}  # fmt: skip
for name, samples in METHODS.items():
    modules.show(f"nn.Module.{name}", *[f"(lambda m: {sample})({NET})" for sample in samples])
# What second derivatives leave out would be None here: the biases get zeros.
modules.show(
    "gradient penalty",
    *["(lambda m: t.autograd.grad((t.autograd.grad(m(x).sum(), x, create_graph=True)[0] ** 2).sum(), list(m.parameters()), "
      f"allow_unused=True))(t.nn.Sequential(t.nn.Linear(3, 4), t.nn.{kind}(), t.nn.Linear(4, 1)))"
      for kind in ("ReLU", "LeakyReLU", "Tanh", "Hardtanh", "Softplus", "GELU")],
)  # fmt: skip

starts = Family("nn.init")
INITS = {
    "uniform_": ("", "-0.5, 0.5"), "normal_": ("", "1.0, 0.5"), "trunc_normal_": ("", "0.0, 1.0, -0.5, 0.5"),
    "constant_": ("0.3",), "ones_": ("",), "zeros_": ("",), "eye_": ("",), "dirac_": ("",), "xavier_uniform_": ("", "2.0"),
    "xavier_normal_": ("", "2.0"), "kaiming_uniform_": ("", "0.2, 'fan_out'", "mode='nonsense'", "nonlinearity='relu'"),
    "kaiming_normal_": ("", "0.2, 'fan_out'", "0, 'fan_in', 'tanh'"), "orthogonal_": ("", "2.0"),
    "sparse_": ("0.5", "0.5, 0.2"),
}  # fmt: skip
for name, options in INITS.items():
    starts.show(f"nn.init.{name}", *[f"t.nn.init.{name}(t.empty({size}){', ' * bool(given)}{given})"
                                     for given in options for size in ("4, 3", "3, 4", "5", "2, 3, 3")])  # fmt: skip
kinds = ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu", "conv1d", "nonsense")
starts.show("nn.init.calculate_gain", *[f"t.nn.init.calculate_gain('{kind}')" for kind in kinds],
            "t.nn.init.calculate_gain('leaky_relu', 0.3)", "t.nn.init.calculate_gain('leaky_relu', 'a')")  # fmt: skip

tools = Family("nn.utils")
withgrad = f"(lambda m: (m(x).pow(2).sum().backward(), {{}}, [p.grad for p in m.parameters()]))({NET})"
tools.show("nn.utils.clip_grad_norm_", *[withgrad.format(f"t.nn.utils.clip_grad_norm_({a})") for a in (
    "m.parameters(), 0.5", "m.parameters(), 1e9", "m.parameters(), 0.5, 1.0", "m.parameters(), 0.5, float('inf')",
    "m[0].weight, 0.1", "[], 1.0", "m.parameters(), 'a'")])  # fmt: skip
tools.show("nn.utils.clip_grad_value_", *[withgrad.format(f"t.nn.utils.clip_grad_value_({a})") for a in (
    "m.parameters(), 0.01", "m[0].weight, 0.1")])  # fmt: skip
tools.show("nn.utils.get_total_norm", "t.nn.utils.get_total_norm([x, y])", "t.nn.utils.get_total_norm([x, y], 1.0)")
tools.show("nn.utils.clip_grads_with_norm_",
           withgrad.format("t.nn.utils.clip_grads_with_norm_(m.parameters(), 0.5, t.tensor(2.0))"))  # fmt: skip
tools.show("nn.utils.parameters_to_vector", f"t.nn.utils.parameters_to_vector({NET}.parameters())",
           "t.nn.utils.parameters_to_vector([x, v])", "t.nn.utils.parameters_to_vector([])")  # fmt: skip
tools.show("nn.utils.vector_to_parameters",
           f"(lambda m: (t.nn.utils.vector_to_parameters(t.arange(26.0), m.parameters()), m.state_dict()))({NET})",
           f"t.nn.utils.vector_to_parameters([1.0], {NET}.parameters())")  # fmt: skip

FAMILIES = [modules, starts, tools]
