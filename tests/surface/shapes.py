"""Shape: views, and the copies that some shapes need."""

from tests.surface.samples import Family

shape = Family("shape")
shape.call("view", "x, 3, 2", "x, -1", "x, (6,)", "x.t(), 6", "x, 4", "x, t.int32")
shape.call("reshape", "x, (3, 2)", "x, (-1,)", "x.t(), (6,)", "x, (5,)", "c, (2, -1)")
shape.show("Tensor.reshape", "x.reshape(3, 2)", "x.reshape(-1)", "x.reshape_as(m[:2, :3])", "x.view_as(y)")
shape.call("t", "x", "v", "s", "c")
shape.show("T mT H", "x.T", "x.mT", "c.mT", "v.mT", "x.H", "c.T")
shape.call("transpose", "x, 0, 1", "c, 0, -1", "c, 0, 3")
shape.call("swapaxes", "c, 0, 1")
shape.call("swapdims", "c, 0, 2")
shape.call("adjoint", "x", "c")
shape.call("permute", "c, (2, 0, 1)", "c, (0, 1)", "c, (0, 0, 1)")
shape.call("movedim", "c, 0, 2", "c, (0, 1), (1, 2)", "c, 0, 5", "c, (0, 0), (1, 2)")
shape.call("moveaxis", "c, 2, 0")
shape.call("squeeze", "x[None]", "x[None], 0", "x, 0", "x[None, :, None], (0, 2)", "x, 4")
shape.call("unsqueeze", "x, 0", "x, -1", "x, 4")
shape.show("Tensor.expand", "v.expand(2, 3)", "v.expand(2, -1)", "v.expand_as(x)", "x.expand(3, 3)", "s.expand(2)")
shape.show("Tensor.repeat", "x.repeat(2, 3)", "v.repeat(2, 2)", "x.repeat(2)", "s.repeat(3)", "x.repeat((1, 2))",
    "x.repeat(0, 1)")
shape.call("repeat_interleave", "x, 2", "x, 2, 0", "x, h[0], 1", "v, r + 1", "x, 2, dim=1", "h[0]")
shape.call("tile", "x, (2, 1)", "x, (2,)", "v, (2, 2)")
shape.call("flatten", "c", "c, 1", "c, 0, 1", "s", "c, 2, 1")
shape.call("unflatten", "m, 1, (2, 2)", "m, -1, (2, -1)", "m, 0, (2, 2)")
shape.call("ravel", "x", "x.t()", "s")
for name in ("cat", "concat", "concatenate"):
    shape.call(name, "[x, y]", "[x, y], 1", "[x, i]", "[x, y], dim=-1", "[x, m]", "[]")
shape.show("cat with out", "t.cat([x.detach(), y.detach()], out=t.empty(0))",
    "t.stack([x.detach(), y.detach()], out=t.empty(0))")
shape.call("stack", "[x, y]", "[x, y], 1", "[x, i], -1", "[x, v]")
for name in ("hstack", "vstack", "dstack", "column_stack", "row_stack"):
    shape.call(name, "[x, y]", "[v, u]", "[s, s]", "[x, v]")
shape.call("split", "m, 2, 1", "m, [1, 3], 1", "m, 2", "m, [1, 1], 1", "m, 0")
shape.call("chunk", "m, 2, 1", "m, 2", "m, 5, 1", "m, 0")
shape.call("tensor_split", "m, 3, 1", "m, (1, 3), 1", "m, 2")
shape.call("hsplit", "m, 2")
shape.call("vsplit", "m, 3")
shape.call("unbind", "x", "x, 1", "s")
shape.call("flip", "x, (0,)", "c, (0, 2)", "x, (0, 0)", "x, [1]")
shape.call("fliplr", "x", "v")
shape.call("flipud", "x")
shape.call("roll", "x, 1", "x, 1, 0", "c, (1, -2), (0, 2)", "x, (1, 1), 0")
for name in ("tril", "triu"):
    shape.call(name, "q", "q, 1", "m, -1", "c", "i", "v", "b")
shape.call("diag", "q", "v", "m, 1", "q, -1", "v, 1", "c")
shape.call("diagonal", "q", "m, 1", "c, 0, 1, 2", "c, offset=-1, dim1=0, dim2=2")
shape.call("diagflat", "v", "x")
shape.call("diag_embed", "x", "v, 1")
shape.call("meshgrid", "v, u, indexing='ij'", "v, u, indexing='xy'", "v, m[0]", "[v, u]", "x, v")
shape.call("broadcast_to", "v, (2, 3)", "v, (2, 2)", "s, (2,)")
shape.call("broadcast_tensors", "x, v", "x, u[:2]")
shape.show("Tensor.unfold", "v.unfold(0, 2, 1)", "c.unfold(2, 2, 2)", "c.unfold(1, 5, 1)", "m.unfold(-1, 3, 1)")
shape.call("narrow", "x, 1, 0, 2", "x, 1, -2, 2", "x, 1, 2, 2")
shape.call("select", "x, 1, 0", "x, 0, -1", "x, 1, 3")
shape.call("atleast_1d", "s", "x")
shape.call("atleast_2d", "s", "v")
shape.call("atleast_3d", "v", "x")
shape.call("clone", "x", "x.t()", "x[:, ::2]", "v.expand(2, 3)", "c.permute(2, 0, 1)")
shape.show("contiguous", "x.t().contiguous()", "x.contiguous()", "x.is_contiguous()", "x.t().is_contiguous()")
shape.call("numel", "x", "e")
shape.show("as_strided", "x.as_strided((2, 2), (1, 2))", "t.as_strided(x, (3,), (2,), 1)")
shape.show(
    "layout kept", "x.t() + 1", "x.t() * y.t()", "x.t().exp()", "c.permute(2, 0, 1) + 1", "t.zeros_like(x.t())",
    "t.ones_like(c.permute(1, 2, 0))", "x.t().double()", "x.t() > 0", "i.t() + 1", "x.t().clamp(0, 1)",
)  # fmt: skip

shape.show("no dimensions", "s.narrow(0, 0, 1)", "s.select(0, 0)", "s[0]", "s.split(1)", "s.chunk(1)", "s.unbind()",
           "list(s)", "s.t()", "t.cat([s, s])", "s.gather(0, t.tensor(0))", "s.gather(0, t.tensor([0]))", "s.flip(0)",
           "s.unfold(0, 1, 1)", "s.index_select(0, t.tensor([0]))",
           "s.narrow(3, 0, 1)", "s.roll(1)", "s.sort()", "s.cumsum(0)")  # fmt: skip

FAMILIES = [shape]
