"""Products of vectors, matrices and batches."""

from tests.surface.samples import Family

products = Family("products")
products.call("matmul", "x, m", "c, k", "x, v", "v, q", "v, u", "c, q", "i, g.t()", "x, y", "x, 2", "c, k[0]",
    "c[:, None], k")
products.call("mm", "x, m", "x, y", "i, g.t()", "v, x", "x, i.t()")
products.call("mv", "x, v", "x, v[:2]", "i, r")
products.call("bmm", "c, k", "c, c", "x, x")
products.call("dot", "v, u", "r, r", "v, r", "x, y")
products.call("vdot", "v, u")
products.call("inner", "v, u", "x, y", "x, v", "s, x")
products.call("outer", "v, u", "r, r", "x, v")
products.call("ger", "v, u")
products.call("addmm", "x[:, :1], x, m", "v, x, q", "x, x, q, beta=0.5, alpha=2", "g, g, t.eye(3, dtype=t.int64)", "x, x, x")
products.call("addmv", "v[:2], x, v", "s, x, v, beta=2, alpha=0.5", "v, x, v")
products.call("addr", "x, v[:2], u", "x, v[:2], u, beta=0.5, alpha=2")
products.call("baddbmm", "k[:, :3, :], c, k", "s, c, k", "c[:, :, :3], c, k, beta=0.5, alpha=2", "c, c, c")
products.call("addbmm", "q, c, k", "q, c, k, beta=0.5, alpha=2")
products.show(
    "einsum", "t.einsum('ij,jk->ik', x, m)", "t.einsum('ij,kj', x, y)", "t.einsum('i,j->ij', v, u)", "t.einsum('ii->i', q)",
    "t.einsum('ii', q)", "t.einsum('bij,bjk->bik', c, k)", "t.einsum('ij->ji', x)", "t.einsum('ij->', x)",
        "t.einsum('...i,i->...', c[..., :3], v)",
    "t.einsum('bij,jk->bik', c[..., :3], q)", "t.einsum('ij,ij->i', x, y)", "t.einsum('ij,jk', x, y)",
        "t.einsum('i,i,i->', v, u, v)",
    "t.einsum(x, [0, 1], m, [1, 2], [0, 2])", "t.einsum(x, [1, 0])", "t.einsum(q, [..., 0], [...])", "t.einsum(x, [0, 60])",
    "t.einsum('ij', x)", "t.einsum('ij,jk->ik', [x, m])", "t.einsum('i->ii', v)",
        "t.einsum('bn,anm,bm->ba', x[:, :2], c[:, :2, :3], y)",
)  # fmt: skip
products.call("tensordot", "x, m, 1", "c, k, ([2], [1])", "x, y, 2", "c, k, dims=([0, 2], [0, 1])")
products.show(
    "linalg.norm", "t.linalg.norm(x)", "t.linalg.norm(x, 1)", "t.linalg.norm(x, 'fro')", "t.linalg.norm(v, 3)",
        "t.linalg.norm(x, float('inf'))",
    "t.linalg.norm(x, dim=1)", "t.linalg.norm(c, dim=(0, 2))", "t.linalg.norm(x, 1, 1, keepdim=True)",
        "t.linalg.norm(v, float('-inf'))",
    "t.linalg.norm(x, -1)", "t.linalg.norm(c)", "t.linalg.norm(v, 0)", "t.linalg.norm(c, 1)", "t.linalg.norm(x, 'abc')",
        "t.linalg.norm(q, 2)",
    "t.linalg.norm(q, 'nuc')", "t.linalg.norm(q, -2)", "t.linalg.matrix_norm(c, 2)",
        "t.linalg.norm(x, 'nuc', (1, 0), True)", "t.linalg.norm(i)",
)  # fmt: skip
products.show("linalg.svdvals", "t.linalg.svdvals(q)", "t.linalg.svdvals(c)", "t.linalg.svdvals(v)", "t.linalg.svdvals(i)")
products.show("linalg.vector_norm", "t.linalg.vector_norm(c)", "t.linalg.vector_norm(c, 3, dim=(0, 1))",
    "t.linalg.vector_norm(x, 1, 1, True)")
products.show("linalg.matrix_norm", "t.linalg.matrix_norm(c)", "t.linalg.matrix_norm(x, 1)",
    "t.linalg.matrix_norm(x, float('-inf'))")

products.show("cdist", *[f"t.cdist({given})" for given in ("x, y", "x, q", "c, c + 1", "x, y, 1.0", "x, w, float('inf')",
              "x, v", "x, m", "x, y, -1.0", "c[0], k[:, :3].mT")])  # fmt: skip

FAMILIES = [products]
