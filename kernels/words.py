"""A compiler of one page, for functions in which everything is a 64-bit word.

It takes a small part of Python: numbers and names, `+ - * & | ^ << >>`, comparisons, `and or not`, `x if c else y`, `if`,
`while`, `for k in range(...)`, calls of each other, `return`. `x[k]` is the word number k behind the address x, read or
written; `invoke(f, ...)` calls the C function at an address; `room(n)` is the address of n words on the stack. Names that a
function does not assign are whole numbers of its module.

numba compiles the same source, in seconds where this takes hundredths, because it has types to find out and a runtime to
tie in. Code that juggles with addresses needs neither.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from . import store

_BINARY = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.BitAnd: "and", ast.BitOr: "or", ast.BitXor: "xor",
    ast.LShift: "shl", ast.RShift: "ashr",
}  # fmt: skip
_COMPARED = {ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "slt", ast.LtE: "sle", ast.Gt: "sgt", ast.GtE: "sge"}


@store.undisturbed()
def address(name: str, functions: Sequence[Callable[..., Any]]) -> int:
    """The machine address of the last of some functions, from disk where it is kept under `name`."""
    kept = store.read(name)
    if kept is None:
        store.say_compiling()
        kept = compile_words(functions)
        store.write(name, *kept)
    return store.load(*kept)


def compile_words(functions: Sequence[Callable[..., Any]]) -> tuple[str, bytes]:
    """Object code with all functions in it, and the name under which the last of them is found there."""
    import llvmlite.binding as llvm

    machine = store.machine()
    module = llvm.parse_assembly("\n".join(_Function(f, f is functions[-1]).text() for f in functions))
    module.verify()
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=2))
    builder.getModulePassManager().run(module, builder)
    return f"fastgrad.{functions[-1].__name__}", bytes(machine.emit_object(module))


class _Function:
    """One function on its way to LLVM instructions. Variables are places on the stack, which LLVM takes apart again."""

    def __init__(self, function: Callable[..., Any], public: bool) -> None:
        self.numbers = function.__globals__
        tree: Any = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        self.tree = tree
        self.parameters = [a.arg for a in self.tree.args.args]
        self.variables = {n.id for n in ast.walk(self.tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self.variables |= set(self.parameters)
        self.places: list[str] = []  # of variables and room, which lie in front of everything else
        self.lines: list[str] = []
        self.new = itertools.count().__next__
        self.public = public

    def text(self) -> str:
        """The function in LLVM's language."""
        for statement in self.tree.body:
            self.statement(statement)
        head = f"define {'' if self.public else 'internal '}i64 @fastgrad.{self.tree.name}("
        head += ", ".join(f"i64 %{name}.given" for name in self.parameters) + ") {"
        first = [f"%{name} = alloca i64" for name in sorted(self.variables)] + self.places
        first += [f"store i64 %{name}.given, ptr %{name}" for name in self.parameters]
        return "\n".join([head, *first, *self.lines, "ret i64 0", "}"])

    def made(self, instruction: str) -> str:
        """The name of an instruction's result."""
        name = f"%v{self.new()}"
        self.lines.append(f"{name} = {instruction}")
        return name

    # -- statements ------------------------------------------------------------------------------------------

    def statement(self, node: Any) -> None:
        getattr(self, f"on_{type(node).__name__}")(node)

    def on_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.value(node.value)

    def on_Return(self, node: ast.Return) -> None:
        assert node.value is not None
        self.lines.append(f"ret i64 {self.value(node.value)}")
        self.lines.append(f"after{self.new()}:")

    def on_Assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        if isinstance(target, ast.Tuple):
            assert isinstance(node.value, ast.Tuple)
            values = [self.value(value) for value in node.value.elts]
            for place, value in zip(target.elts, values, strict=True):
                self.lines.append(f"store i64 {value}, ptr {self.place(place)}")
        else:
            value = self.value(node.value)
            self.lines.append(f"store i64 {value}, ptr {self.place(target)}")

    def on_AugAssign(self, node: ast.AugAssign) -> None:
        place = self.place(node.target)
        old = self.made(f"load i64, ptr {place}")
        made = self.made(f"{_BINARY[type(node.op)]} i64 {old}, {self.value(node.value)}")
        self.lines.append(f"store i64 {made}, ptr {place}")

    def on_If(self, node: ast.If) -> None:
        k, condition = self.new(), self.condition(node.test)
        self.lines += [f"br i1 {condition}, label %then{k}, label %else{k}", f"then{k}:"]
        for statement in node.body:
            self.statement(statement)
        self.lines += [f"br label %end{k}", f"else{k}:"]
        for statement in node.orelse:
            self.statement(statement)
        self.lines += [f"br label %end{k}", f"end{k}:"]

    def on_While(self, node: ast.While) -> None:
        k = self.new()
        self.lines += [f"br label %test{k}", f"test{k}:"]
        condition = self.condition(node.test)
        self.lines += [f"br i1 {condition}, label %body{k}, label %end{k}", f"body{k}:"]
        for statement in node.body:
            self.statement(statement)
        self.lines += [f"br label %test{k}", f"end{k}:"]

    def on_For(self, node: ast.For) -> None:
        assert isinstance(node.iter, ast.Call)
        assert isinstance(node.target, ast.Name)
        ends = [self.value(end) for end in node.iter.args]
        first, last = ends if len(ends) == 2 else ("0", ends[0])
        k, place = self.new(), f"%{node.target.id}"
        self.lines += [f"store i64 {first}, ptr {place}", f"br label %test{k}", f"test{k}:"]
        now = self.made(f"load i64, ptr {place}")
        more = self.made(f"icmp slt i64 {now}, {last}")
        self.lines += [f"br i1 {more}, label %body{k}, label %end{k}", f"body{k}:"]
        for statement in node.body:
            self.statement(statement)
        now = self.made(f"load i64, ptr {place}")
        self.lines += [f"store i64 {self.made(f'add i64 {now}, 1')}, ptr {place}", f"br label %test{k}", f"end{k}:"]

    # -- expressions -----------------------------------------------------------------------------------------

    def place(self, node: Any) -> str:
        """The pointer behind something that can be assigned to."""
        if isinstance(node, ast.Name):
            return f"%{node.id}"
        base = self.made(f"inttoptr i64 {self.value(node.value)} to ptr")
        return self.made(f"getelementptr i64, ptr {base}, i64 {self.value(node.slice)}")

    def value(self, node: Any) -> str:
        """A word."""
        if isinstance(node, ast.Constant):
            return str(node.value)
        if isinstance(node, ast.Name) and node.id not in self.variables:
            return str(int(self.numbers[node.id]))
        if isinstance(node, (ast.Name, ast.Subscript)):
            return self.made(f"load i64, ptr {self.place(node)}")
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            left, right = self.value(node.left), self.value(node.right)
            return self.made(f"{_BINARY[type(node.op)]} i64 {left}, {right}")
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return self.made(f"sub i64 0, {self.value(node.operand)}")
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.IfExp):
            return self.chosen(node.test, lambda: self.value(node.body), lambda: self.value(node.orelse), "i64")
        if isinstance(node, (ast.Compare, ast.BoolOp, ast.UnaryOp)):
            return self.made(f"zext i1 {self.condition(node)} to i64")
        raise SyntaxError(f"{self.tree.name}: {ast.unparse(node)!r} is not in the language of words")

    def condition(self, node: Any) -> str:
        """A truth value."""
        if isinstance(node, ast.Compare):
            (operator,), (right,) = node.ops, node.comparators
            left = self.value(node.left)
            return self.made(f"icmp {_COMPARED[type(operator)]} i64 {left}, {self.value(right)}")
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.made(f"xor i1 {self.condition(node.operand)}, true")
        if isinstance(node, ast.BoolOp):
            first, *rest = node.values
            if not rest:
                return self.condition(first)
            others = ast.BoolOp(node.op, rest)
            if isinstance(node.op, ast.And):
                return self.chosen(first, lambda: self.condition(others), lambda: "false", "i1")
            return self.chosen(first, lambda: "true", lambda: self.condition(others), "i1")
        return self.made(f"icmp ne i64 {self.value(node)}, 0")

    def chosen(self, test: Any, yes: Callable[[], str], no: Callable[[], str], kind: str) -> str:
        """One of two values, of which only that one is computed."""
        k, condition = self.new(), self.condition(test)
        self.lines += [f"br i1 {condition}, label %then{k}, label %else{k}", f"then{k}:"]
        left = yes()
        self.lines += [f"br label %yes{k}", f"yes{k}:", f"br label %end{k}", f"else{k}:"]
        right = no()
        self.lines += [f"br label %no{k}", f"no{k}:", f"br label %end{k}", f"end{k}:"]
        return self.made(f"phi {kind} [ {left}, %yes{k} ], [ {right}, %no{k} ]")

    def call(self, node: ast.Call) -> str:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name == "room":
            (size,) = node.args
            k = self.new()
            self.places.append(f"%room{k} = alloca [{self.value(size)} x i64], align 16")
            return self.made(f"ptrtoint ptr %room{k} to i64")
        values = [self.value(argument) for argument in node.args]
        if name == "invoke":
            function = self.made(f"inttoptr i64 {values.pop(0)} to ptr")
        else:
            function = f"@fastgrad.{name}"
        return self.made(f"call i64 {function}({', '.join(f'i64 {value}' for value in values)})")
