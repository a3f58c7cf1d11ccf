"""What a message says to do exists, on the command that says it, and helps."""

import ast
import functools
import importlib
import re
import tomllib
from pathlib import Path

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

import imrep
from imrep import cli
from imrep.cli import main
from imrep.errors import BadImage, BadParameter, ExtraNeeded, ImrepError
from imrep.registry import catalog, operations

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "src/imrep"
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "optional-dependencies"
]
COMMANDS = {name: importlib.import_module(f"imrep.cli.{name}").command for name in cli._COMMANDS}


def options(command):
    """Every option of a command, and of the commands of a group."""
    own = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
    return own.union(*map(options, getattr(command, "commands", {}).values()))


OPTIONS = {name: options(command) for name, command in COMMANDS.items()}
READERS = ("compare", "edit", "embed", "invert", "match", "picture")  # of pictures
# Options of one command, which modules below it name where that option was given.
OF_COMPARE = ("--as", "--groups", "--same-object", "--save", "--sizes", "--target", "--vectors")
OF_ONE = {**dict.fromkeys(OF_COMPARE, "compare"), "--resume": "train", "--fast": "embed"}
OF_ONE |= {
    "--recipe": "train",
    "--labels": "classify",
    "--templates": "classify",
    "--task": "evaluate",
    "--images": "map",
    "--exact": "search",
    "--method": "map",
    "--where": "search",
    "--engine": "embed",
    "--dtype": "embed",
}
_OPTION = re.compile(r"(?<![\w-])(?<!var\()--[a-z][a-z-]+")  # var(--ink) is a style's variable


