"""Making tensors, random numbers, conversion, and how tensors look from outside."""

from tests.surface.samples import Family

creation = Family("creation")
creation.show("tensor", "t.tensor([1, 2])", "t.tensor(1.5)", "t.tensor([[True]])", "t.tensor([1.5], dtype=t.int32)",
    "t.tensor([[1], [2, 3]])",
              "t.tensor([1e40])", "t.tensor([])", "t.tensor((1, 2.5))", "t.tensor(np.ones(2))",
                  "t.tensor([1], requires_grad=True)")  # fmt: skip
creation.show("as_tensor", "t.as_tensor([1.0, 2.0])", "t.as_tensor(x)", "t.as_tensor(np.arange(3))",
    "t.as_tensor([1], dtype=t.float64)")
creation.show("asarray", "t.asarray([1.0, 2.0])", "t.asarray(np.arange(3), dtype=t.float32)", "t.asarray(i, copy=True)")
creation.show("from_numpy", "t.from_numpy(np.arange(3))", "t.from_numpy([1])")
for name in ("zeros", "ones", "empty"):
    creation.show(name, f"t.{name}(2, 3)", f"t.{name}((2,))", f"t.{name}(2, dtype=t.int64)", f"t.{name}(size=(1, 2))",
        f"t.{name}(-1)",
                  f"t.{name}(2, 3, out=t.empty(1))", f"t.{name}_like(i)", f"t.{name}_like(x, dtype=t.float64)",
                      f"t.{name}(2, 3).shape",
                  f"x.new_{name}(2, 2)", f"x.new_{name}((3,), dtype=t.int64)",
                      f"t.{name}_like(v, requires_grad=True)")  # fmt: skip
creation.show("full", "t.full((2,), 7)", "t.full((2, 2), 0.5)", "t.full((2,), True)",
    "t.full((2,), 1, dtype=t.float64)", "t.full_like(x, 3)",
              "x.new_full((2,), 1.5)", "t.full((2,), 1e40)", "t.full((2,), 3.0, out=t.empty(2))")  # fmt: skip
creation.show("eye", "t.eye(3)", "t.eye(2, 3)", "t.eye(2, dtype=t.int64)", "t.eye(-1)", "t.eye(2, out=t.empty(0))")
creation.show("arange", "t.arange(5)", "t.arange(1, 6, 2)", "t.arange(0, 1, 0.25)", "t.arange(3.0)",
    "t.arange(5, 0, -2)", "t.arange(1, 0)",
              "t.arange(3, dtype=t.float64)", "t.arange(0, 3, out=t.empty(0))")  # fmt: skip
creation.show("range", "t.range(0, 3)", "t.range(0, 1, 0.5)")
creation.show("linspace", "t.linspace(0, 1, 5)", "t.linspace(-2, 3, 1)", "t.linspace(0, 10, 4, dtype=t.int64)",
    "t.linspace(0, 1, 0)",
              "t.linspace(0, 1, -1)", "t.linspace(0, 1, 5, dtype=t.float64)", "t.linspace(t.tensor(0.0), t.tensor(2.0), 3)",
              "t.linspace(0, 1, 5, out=t.empty(0))")  # fmt: skip
creation.show("logspace", "t.logspace(0, 2, 5)", "t.logspace(-1, 1, 3, base=2)", "t.logspace(0, 3, 4, dtype=t.float64)",
    "t.logspace(0, 1, 1)",
              "t.logspace(0, 1, -1)", "t.logspace(0, 1, 3, out=t.empty(0))")  # fmt: skip
creation.show("scalar_tensor", "t.scalar_tensor(2)", "t.scalar_tensor(2.5, dtype=t.float64)")
creation.show("tril_indices", "t.tril_indices(3, 3)", "t.tril_indices(3, 4, 1)", "t.triu_indices(3, 3)",
    "t.triu_indices(4, 3, -1)")
creation.show("new_tensor", "x.new_tensor([1, 2])", "i.new_tensor([1.5])", "x.new_tensor([1], dtype=t.int64)")
for kind in ("Float", "Double", "Long", "Int", "Short", "Char", "Byte", "Bool"):
    creation.show(f"{kind}Tensor", f"t.{kind}Tensor([1, 0, 1])", f"t.{kind}Tensor(2, 3).shape", f"t.{kind}Tensor().shape")
creation.show(
    "numbers that are large", "t.tensor(10**20)", "t.tensor([10**20])", "t.tensor(10**20, dtype=t.float32)",
    "t.tensor([10**20], dtype=t.float32)", "t.tensor(10**20, dtype=t.float64)", "t.tensor(10**20, dtype=t.bool)",
    "t.tensor(10**400, dtype=t.float32)", "t.tensor(2**31, dtype=t.int32)", "x.__setitem__(0, 1j)",
)  # fmt: skip
creation.show("fresh numbers are no change in place", *[f"{made}._version" for made in (
    "t.rand(2, requires_grad=True)", "t.randn(2)", "t.randint(3, (2,))", "t.rand_like(x)", "t.normal(0.0, 1.0, (2,))",
    "t.randperm(3)", "t.zeros(2)", "t.empty(2).uniform_()")])  # fmt: skip
