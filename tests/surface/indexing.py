"""Reading and writing by place."""

from tests.surface.samples import Family

indexing = Family("indexing")
indexing.show(
    "reading", "x[0]", "x[:, 1]", "x[0, 2]", "x[-1, ::2]", "x[None]", "x[..., 0]", "x[b]", "x[[0, 1], [2, 0]]",
        "x[g, 1]", "x[r]",
    "x[:, r]", "c[r, :, r]", "c[:, [0, 2]]", "x[b[:, 0]]", "x[True]", "x[t.tensor(1)]", "x[5]", "x[[0, 7]]", "x[1:0]",
        "c[..., r, 1]",
    "c[0][None, r]", "x[np.array([0, 1])]", "x[range(2)]", "x[(0, 1)]", "x[g.bool()]", "c[:, b[0]]",
)  # fmt: skip
SET = "(lambda z: (z.__setitem__({}), z)[1])({})"
indexing.show(
    "writing", *[SET.format(*pair) for pair in (
        ("0, 1.0", "x"), ("(slice(None), 1), y[:, 0]", "x"), ("b, 0.0", "x"), ("b, v", "x"), ("(r, r), u",
            "q"), ("r, y[0]", "q"),
        ("(0, 0), 5", "i"), ("0, 'a'", "x"), ("slice(1, None), s", "x"), ("(slice(None), r), y", "x"), ("..., y",
            "x"), ("b, x[b] * 2", "y"),
        ("0, v[:2]", "x"), ("0, 1.5", "i"), ("0, y[0] > 0", "b"))],
)  # fmt: skip
indexing.call("gather", "x, 1, g", "x, 0, g", "c, 2, g[:, :, None]", "x, 1, g[:1]", "i, 1, g", "x, 1, i", "x, 1, x")
indexing.call("scatter", "x, 1, g, y", "x, 0, g, y", "x, 1, g[:, :1], 2.5", "x, 1, g, y, reduce='add'",
    "x, 1, g[:, :1], 2.0, reduce='multiply'",
              "x, 1, i, y", "i, 1, g, h", "x, 1, g, i")  # fmt: skip
indexing.call("scatter_add", "x, 1, g, y", "x, 0, g, y", "c, 1, g[:, :, None], k[:, :3, :1]", "i, 1, g, h", "x, 1, i, y")
indexing.call("index_select", "x, 1, r", "x, 0, r", "x, 1, x", "x, 1, i[0]", "c, 2, r")
indexing.call("index_add", "q, 0, r, q", "q, 1, r, q, alpha=0.5", "x, 1, r, x", "i, 1, r, h", "x, 0, r, y", "c, 1, r, c")
indexing.call("index_copy", "x, 1, t.tensor([0, 2]), y[:, :2]", "q, 0, t.tensor([2]), q[:1]")
indexing.call("index_fill", "x, 1, t.tensor([0, 2]), 0.5", "i, 0, t.tensor([1]), 7", "x, 1, r, s")
indexing.call("index_put", "x, (g[0], r), v", "x, (b,), s", "x, (t.tensor([0, 0]), t.tensor([1, 1])), v[:2], True")
indexing.call("masked_fill", "x, b, 0.5", "x, b, s", "i, b, 7", "x, b[0], 1", "x, i, 1", "x, b, v", "i, b, 1.5",
    "b, o, True")
indexing.call("masked_select", "x, b", "x, b[0]", "i, b", "x, i")
indexing.call("masked_scatter", "x, b, y", "x, b[0], y", "x, b, y[:1, :2]")
indexing.call("take", "x, g", "x, t.tensor([0, 5, -1])", "x, t.tensor([7])", "i, r")
indexing.call("take_along_dim", "x, g, 1", "x, g", "c, g[:, :, None], dim=1", "x, g[:1], 1", "x, i, 1")
indexing.call("nonzero", "x", "b", "i - 3", "s", "b, as_tuple=True", "e")
indexing.show("one_hot", "t.nn.functional.one_hot(g)", "t.nn.functional.one_hot(g, 4)", "t.nn.functional.one_hot(g, 1)",
              "t.nn.functional.one_hot(x)", "t.nn.functional.one_hot(g, num_classes=3)")  # fmt: skip

FAMILIES = [indexing]
