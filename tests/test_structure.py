"""The shape of the code: layers, packages, names, file sizes, and what an import costs."""

import ast
import functools
import os
import re
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
SOURCES = sorted([*(REPOSITORY / "fastgrad").rglob("*.py"), *(REPOSITORY / "kernels").rglob("*.py")])

# From the bottom up. A module imports from its own layer and from those below it. What a tensor is (storage,
# shape, node) lies below the launches, which take and return tensors; what it does (its methods) is in ops.
LAYERS = [
    {"_dtype", "_suggest", "_recording", "_caller"},  # small words that every layer may use
    {"kernels"},
    {"_geometry", "_storage", "_meta", "_device"},
    {"autograd"},
    {"_tensor", "_values", "_differentiable"},
    {"_launch", "_generator"},
    {"ops", "_method_table", "_methods", "_format", "_mistaken", "_typename"},
    {"linalg", "nn", "optim", "utils", "distributions", "cuda"},
    {"_compile"},
    {"datasets", "io", "table", "trainer", "cli", "__main__"},
]
TOOLS = LAYERS[-1]
# Imports that point up, inside a function that runs when everything is there: each one is a decision.
LATE = {
    "_tensor": {"ops"},  # the legacy constructor Tensor(2, 3)
    "_values": {"ops", "_format"},  # printing
    "nn": {"_compile"},  # Module.compile
    "_generator": {""},  # its state is a tensor, made by the public names
}
LAYER = {name: depth for depth, names in enumerate(LAYERS) for name in names}


def module_of(path):
    """fastgrad/nn/linear.py -> fastgrad.nn.linear; kernels/jit.py -> fastgrad.kernels.jit."""
    parts = list(path.relative_to(REPOSITORY).with_suffix("").parts)
    if parts[0] == "kernels":
        parts.insert(0, "fastgrad")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in SOURCES}


def imports(path, late=None):
    """The full names of the modules that a file imports, type checkers' imports left out.

    With ``late`` True those inside functions alone, with False those outside alone.
    """
    return [name for name, inside in _imports(path) if late is None or inside == late]


@functools.cache
def _imports(path):
    """(name, whether inside a function) of each import."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    package = module_of(path) if path.name == "__init__.py" else module_of(path).rpartition(".")[0]
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inside = {id(inner) for function in functions for inner in ast.walk(function)}
    found = []
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            # `from fastgrad import nn` imports a module, `from fastgrad.nn import Linear` a name of one.
            named = [f"{base}.{alias.name}" for alias in node.names]
            names = [name if name in MODULES else base for name in named]
        found += [(name, id(node) in inside) for name in names]
    return found


def layer_of(module):
    parts = module.split(".")
    return LAYER.get(parts[1]) if len(parts) > 1 else len(LAYERS)  # fastgrad itself re-exports everything


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    assert layer_of(module) is not None, f"{module}: say in LAYERS where it belongs"
    if module == "fastgrad":
        return
    own = module.split(".")[1]
    for late in (False, True):
        for name in imports(MODULES[module], late):
            if name == "fastgrad":
                # Tools are programs over the public namespace; below them it would be a circle.
                meant = own in TOOLS or (late and "" in LATE.get(own, ()))
                assert meant, f"{module} imports fastgrad itself"
            elif not name.startswith("fastgrad."):
                continue
            elif layer_of(name) is None or layer_of(name) > layer_of(module):
                meant = late and name.split(".")[1] in LATE.get(own, ())
                assert meant, f"{module} imports {name}, which lies above it"


@pytest.mark.parametrize("module", [name for name in MODULES if ".kernels" in name])
def test_kernels_know_nothing_but_memory(module):
    allowed = {"numpy", "numba", "llvmlite", *sys.stdlib_module_names}
    for name in imports(MODULES[module]):
        assert name.startswith("fastgrad.kernels") or name.split(".")[0] in allowed, f"{module} imports {name}"


def test_only_launch_calls_kernels():
    callers = {
        module.split(".")[1]
        for module in MODULES
        if module != "fastgrad" and ".kernels" not in module
        for name in imports(MODULES[module])
        if name.startswith("fastgrad.kernels")
    }
    assert callers <= {"_launch", "_compile"}


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("fastgrad.autograd")])
def test_autograd_knows_no_numpy(module):
    assert not {name.split(".")[0] for name in imports(MODULES[module])} & {"numpy", "numba"}


@pytest.mark.parametrize("module", [name for name in MODULES if name.split(".")[-1] in TOOLS])
def test_tools_use_the_public_api_only(module):
    private = [name for name in imports(MODULES[module]) if re.match(r"fastgrad\.(.*\.)?_[a-z]", name)]
    assert not private


def test_only_one_file_imports_a_cuda_compiler():
    files = {path.name for path in SOURCES for name in imports(path) if name.startswith("numba.cuda")}
    assert files <= {"_target.py"}


def test_every_file_is_short():
    long = {}
    for folder in ("fastgrad", "kernels", "tests", "benchmarks", "examples"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            lines = len(path.read_text().splitlines())
            if lines > 350:
                long[str(path.relative_to(REPOSITORY))] = lines
    assert not long


def test_every_package_folder_is_in_the_list():
    listed = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {module_of(path.parent / "__init__.py") for path in SOURCES}
    assert set(listed) == folders
    assert len(listed) == len(set(listed))
    missing = [name for name in folders if name not in MODULES]
    assert not missing, f"without __init__.py: {missing}"


NAMES = """
import importlib, sys, types
import fastgrad

