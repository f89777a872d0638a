"""Arithmetic, comparison, bits and logic, and elementwise mathematics."""

from tests.surface.samples import Family

arithmetic = Family("arithmetic")
for name in ("add", "sub", "mul", "div", "subtract", "multiply", "divide", "true_divide"):
    arithmetic.call(name, "x, y", "x, 2.5", "i, h", "i, 2", "x, i", "x, v", "i, 1.5", "x, 'a'", "x, u[:2]", "b, o", "a, -1")
arithmetic.call("rsub", "x, y", "x, 2.5", "i, 3", "x, y, alpha=2", "b, o")
arithmetic.call("add", "x, y, alpha=0.5", "i, h, alpha=2", "i, h, alpha=0.5")
arithmetic.call("sub", "x, y, alpha=0.5", "x, 2, alpha=3")
arithmetic.call("div", "x, y, rounding_mode='floor'", "x, y, rounding_mode='trunc'", "i, h, rounding_mode='floor'",
                "x, y, rounding_mode='up'")  # fmt: skip
arithmetic.call("floor_divide", "x, y", "i, h", "i, 2", "x, 0.5", "i, i - i")
arithmetic.call("remainder", "x, y", "i, h", "i, 3", "x, 0.7", "x, n", "i, i - i")
arithmetic.call("fmod", "x, y", "i, h", "i, 3", "x, 0.7", "x, n", "i, i - i")
arithmetic.call("neg", "x", "i", "b")
arithmetic.call("negative", "x", "i")
arithmetic.call("positive", "x", "i", "b")
arithmetic.call("pow", "x, 2", "p, y", "x, 3", "p, 0.5", "i, 2", "h, h", "i, -1", "p, i")
arithmetic.call("square", "x", "i")
arithmetic.show("pow of a number", "t.pow(2, x)", "2 ** x", "2 ** h", "0 ** p")
arithmetic.show(
    "operators", "x + y", "x - 1", "2 - x", "x * y", "1 / p", "x / y", "i // 2", "i % 3", "-x", "+x", "abs(x)", "x ** 2",
    "p ** y", "q @ q", "7 // h", "7 % h", "7.5 % p", "x.__radd__(1)", "i + 1.5", "x + True", "b + 1", "x + None", "[1] + x",
)  # fmt: skip

comparison = Family("comparison")
for name in ("eq", "ne", "lt", "le", "gt", "ge", "less", "less_equal", "greater", "greater_equal", "not_equal"):
    comparison.call(name, "x, y", "i, h", "x, 0.5", "n, n", "i, 2.5", "x, i", "x, 'a'")
comparison.show("operators", "x < y", "x <= 0.5", "x > y", "x >= i", "x == y", "x != 0.5", "0 < x", "x == None", "x < 'a'")
for name in ("isclose", "allclose"):
    comparison.call(name, "x, x + 1e-6", "x, y", "n, n", "n, n, equal_nan=True", "x, y, rtol=2.0", "i, i")
comparison.call("equal", "x, x * 1", "x, y", "x, v", "i, i")
for name in ("isnan", "isinf", "isfinite", "isposinf", "isneginf"):
    comparison.call(name, "n", "x", "i")
comparison.call("maximum", "x, y", "i, h", "n, x", "x, i", "x, 1")
comparison.call("logaddexp", "x, y", "x, v", "n.detach(), x.detach()", "n, n", "x, x", "i, h", "x, 1",
                "t.full_like(x, -np.inf), x")
comparison.call("minimum", "x, y", "i, h", "n, x", "x, i", "x, 1")

bits = Family("bits and logic")
for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    bits.call(name, "i, h", "b, o", "i, 6", "x, y", "a, i")
for name in ("bitwise_left_shift", "bitwise_right_shift"):
    bits.call(name, "i, h", "a, 2", "j, h", "x, y")
bits.call("bitwise_not", "i", "b", "x", "a")
for name in ("logical_and", "logical_or", "logical_xor"):
    bits.call(name, "x, y", "b, o", "i, b")
bits.call("logical_not", "x", "b", "n")
bits.show("operators", "i & h", "b | o", "i ^ 5", "~i", "~b", "i << 2", "i >> h", "5 & i", "3 << h", "x & y", "x << 1",
    "x >> 1")

pointwise = Family("elementwise mathematics")
for name in (
    "sin", "cos", "tan", "sinh", "cosh", "tanh", "asinh", "atan", "arcsinh", "arctan", "exp", "exp2", "expm1", "erf",
    "sigmoid", "abs", "absolute", "sign", "floor", "ceil", "trunc", "fix", "round",
        "frac",
):  # fmt: skip
    pointwise.call(name, "x", "n", "i", "b", "c", "1", "m.t()")
for name in ("asin", "acos", "atanh", "arcsin", "arccos", "arctanh", "log", "log2", "log10", "log1p", "sqrt", "rsqrt",
    "reciprocal"):  # fmt: skip
    pointwise.call(name, "p", "n", "i", "b", "x", "s")
for name in ("acosh", "arccosh"):
    pointwise.call(name, "p + 1", "n", "h", "x")
pointwise.call("round", "x, decimals=1", "c * 12.5", "c * 333, decimals=-2")
for name in ("atan2", "arctan2"):
    pointwise.call(name, "x, y", "n, x", "x, v", "i, h", "x, 'a'")
pointwise.call("lerp", "x, y, 0.3", "x, y, w", "x, y, 0.8", "x, v, 0.5", "i, h, 0.5")
pointwise.call("addcmul", "x, y, w", "x, y, w, value=0.5", "i, h, j", "x, v, u", "i, h, h, value=2")
pointwise.call("addcdiv", "x, y, w", "x, y, p, value=0.5", "x, v, u", "i, h, h")
pointwise.call("clamp", "x, -1, 1", "x, min=0.25", "x, y, w", "i, 0, 4", "x, max=p", "x", "n, -1, 1")
pointwise.call("clip", "x, -1, 1", "x, max=0.5")
pointwise.call("clamp_min", "x, 0.1", "x, y", "i, 2")
pointwise.call("clamp_max", "x, 0.1", "x, y", "i, 2")
pointwise.call("where", "b, x, y", "b, x, 0.5", "b, 1, 2", "b", "b, x, i", "x, x, y")
pointwise.show("Tensor.where", "x.where(b, y)", "x.where(b, 0.0)")
pointwise.call("nan_to_num", "n", "n, 1.0", "n, nan=2.0, posinf=3.0, neginf=-4.0", "i", "x")
pointwise.call("softmax", "x, 1", "x, dim=0", "i, 0")
pointwise.call("log_softmax", "x, 1", "x, dim=-1")
pointwise.call("relu", "x", "i", "n")

FAMILIES = [arithmetic, comparison, bits, pointwise]