creation.show("sizes of NumPy", "t.zeros(np.int64(2))", "t.nn.Linear(np.int64(3), np.int32(2))(x)", "x.view(np.int64(6))",
              "t.nn.LayerNorm(np.int64(3))(x)", "t.nn.Linear(2.5, 3)", "t.nn.Linear(None, 3)")  # fmt: skip
creation.show("Tensor", "t.Tensor([1, 2])", "t.Tensor(2, 3).shape", "t.Tensor(1.5)")

formats = Family("memory formats and devices")
for name in ("contiguous_format", "preserve_format"):
    formats.show(name, f"str(t.{name})", f"x.clone(memory_format=t.{name})", f"x.t().clone(memory_format=t.{name})",
        f"x.to(t.float64, memory_format=t.{name})", f"x.contiguous(memory_format=t.{name})",
        f"x.double(memory_format=t.{name})",
        *[f"t.{kind}_like(x.t(), memory_format=t.{name})" for kind in ("zeros", "ones")],
        f"t.empty_like(x.t(), memory_format=t.{name}).stride()", f"t.full_like(x.t(), 2, memory_format=t.{name})",
        f"isinstance(t.{name}, t.memory_format)")  # fmt: skip
formats.show("is_contiguous", "x.is_contiguous(memory_format=t.contiguous_format)", "x.t().is_contiguous()")
formats.show("cuda", "x.cuda()", "x.to('cuda')", "x.to(device='cuda:0')", "t.zeros(2, device='cuda')",
             "t.nn.Linear(2, 2).cuda()", "t.nn.Linear(2, 2).to('cuda')", "t.tensor([1.0], device=t.device('cuda'))",
             "t.cuda.is_available()", "x.to('nonsense')",
             "x.to(dtyp=t.float64)", "x.to('cpu', non_blocking=True, copy=True)")  # fmt: skip

randoms = Family("random numbers")
randoms.show("rand", "t.rand(2, 3)", "t.rand((20,))", "t.rand_like(x)", "t.rand(3, dtype=t.float64)",
    "t.rand(2, out=t.empty(2))")
randoms.show("randn", "t.randn(2, 3)", "t.randn((20,))", "t.randn_like(x)", "t.randn(3, dtype=t.float64)")
randoms.show("randint", "t.randint(10, (5,))", "t.randint(2, 10, (5,))", "t.randint_like(x, 7)", "t.randint(3, 3, (1,))")
randoms.show("randperm", "t.randperm(10)", "t.randperm(3, dtype=t.int32)", "t.randperm(-1)")
randoms.show("normal", "t.normal(0.0, 1.0, (3,))", "t.normal(x, 0.5)", "t.normal(x, p)", "t.normal(1.0, p)",
    "t.normal(0.0, -1.0, (2,))")
randoms.show("bernoulli", "t.bernoulli(p)", "p.bernoulli()", "t.bernoulli(x)", "x.clone().bernoulli_(0.3)",
    "t.bernoulli(p, 0.5)")
randoms.show("multinomial", "t.multinomial(p, 2)", "t.multinomial(p[0], 5, replacement=True)", "p.multinomial(2)",
    "t.multinomial(p, 4)",
             "t.multinomial(x, 2)", "t.multinomial(t.ones(20), 8)", "t.multinomial(p, 3, True)",
                 "t.multinomial(i, 1)")  # fmt: skip
randoms.show("filling", "x.uniform_(0, 1)", "x.normal_(1, 2)", "x.random_(5)", "i.random_(0, 9)", "x.exponential_()",
    "x.exponential_(2.0)",
             "x.geometric_(0.3)", "x.log_normal_()", "x.cauchy_()")  # fmt: skip
randoms.show("Generator", "t.rand(3, generator=t.Generator().manual_seed(1))", "t.Generator().manual_seed(3).initial_seed()",
             "t.default_generator.initial_seed()", "t.initial_seed()",
                 "(t.set_rng_state(t.get_rng_state()), t.rand(2))[1]")  # fmt: skip

conversion = Family("conversion")
conversion.show("to", "x.to(t.float64)", "i.to(x)", "x.to('cpu')", "x.to(t.int64)", "x.to('cpu', t.float64)",
    "x.to(dtype=t.int32)", "x.to(3.5)")
for name in ("float", "double", "long", "int", "short", "char", "byte", "bool"):
    conversion.show(name, f"x.{name}()", f"i.{name}()", f"b.{name}()")
conversion.show("type", "x.type()", "i.type()", "x.type(t.int64)", "x.type('torch.DoubleTensor')", "b.type()",
    "x.type('a')", "x.type_as(i)",
                "i.type_as(x)")  # fmt: skip
