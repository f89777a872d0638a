"""Object files that different processes wrote live together in a third: none takes another's helper for its own."""


EACH = {
    "mul": ("a.t() * b", [[1, 6], [6, 16]]),
    "div": ("a.t() / b", [[1, 1.5], [2 / 3, 1]]),
    "add": ("a.t() + b", [[2, 5], [5, 8]]),
    "mul_scalar": ("a.t() * 2", [[2, 6], [4, 8]]),
    "add_scalar": ("a.t() + 2", [[3, 5], [4, 6]]),
}
PROGRAM = """
import sys
import fastgrad
a = fastgrad.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=fastgrad.float64)
b = fastgrad.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=fastgrad.float64)
print([eval(expression).tolist() for expression in sys.argv[1:]])
"""


def test_kernels_from_different_processes_do_not_mix(run_python, tmp_path):
    cache = {"FASTGRAD_CACHE_DIR": str(tmp_path)}
    for expression, wanted in EACH.values():
        assert eval(run_python("-c", PROGRAM, expression, **cache).stdout) == [wanted]
    together = run_python("-c", PROGRAM, *(expression for expression, _ in EACH.values()), **cache)
    assert "compiling" not in together.stderr
    assert eval(together.stdout) == [wanted for _, wanted in EACH.values()]
