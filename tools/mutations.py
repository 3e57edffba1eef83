"""Changes to a Python source that its tests should notice, one at a time: what `tools.mutants` tries.

An operator, a comparison or a constant is changed, a ``not`` dropped, two arguments swapped, a keyword or a statement
removed, a value not returned. What no test should pin is left alone: docstrings, annotations, strings (unless they are
compared), messages of errors, sizes and weights of lines, what a check says that it had ``given``, and the settings of
a recipe, which whoever retunes it changes.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

TASTE = set("lw linewidth alpha fontsize figsize zorder pad s ms markersize dpi ncol loc colour color".split())
WORDS = {"given"}
CONSTANTS = (bool, int, float)
#: What may stand in the place of an operator.
SWAP = {
    before: after.split(",")
    for before, _, after in (
        pair.partition(">")
        for pair in """Add>Sub Sub>Add Mult>Div Div>Mult FloorDiv>Div Mod>Mult Pow>Mult BitAnd>BitOr BitOr>BitAnd
        LShift>RShift RShift>LShift Lt>LtE,GtE LtE>Lt,Gt Gt>GtE,LtE GtE>Gt,Lt Eq>NotEq NotEq>Eq Is>IsNot IsNot>Is
        In>NotIn NotIn>In And>Or Or>And""".split()
    )
}


def others(op: ast.AST) -> list[ast.AST]:
    return [getattr(ast, name)() for name in SWAP.get(type(op).__name__, [])]


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, what stood there, what stands there now, and the whole file with it."""

    module: str
    line: int
    before: str
    after: str
    source: str

    @property
    def key(self) -> str:
        return hashlib.sha1(f"{self.module}\n{self.source}".encode()).hexdigest()

    def __str__(self) -> str:
        return f"genutils/{self.module}.py:{self.line}  {self.before}  ->  {self.after}"


def changes(node: ast.AST) -> Iterator[ast.AST | str]:
    """The nodes (or statements, as text) that may stand in the place of one node."""
    match node:
        case ast.BinOp(left, op, right):
            yield from (ast.BinOp(left, other, right) for other in others(op))
        case ast.BoolOp(op, values):
            yield from (ast.BoolOp(other, values) for other in others(op))
        case ast.Compare(left, ops, comparators):
            for i, op in enumerate(ops):
                for other in others(op):
                    yield ast.Compare(left, [*ops[:i], other, *ops[i + 1 :]], comparators)
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.Constant(value) if isinstance(value, CONSTANTS):
            yield ast.Constant(not value if isinstance(value, bool) else value + 1)
        case ast.Constant(str(value)):
            yield ast.Constant(value + "?")
        case ast.Call(func, args, keywords):
            if len(args) > 1 and not any(isinstance(a, ast.Starred) for a in args[:2]):
                if ast.dump(args[0]) != ast.dump(args[1]):
                    yield ast.Call(func, [args[1], args[0], *args[2:]], keywords)
            for i, keyword in enumerate(keywords):
                if keyword.arg not in TASTE | WORDS:
                    yield ast.Call(func, args, keywords[:i] + keywords[i + 1 :])
        case ast.Return(value) if value is not None and not (isinstance(value, ast.Constant) and value.value is None):
            yield "return None"
        case ast.Break():
            yield "continue"
        case ast.Continue():
            yield "break"
        case ast.Raise() | ast.AugAssign() | ast.Expr(ast.Call()):
            yield "pass"
        case ast.Assign([ast.Attribute() | ast.Subscript()]):
            yield "pass"


def places(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree in which a change would matter."""
    yield node
    for name, child in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "msg"):
            continue
        for part in child if isinstance(child, list) else [child]:
            if not isinstance(part, ast.AST) or isinstance(part, (ast.JoinedStr, ast.Import, ast.ImportFrom)):
                continue
            if isinstance(part, ast.keyword) and part.arg in TASTE | WORDS:
                continue
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and not isinstance(node, ast.Compare):
                continue
            if isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant):
                continue
            if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "__all__":
                continue
            if isinstance(part, ast.Assign) and _are_settings(part.value):
                continue
            if isinstance(part, ast.If) and ast.unparse(part.test) == "TYPE_CHECKING":
                continue
            if isinstance(part, ast.Raise):
                yield part  # it may be left out; what it says may change
            else:
                yield from places(part)


def _are_settings(value: ast.AST) -> bool:
    every = value.values if isinstance(value, ast.Dict) else [value]
    return all(isinstance(v, ast.Call) and ast.unparse(v.func) == "Settings" for v in every) and bool(every)


def offered(source: str) -> list[tuple[ast.AST, ast.AST | str]]:
    """Every change that a module offers: the node, and what may stand in its place."""
    return [(node, change) for node in places(ast.parse(source)) for change in changes(node)]


def written(module: str, source: str, node: ast.AST, change: ast.AST | str) -> Mutant | None:
    """The module with one change; None where it would not compile (an assignment's target, a pattern)."""
    lines = source.encode().splitlines(keepends=True)
    data, before = b"".join(lines), [sum(map(len, lines[: n - 1])) for n in (node.lineno, node.end_lineno)]
    a, z = before[0] + node.col_offset, before[1] + node.end_col_offset
    new = change if isinstance(change, str) else f"({ast.unparse(change)})"
    text = (data[:a] + new.encode() + data[z:]).decode()
    try:
        compile(text, module, "exec")
    except SyntaxError:
        return None
    return Mutant(module, node.lineno, " ".join(data[a:z].decode().split()), " ".join(new.split()), text)