conversion.show("Tensor.cpu", "x.cpu()")
conversion.show("item", "s.item()", "x.item()", "t.tensor(3).item()", "t.tensor([[True]]).item()")
conversion.show("tolist", "x.tolist()", "i.tolist()", "b.tolist()", "s.tolist()", "e.tolist()")
conversion.show("numpy", "x.detach().numpy()", "x.numpy()", "i.numpy()", "x.numpy(force=True)")
conversion.show("__array__", "np.asarray(i)", "np.asarray(x.detach(), dtype=np.float64)", "np.asarray(x)",
    "np.sin(x.detach())", "np.array([i])")
conversion.show("DLPack", "t.from_dlpack(x.detach())", "t.from_dlpack(np.arange(3.0))", "np.from_dlpack(x.detach())",
    "np.from_dlpack(i)",
                "x.__dlpack__()", "x.detach().__dlpack_device__()[1]", "t.from_dlpack(x.detach().t())",
                    "t.from_dlpack(i.__dlpack__())")  # fmt: skip
conversion.show("numbers", "float(s)", "int(s)", "bool(s)", "bool(x)", "float(x)", "complex(s)",
    "[1, 2, 3][t.tensor(1)]", "x in [1]", "0.5 in x",
                "len(x)", "len(s)", "list(v)", "round(s)", "round(c[0, 0], 1)", "hash(x) == hash(x)")  # fmt: skip
conversion.show("text", "str(x)", "repr(i)", "f'{s:.2f}'", "f'{s}'", "f'{x}'", "f'{t.tensor(3):>5}'", "repr(n)",
    "str(e)", "repr(x.detach())",
                "f'{x:.2f}'", "format(s.detach(), '.3e')", "'%.3f' % s", "repr(b)", "str(t.tensor(1e-8))",
                    "f'{s.detach()}'")  # fmt: skip
conversion.show(
    "copies", *[f"__import__('copy').{copy}({x})" for copy in ("copy", "deepcopy") for x in ("x.detach()", "i", "x",
        "x.t().detach()")],
    "__import__('pickle').loads(__import__('pickle').dumps(x.detach()))",
        "__import__('pickle').loads(__import__('pickle').dumps(i.t()))",
    "__import__('copy').deepcopy(t.Generator().manual_seed(5)).initial_seed()",
    "t.rand(2, generator=__import__('pickle').loads(__import__('pickle').dumps(t.Generator().manual_seed(5))))",
)  # fmt: skip

geometry = Family("attributes")
geometry.show(
    "attributes", "x.shape", "x.size()", "x.size(1)", "x.size(-1)", "x.size(5)", "x.dim()", "x.ndim", "x.ndimension()",
        "x.numel()", "x.nelement()",
    "x.stride()", "x.t().stride(0)", "x.dtype", "str(x.device)", "x.element_size()", "i.itemsize", "x.nbytes",
        "x.storage_offset()", "x[1].storage_offset()",
    "x.is_contiguous()", "x.is_floating_point()", "i.is_complex()", "a.is_signed()", "x.is_leaf", "x.requires_grad",
        "x.grad_fn is None", "x.grad",
    "x.detach()", "x.data", "x.data.requires_grad", "x.retain_grad()", "x.is_cuda", "x.get_device()", "str(x.layout)",
        "x.is_cpu", "x.is_sparse",
    "x.is_set_to(x)", "x.is_shared()", "x.is_pinned()", "x.is_inference()", "x.sum_to_size(1, 3)", "x._version",
        "x.output_nr", "x.names",
)  # fmt: skip
geometry.show(
    "in place", "x.zero_()", "x.fill_(2.5)", "x.fill_(s)", "x.fill_(v)", "x.fill_(1e40)", "i.fill_(2.5)", "x.copy_(y)",
        "x.copy_(i)", "i.copy_(x)",
    "x.detach_()", "x.requires_grad_()", "x.t_()", "x.transpose_(0, 1)", "x.unsqueeze_(0)", "x.squeeze_()",
        "q.fill_diagonal_(0.0)", "x.resize_(6)",
    "x.detach().resize_(3, 2)", "x.detach().resize_(2)", "x += y", "x.add_(y).mul_(2)", "x.expand(2, 2, 3).add_(1)",
        "x[1:].add_(x[:1])",
    "(lambda z: z[1:].add_(z[:-1]))(v)", "(lambda z: z[:, 1:].copy_(z[:, :-1]))(x)", "(lambda z: z.t().add_(z))(q)",
        "v.copy_(x)", "i.add_(1.5)",
    "v.add_(x)", "x.set_(y)", "x.apply_(lambda z: z + 1)", "x.detach().apply_(lambda z: z + 1)",
)  # fmt: skip
for name in ("is_tensor", "is_floating_point", "is_nonzero", "numel"):
    geometry.show(name, f"t.{name}(x)", f"t.{name}(s)", f"t.{name}(1)")
geometry.show("result_type", "t.result_type(i, 1.0)", "t.can_cast(t.float64, t.int32)",
    "t.promote_types(t.uint8, t.int8)", "t.typename(x)",
              "t.get_default_dtype()", "t.finfo(t.float32).eps", "t.iinfo(t.int8).max",
                  "t.broadcast_shapes((2, 1), (3,))")  # fmt: skip

FAMILIES = [creation, formats, randoms, conversion, geometry]