@functools.cache
def literals(path):
    """(line, text) of each string of a module but docstrings, f-strings with their gaps."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner, texts = set(), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inner.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            inner.update(map(id, node.values))
            text = "".join(
                part.value if isinstance(part, ast.Constant) else "{}" for part in node.values
            )
            texts.append((node.lineno, text))
    return texts + [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner
    ]


@functools.cache
def all_literals():
    """Every (path, line, text) of the sources."""
    return [
        (path, line, text) for path in sorted(SOURCE.rglob("*.py")) for line, text in literals(path)
    ]


def matches(pattern):
    """Each (position, match) of a pattern among all strings."""
    return [
        (f"{path.relative_to(SOURCE)}:{line}", match)
        for path, line, text in all_literals()
        for match in re.finditer(pattern, text)
    ]


def test_there_are_messages_to_look_at():
    assert len(all_literals()) > 2000 and len(matches(_OPTION)) > 40


def test_an_option_that_is_named_is_one_of_its_command():
    for path in sorted(SOURCE.rglob("*.py")):
        check_options(path)


def check_options(path):
    place = path.relative_to(SOURCE).as_posix()
    if place in ("cli/options.py", "cli/__init__.py"):
        return  # where options are defined, and no message names one
    command = path.stem if path.parent.name == "cli" and path.stem in COMMANDS else None
    shared = set.intersection(*(OPTIONS[name] for name in READERS)) | {"--help"}
    for line, text in literals(path):
        if "pip install" in text or text.startswith("--"):
            continue
        for option in _OPTION.findall(text):
            where = f"{place}:{line} {option}"
            if command:
                assert option in OPTIONS[command] | {"--help"}, where
            elif owner := "embed" if place.startswith("store/") else OF_ONE.get(option):
                assert option in OPTIONS[owner], where
            elif not text.strip().startswith("imrep "):
                assert option in shared or place.startswith("comparison/"), where


def test_evaluation_names_options_of_compare():
    for where, match in matches(_OPTION):
        if where.startswith("comparison/") and match[0] != "--size":
            assert match[0] in OPTIONS["compare"], where


def test_every_command_that_reads_can_raise_the_limits():
    for name in READERS:
        assert {"--max-pixels", "--data-range"} <= OPTIONS[name], name


def test_commands_that_are_named_exist():
    for where, match in matches(r"(?:`|[Rr]un )imrep ([a-z]+)\b"):
        assert match[1] in COMMANDS, where


def test_extras_that_are_named_exist():
    for where, match in matches(r"pip install '?imrep\[(\w+)\]"):
        assert match[1] in EXTRAS, where


def test_targets_of_make_that_are_named_exist():
    for where, match in matches(r"`make (\w+)`"):
        assert re.search(rf"^(?:[a-z]+ )*{match[1]}\b.*:", MAKEFILE, re.MULTILINE), where


def test_calls_that_are_named_exist():
    calls = matches(r"\bimrep((?:\.[a-z_]\w*)+)\(")
    assert calls
    for where, match in calls:
        owner = imrep
        for part in match[1].strip(".").split("."):
            try:
                owner = getattr(owner, part)
            except AttributeError:
                owner = importlib.import_module(f"{owner.__name__}.{part}")
        assert callable(owner), where


def test_parameters_that_a_representation_or_an_operation_names_are_its_own():
    for path, line, text in all_literals():
        room, *below = path.relative_to(SOURCE).with_suffix("").parts
        if room == "represent" and len(below) > 1 and below[1] in catalog.names():
            parameters = {p.name for p in catalog.entry(below[1]).parameters}
        elif room == "edit" and below[0] == "operations" and below[1] in operations.names():
            parameters = {p.name.rstrip("_") for p in operations.entry(below[1]).parameters}
        else:
            continue
        for name in re.findall(r"Use ([a-z_]+)=", text):
            assert name in parameters, f"{path.name}:{line} {name}"


def test_no_message_talks_like_a_shop():
    for where, match in matches(r"(?i)\bplease\b|\binvalid\b"):
        raise AssertionError(f"{where} {match[0]}")


# Remedies that are an expression: it is taken from the message, carried out, and helps.

X = torch.linspace(0, 1, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32)


def tried(call, x):
    """The message that `call(x)` gives, and what its "Try …" makes of x."""
    with pytest.raises(BadImage) as caught:
        call(x)
    message = str(caught.value)
    expression = re.search(r"Try (.+?)(?:, or by|, or leave|: a list|\.$|\.\s)", message + " ")[1]
    names = {"x": x, "torch": torch, "numpy": np, "imrep": imrep}
    return message, eval(expression, names)


@pytest.mark.parametrize(
    "x",
    [
        (X * 255).to(torch.uint8),
        (X * 65535).to(torch.uint16),
        (X * 16).round().long(),
        X * 255,
        X * 16,
        (X * 16).round(),
        (X * 1023).round(),
        X * 1.4,
        X * 1.02,
        X * 1.02 - 0.01,
        2 * X - 1,
        X.half(),
        X.bfloat16(),
        X > 0.5,
        X[0],
        X[0, 0],
        X[None],
        X.permute(0, 2, 3, 1),
        torch.cat([X, X[:, :1]], 1),
        X[:, :2],
        X.to_sparse(),
        torch.where(X > 0.9, torch.nan, X),
    ],
    ids=lambda x: f"{tuple(x.shape)} {x.dtype}",
)
def test_what_is_tried_is_taken(x):
    rep = imrep.get("pixels:side=8")
    message, better = tried(rep.embed, x)
    assert message.startswith("pixels needs ")
    assert torch.isfinite(rep.embed(better)).all()


def test_a_division_keeps_the_picture():
    """Cutting 0 to 16 at 1 would leave black and white."""
    rep = imrep.get("pixels:side=8")
    for top in (16, 255, 1023, 65535):
        _, better = tried(rep.embed, (X * top).round())
        assert (better - X).abs().max() <= 0.51 / top


@pytest.mark.parametrize(
    "x",
    [
        np.random.default_rng(0).integers(0, 17, (6, 8, 8)).astype(float),
        np.random.default_rng(0).random((4, 3, 32, 40)),
        np.random.default_rng(0).random((4, 32, 40, 4)),
        [np.random.default_rng(0).random((3, 32, 40))] * 2,
        [np.random.default_rng(0).random((32, 40, 4))] * 2,
        [np.random.default_rng(0).random((1, 1, 32, 40))] * 2,
        np.random.default_rng(0).integers(0, 256, (4, 32, 40)),
        Image.new("RGB", (8, 8)),
    ],
    ids=["digits", "channels first", "rgba", "list, channels first", "list, rgba", "axes", "int64",
         "one image"],
)  # fmt: skip
def test_what_an_embedder_is_told_to_try_is_taken(x):
    embedder = imrep.Embedder("pixels:side=4")
    _, better = tried(embedder.fit_transform, x)
    assert np.isfinite(embedder.fit_transform(better)).all()


def test_digits_are_divided_and_not_cut():
    from sklearn.datasets import load_digits

    with pytest.raises(BadImage, match=r"got 0 to 16\. Try x / 16\b"):
        imrep.Embedder("hog:cell=4").fit_transform(load_digits().images[:20])


def test_a_search_reaches_the_parameters_of_a_spec():
    from sklearn.model_selection import GridSearchCV
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import Pipeline

    model = Pipeline([("embedder", imrep.Embedder("pixels:side=2")),
                      ("classifier", KNeighborsClassifier(1))])  # fmt: skip
    x = np.random.default_rng(0).random((12, 8, 8, 3))
    search = GridSearchCV(model, {"embedder__representation__side": [1, 3]}, cv=2)
    search.fit(x, [0, 1] * 6)
    side = search.best_params_["embedder__representation__side"]
    assert search.best_estimator_["embedder"].representation_.side == side
    with pytest.raises(BadParameter, match="pixels has no parameter 'cell'"):
        imrep.Embedder("pixels").set_params(representation__cell=4)


def test_a_switched_off_library_is_to_be_switched_on():
    from imrep import _native, jpeg

    if not _native.built("jpeg"):
        pytest.skip("no library for JPEG was built")
    with (
        _native.switched_off(),
        pytest.raises(ExtraNeeded, match=r"IMREP_NATIVE\. Unset") as caught,
    ):
        jpeg.read(b"\xff\xd8\xff\xe0")
    assert "rebuild" not in str(caught.value) and "make" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "height", "width"),
    [
        ("scattering:scales=5", 24, 40),
        ("segment:regions=64", 4, 5),
        ("filterbank:size=31", 20, 40),
        ("filterbank", 2, 2),
        ("laplacian:levels=9", 60, 40),
        ("kernel:kernel=gaussian,size=4", 32, 32),
        ("hog:layout=opencv,norm=l1", 64, 64),
    ],
)
def test_what_is_to_be_used_instead_is_taken(spec, height, width):
    """The remedy is read from the message; images are enlarged where it says so alone."""
    from imrep.ops.resize import resize

    x = resize(X[:1], height, width)
    with pytest.raises(ImrepError) as caught:
        imrep.get(spec).encode(x)
    message = str(caught.value)
    used = dict(re.findall(r"Use (\w+)=([\w.]+?)(?:[.,;\s]|$)", message))
    if odd := re.search(r"needs (\w+) to be odd.* Use (\d+)\.", message):
        used = {odd[1]: odd[2]}
    if not used:
        assert re.search(r"(?i)enlarge them", message), message
        least = max(int(number) for number in re.findall(r"at least (\d+)", message))
        x = resize(x, max(height, least), max(width, least))
    imrep.get(spec, **{key: literal(value) for key, value in used.items()}).encode(x)


def literal(text):
    try:
        return ast.literal_eval(text)
    except ValueError:
        return text


@pytest.mark.parametrize(
    ("chain", "side"), [("clahe:tiles=16", 8), ("poster:colours=200", 8), ("median:size=7", 8)]
)
def test_what_an_operation_is_to_use_instead_is_taken(chain, side):
    x = X[:1, :, :side, :side]
    with pytest.raises(ImrepError) as caught:
        imrep.apply_edits(x, chain)
    key, value = re.search(r"Use (\w+)=(\w+)", str(caught.value)).groups()
    assert imrep.apply_edits(x, f"{chain.partition(':')[0]}:{key}={value}").shape == x.shape


# Remedies on the command line: the bad call, what its message must hold, and the call that helps.


@pytest.fixture
def there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    Image.fromarray(noise).save("cat.png")
    (tmp_path / "photos").mkdir()
    for i in range(3):
        Image.fromarray(np.roll(noise, i, 0)).save(tmp_path / "photos" / f"{i}.png")
    return tmp_path


def run(*words):
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    return done.exit_code, " ".join(done.output.split())


LIMIT = ("--max-pixels", "100"), r"--max-pixels", ("--max-pixels", "10000")


@pytest.mark.parametrize(
    ("words", "bad", "remedy", "good"),
    [
        (("edit", "cat.png", "blur", "-o", "x.png"), *LIMIT),
        (("picture", "cat.png", "pixels", "-o", "x.png"), *LIMIT),
        (("invert", "cat.png", "pixels", "-o", "x.png"), *LIMIT),
        (("match", "cat.png", "cat.png", "-o", "x.png"), *LIMIT),
        (("match", "cat.png", "photos", "-o", "x.csv"), *LIMIT),
        (("embed", "cat.png", "pixels"), ("-o", "v.txt"), r"Try v\.parquet", ("-o", "v.parquet")),
        (("match", "cat.png", "photos"), ("-o", "x.png"), r"Try x\.csv", ("-o", "x.csv")),
        (("edit", "cat.png", "compress"), ("-o", "x.png"), r"Try \.imr", ("-o", "x.imr")),
        (("picture", "cat.png", "pixels"), ("-o", "x"), r"Try x\.png", ("-o", "x.png")),
        (("edit", "cat.png"), ("gamma:2",), "no operation is called 'gamma'", ("stretch",)),
        (("edit", "cat.png"), ("shapren",), "Did you mean 'sharpen'", ("sharpen",)),
        (("edit", "cat.png"), ("blur+median",), "commas", ("blur,median",)),
        (("edit", "cat.png"), ("median:size=9",), r"Use iterations=2", ("median:iterations=2",)),
        (("card",), ("hgo",), "Did you mean 'hog'", ("hog",)),
        (("card",), ("hog:cel=4",), r"it takes cell\b", ("hog:cell=4",)),
        (("picture", "cat.png"), ("hog:layout=dog",), "skimage, opencv", ("hog:layout=opencv",)),
        (
            ("picture", "cat.png"),
            ("laplacian:levels=20",),
            r"Use levels=(\d)",
            ("laplacian:levels=7",),
        ),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_the_remedy_of_a_command_helps(there, words, bad, remedy, good):
    code, output = run(*words, *bad)
    assert code == 1 and re.search(remedy, output), output
    code, output = run(*words, *good)
    assert code == 0, output


def test_use_it_is_left_out_where_no_command_can():
    """`compare` without DATA: there is no photos/ on this machine."""
    from types import SimpleNamespace

    from imrep.comparison.output import notes
    from imrep.comparison.settings import Inputs

    def again(data, fixed=False):
        candidate = SimpleNamespace(rebuild_spec="dct", fixed_size=fixed)
        return notes.embed_command(Inputs(data=data).command_data, candidate, 64)

    assert again(None) == again("-") == ""
    assert again("my photos") == "imrep embed 'my photos' dct --size 64 -o vectors.parquet"
    assert again("digits", fixed=True) == "imrep embed digits dct -o vectors.parquet"


def test_all_refusals_are_of_one_tree():
    assert issubclass(BadImage, ImrepError) and isinstance(main, click.Group)
