"""tests/unit mirrors src/imrep: the test of a module or folder stands where it stands."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE, UNIT = ROOT / "src" / "imrep", ROOT / "tests" / "unit"


def has_source(test):
    """Whether `a/test_b.py` tests a module or folder b within a, a function b of a, or all of a."""
    folder, name = PACKAGE / test.relative_to(UNIT).parent, test.stem.removeprefix("test_")
    if folder == PACKAGE:
        patterns = f"{name}.py", f"{name}/__init__.py", f"_{name}/__init__.py"
        return any(True for pattern in patterns for _ in PACKAGE.glob(pattern))
    functions = re.findall(r"^def (\w+)", (folder / "__init__.py").read_text("utf-8"), re.M)
    modules = {path.stem.lstrip("_") for path in folder.rglob("*.py")}
    folders = {path.parent.name for path in folder.rglob("__init__.py")}
    return name in {*functions, *modules, *folders}


def test_every_unit_test_has_its_module():
    tests = sorted(UNIT.rglob("test_*.py"))
    assert len(tests) > 50
    assert not [str(test.relative_to(UNIT)) for test in tests if not has_source(test)]
