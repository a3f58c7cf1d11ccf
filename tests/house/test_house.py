"""What keeps the house one house. Each rule is read from the files themselves."""

import ast
import functools
import importlib
import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

import imrep
from imrep.registry import catalog, operations, signatures

TESTS = Path(__file__).parent.parent
ROOT = TESTS.parent
PACKAGE = ROOT / "src" / "imrep"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)
OWN = catalog.own_sources()  # name: module and file
NAMES = list(OWN)
FILES = [path for _, path in OWN.values()]
UNFINISHED = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]))


def relative(path):
    return str(path.relative_to(ROOT))


@functools.cache
def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path):
    """Every module a file names in an import, with those inside functions."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_there_are_files_to_look_at():
    assert len(SOURCES) > 20 and len(FILES) > 1
    assert set(NAMES) <= set(imrep.names())


@pytest.mark.parametrize("name", NAMES)
def test_every_representation_has_its_test(name):
    test = TESTS / "represent" / f"test_{name}.py"
    assert test.is_file() and "def test_" in test.read_text(), f"{name} has no test"


def test_every_test_of_a_representation_has_its_file():
    tested = {path.stem.removeprefix("test_") for path in (TESTS / "represent").glob("test_*.py")}
    assert tested <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_holds_one_representation_named_in_prose(name):
    tree = parsed(OWN[name][1])
    carded = [
        n.name for n in tree.body if isinstance(n, ast.ClassDef) and catalog._assigned(n, "card")
    ]
    assert len(carded) == 1, f"{name} defines {carded or 'no representation'}"


@pytest.mark.parametrize("name", NAMES)
def test_cards_are_literal_cite_and_name_their_folder(name):
    card = imrep.card(name)  # raises unless every argument is a literal
    assert card.title and card.title[0].isupper()
    assert card.family == OWN[name][0].split(".")[-2]
    assert re.search(r"doi:10\.\d{4,}/\S+|https?://\S+|arXiv:\d{4}\.\d+", card.cite), card.cite
    assert re.search(r"(19|20)\d\d", card.cite), f"{card.cite!r} has no year"


@pytest.mark.parametrize("name", NAMES)
def test_docstrings_say_what_each_parameter_is_and_where_it_comes_from(name):
    entry = catalog.entry(name)
    assert entry.summary.endswith(".") and 20 < len(entry.summary) < 100
    assert "References:" in entry.doc
    assert entry.parameters or "def __init__" not in OWN[name][1].read_text()
    for parameter in entry.parameters:
        assert len(parameter.help) > 10, f"{entry.name} does not explain {parameter.name}"
    described = set(signatures.helps(entry.doc))
    assert described <= {parameter.name for parameter in entry.parameters}


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_keywords_of_plain_types_with_defaults(name):
    entry = catalog.entry(name)
    tree = parsed(OWN[name][1])
    inits = [
        node
        for owner in tree.body
        if isinstance(owner, ast.ClassDef) and owner.name == entry.class_name
        for node in owner.body
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    ]
    for init in inits:
        assert [argument.arg for argument in init.args.args] == ["self"]
        assert not init.args.kwarg and not init.args.vararg
        assert all(init.args.kw_defaults)
    for parameter in entry.parameters:
        kinds = {kind.strip() for kind in parameter.annotation.split("|")}
        assert kinds <= {"int", "float", "bool", "str", "None"}, f"{entry.name} {parameter}"


@pytest.mark.parametrize("name", NAMES)
def test_representations_never_import_each_other(name):
    module, path = OWN[name]
    others = {other for other, _ in OWN.values()} - {module}
    files = path.parent.glob("*.py") if path.stem == "__init__" else [path]
    assert not others & {imported for file in files for imported in imports(file)}


def test_every_module_says_what_it_is():
    assert not [relative(path) for path in SOURCES if not ast.get_docstring(parsed(path))]


def calls(path):
    """The names of the plain functions that a file calls."""
    nodes = [node.func for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)]
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def test_nothing_prints():
    assert not [relative(path) for path in SOURCES if calls(path) & {"print", "breakpoint"}]


def test_nothing_is_unfinished():
    texts = {relative(path): path.read_text(encoding="utf-8") for path in SOURCES}
    assert not [path for path, text in texts.items() if UNFINISHED.search(text)]


def listed(path):
    """What `__all__` lists; None where there is none."""
    for node in parsed(path).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return None


LISTING = [path for path in SOURCES if "__all__ = " in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", LISTING, ids=relative)
def test_all_is_exact(path):
    names = listed(path)
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    module = importlib.import_module(".".join(parts).removesuffix(".__init__"))
    assert names and len(names) == len(set(names))
    assert not [name for name in names if getattr(module, name, None) is None]


def test_what_imrep_offers_is_what_it_lists():
    eager = {
        name
        for name, value in vars(imrep).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("imrep.")
    }
    assert eager | set(imrep._LAZY) == set(imrep.__all__)
    assert dir(imrep) == imrep.__all__ == sorted(imrep.__all__)


def test_no_public_name_is_a_submodules():
    """A lazy name and a module of one name work at the first use and fail at the second."""
    modules = ("edit", "store")  # which are the names themselves
    public = [f"imrep.{name}" for name in imrep.__all__ if name not in modules]
    public += [f"imrep.edit.{name}" for name in operations.names()]
    for name in public:
        assert importlib.util.find_spec(name) is None, f"{name} is a module too"


def test_operations_are_functions_of_imrep_edit_however_often_they_are_used():
    for _ in range(2):
        for name in operations.names():
            function = getattr(imrep.edit, name)
            assert function is operations.entry(name).load() and function.__name__ == name


def test_an_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="imrep has no attribute 'compares'"):
        imrep.compares  # noqa: B018  # looking is the test


def test_the_version_is_the_projects():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert imrep.__version__ == project["version"]
    assert f"version: {imrep.__version__}" in (ROOT / "CITATION.cff").read_text()


EDIT_TESTS = TESTS / "unit" / "edit" / "operations"


@pytest.mark.parametrize("name", operations.names())
def test_an_operation_is_one_function_that_explains_itself(name):
    tree = parsed(operations.file(name))
    public = [
        node.name
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
    ]
    assert public == [name]
    operation = operations.entry(name)
    assert operation.summary.endswith(".") and 20 < len(operation.summary) < 100
    assert re.search(r"References:[\s\S]*(19|20)\d\d", operation.doc), f"{name} cites nothing"
    for parameter in operation.parameters:
        assert len(parameter.help) > 10, f"{name} does not explain {parameter.name}"
        kinds = {kind.strip() for kind in parameter.annotation.split("|")}
        assert kinds <= {"int", "float", "bool", "str", "None", "Image"}, parameter
    test = EDIT_TESTS / f"test_{name}.py"
    assert test.is_file() and "def test_" in test.read_text(), f"{name} has no test"


def test_type_checkers_know_every_operation():
    """Names are found at run time; editors and mypy read them from an import of each."""
    tree = ast.parse((PACKAGE / "edit" / "__init__.py").read_text(encoding="utf-8"))
    imported = [
        (node.module, alias.name, alias.asname)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("imrep.edit.operations")
        for alias in node.names
    ]
    assert imported == [
        (f"imrep.edit.operations.{name}", name, name) for name in operations.names()
    ]
    assert dir(imrep.edit) == list(operations.names())
