"""The library's own source, as facts: what each file imports, defines, exports and says about itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, final

import registry_fp

__all__ = ["DOORS", "ROOT", "Definition", "Module", "modules"]

ROOT = Path(registry_fp.__file__).parent

DOORS = frozenset({"registry_fp", "registry_fp.testing"})
"""The packages whose `__init__` re-exports: what users import from."""

_COMMAND = re.compile(r"\w+\.command\b")  # of the program, or of a group in it


@final
@dataclass(frozen=True, slots=True)
class Definition:
    """A public name that a file makes; `returns` is the annotation of a function, as it is written.

    A command is registered where it is defined, and nobody imports it.
    """

    name: str
    kind: Literal["class", "function", "value"]
    docstring: str
    returns: str | None = None
    is_command: bool = False


@final
@dataclass(frozen=True, slots=True)
class Module:
    """One file of the library. `imports` are (module, name) pairs, with no name for `import module`.

    `imported_at_once` are the names that an import at the top of the file binds, `loaded_at_once` the modules.
    """

    name: str
    is_package: bool
    docstring: str
    lines: int
    statements: int
    imports: frozenset[tuple[str, str | None]]
    imported_at_once: frozenset[str]
    loaded_at_once: frozenset[str]
    exported: tuple[str, ...] | None
    defined: tuple[Definition, ...]
    uses_do: bool

    @property
    def layer(self) -> str:
        """The part of the house that it is in: `domain`, `client`, ...; empty for the door."""
        return self.name.split(".")[1] if "." in self.name else ""


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the library, by name. Only facts are kept: syntax trees are large."""
    return tuple(sorted(map(_module, ROOT.rglob("*.py")), key=lambda module: module.name))


def _module(path: Path) -> Module:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    return Module(
        name=".".join(parts[:-1] if is_package else parts),
        is_package=is_package,
        docstring=ast.get_docstring(tree) or "",
        lines=text.count("\n"),
        statements=len(tree.body),
        imports=frozenset(_imports(ast.walk(tree))),
        imported_at_once=frozenset(
            alias.asname or alias.name
            for node in tree.body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        ),
        loaded_at_once=frozenset(name for name, _ in _imports(iter(tree.body))),
        exported=_exported(tree),
        defined=tuple(_defined(tree)),
        uses_do="FutureResult.do(" in text,
    )


def _imports(nodes: Iterator[ast.AST]) -> Iterator[tuple[str, str | None]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((module, alias.name) for alias in node.names)


def _exported(tree: ast.Module) -> tuple[str, ...] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            return tuple(ast.literal_eval(node.value))
    return None


def _defined(tree: ast.Module) -> Iterator[Definition]:
    for node, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        for definition in _definitions(node, after):
            if not definition.name.startswith("_"):
                yield definition


def _definitions(node: ast.stmt, after: ast.stmt | None) -> Iterator[Definition]:
    match node:
        case ast.FunctionDef(decorator_list=[ast.Name(id="overload")]):
            pass  # a signature of the function that follows
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            returns = None if node.returns is None else ast.unparse(node.returns)
            is_command = any(_COMMAND.match(ast.unparse(each)) for each in node.decorator_list)
            yield Definition(node.name, "function", ast.get_docstring(node) or "", returns, is_command)
        case ast.ClassDef():
            yield Definition(node.name, "class", ast.get_docstring(node) or "")
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield Definition(name, "value", _below(after))
        case ast.Assign(targets=[ast.Name(id=name)]) if not _is_type_variable(node.value):
            yield Definition(name, "value", _below(after))
        case _:
            pass


def _below(after: ast.stmt | None) -> str:
    """The string under a value, which is its docstring."""
    match after:
        case ast.Expr(value=ast.Constant(value=str() as text)):
            return text
        case _:
            return ""


def _is_type_variable(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func) in {"TypeVar", "ParamSpec", "TypeVarTuple"}
