"""Names are the field's: no argument, variable, function, class or attribute has a banned one."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "src" / "imrep"
_LIST = """
    found seen got one most least many who given asked kept some rest whole place places apart near
    drawn told said known shown way ways how turned turn sound evened calmed hushed written coded
    bench grey
"""
BANNED = frozenset(_LIST.split())
CONSTANTS = frozenset({"_at_once", "_most", "_side", "_floor"})
_PYRAMIDS = (
    "codes/maps.py",
    "ops/pyramid/laplacian.py",
    "ops/pyramid/native.py",
    "represent/multiscale/laplacian.py",
)
EXEMPT = {path: {"rest"} for path in _PYRAMIDS}  # a pyramid's low-pass rest


def bound(tree):
    """(name, line) of everything a module binds."""
    for node in ast.walk(tree):
        match node:
            case ast.arg(arg=name):
                yield name, node.lineno
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno


def is_banned(name):
    return name.lower() in CONSTANTS or name.lower().strip("_") in BANNED


def test_the_words_are_looked_for():
    names = [name for name, _ in bound(ast.parse("def f(who, *, x):\n    a.shown = _FLOOR = x"))]
    assert [name for name in names if is_banned(name)] == ["who", "shown", "_FLOOR"]


def test_names_are_the_fields():
    banned = []
    for path in sorted(PACKAGE.rglob("*.py")):
        where = path.relative_to(PACKAGE).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        banned += [
            f"{where}:{line} {name}"
            for name, line in bound(tree)
            if is_banned(name) and name not in EXEMPT.get(where, ())
        ]
    assert not banned, "\n".join(banned)