def kinds(module):
    return {name: isinstance(getattr(module, name), types.ModuleType) for name in module.__all__}

before = kinds(fastgrad)
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    for exported in getattr(module, "__all__", []):
        assert hasattr(module, exported), f"{name}.__all__ names {exported!r}, which is not there"
assert kinds(fastgrad) == before, {n for n, kind in kinds(fastgrad).items() if kind != before[n]}
for name in sys.argv[1:]:
    module = sys.modules[name]
    for exported in getattr(module, "__all__", []):
        value = getattr(module, exported)
        if isinstance(value, types.ModuleType) and value.__name__ == f"{name}.{exported}":
            print(value.__name__)
"""


def test_no_module_takes_the_name_of_a_function(run_python):
    names = [name for name in MODULES if not name.endswith("__main__")]
    exported_modules = set(run_python("-c", NAMES, *names).stdout.split())
    public = {name for name in MODULES if not re.search(r"\._", name)}
    assert exported_modules <= public


def test_import_leaves_the_compiler_and_the_extras_alone(run_python):
    extras = ["llvmlite", "matplotlib", "numba", "pandas", "scipy", "sklearn", "torch"]
    code = f"import sys, fastgrad; print(*(name for name in {extras} if name in sys.modules))"
    assert run_python("-c", code).stdout.split() == []


def test_import_time(run_python, capsys):
    code = "import time, numpy; t = time.perf_counter(); import fastgrad; print(time.perf_counter() - t)"
    seconds = min(float(run_python("-c", code).stdout) for _ in range(3))
    with capsys.disabled():
        print(f"\nimport fastgrad, after numpy: {seconds * 1000:.0f} ms")


def test_no_machine_s_path_stands_in_the_repository():
    pattern = re.compile(r"/(work|farm|root|home/\w+|tmp/\w+)/")
    made = re.compile(r"\.(?!ci$)|(__pycache__|build|dist|runs)$|.*\.egg-info$")  # by tools, maybe right now
    found = []
    for folder, folders, files in os.walk(REPOSITORY):
        folders[:] = [name for name in folders if not made.match(name)]
        for path in (Path(folder, name) for name in files if not name.startswith(".")):
            if path.suffix in {".py", ".md", ".toml", ".txt", ""}:
                for number, line in enumerate(path.read_text().splitlines(), 1):
                    if pattern.search(line):
                        found.append(f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()}")
    assert not found
