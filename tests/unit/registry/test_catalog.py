"""Names, cards and parameters from source; representations from specs."""

import subprocess
import sys

import pytest

import imrep
from imrep.errors import BadParameter, UnknownName
from imrep.registry import catalog
from imrep.registry.cards import Card

SOURCE = '''
"""A file."""

NOTE = "not a class"


class Helper:
    """No card, so no representation."""


class Thing(Representation[Vector]):
    """A thing worth reading of.

    More about it.

    Args:
        levels: How many,
            counted from one.
        path: A file: any.

    References:
        Nobody, 1999.
    """

    card = Card(title="Thing", family="local", cite="Nobody 1999, doi:1", revision=2)
    example: ClassVar[str] = "thing:levels=1"
    renamed: ClassVar[dict[str, str]] = {"depth": "levels"}
    aliases: ClassVar[dict[str, str]] = {"thingy": "levels=3,path=x"}

    def __init__(self, *, levels: int = 4, path: str | None = None, tilt: float = -0.5) -> None:
        super().__init__()
'''


@pytest.fixture
def thing(tmp_path):
    path = tmp_path / "thing.py"
    path.write_text(SOURCE)
    return catalog._read("thing", "somewhere.thing", path)


def test_everything_is_read_from_source(thing):
    assert (thing.name, thing.module, thing.class_name) == ("thing", "somewhere.thing", "Thing")
    assert thing.card == Card(title="Thing", family="local", cite="Nobody 1999, doi:1", revision=2)
    assert thing.summary == "A thing worth reading of."
    assert thing.example == "thing:levels=1"
    assert thing.renamed == {"depth": "levels"}
    assert thing.aliases == {"thingy": "levels=3,path=x"}
    assert thing.parameters == (
        catalog.Parameter("levels", "int", 4, "How many, counted from one."),
        catalog.Parameter("path", "str | None", None, "A file: any."),
        catalog.Parameter("tilt", "float", -0.5, ""),
    )


def test_a_file_without_a_card_is_none(tmp_path):
    (tmp_path / "none.py").write_text("class A:\n    pass\n")
    assert catalog._read("none", "none", tmp_path / "none.py") is None


def test_a_computed_card_is_refused(tmp_path):
    (tmp_path / "bad.py").write_text("class A:\n    card = Card(title=name())\n")
    with pytest.raises(ValueError, match="malformed"):
        catalog._read("bad", "bad", tmp_path / "bad.py")


@pytest.mark.parametrize(
    "body",
    [
        "    card = Card(title=name())",
        "    card = Card(heading='Bad')",
        "    card = Card(title='Bad', family='a', cite='b')\n"
        "    def __init__(self, *, half: float = 1 / 2) -> None: ...",
        "    card = (",
    ],
)
def test_what_is_not_literal_is_named(tmp_path, monkeypatch, body):
    path = tmp_path / "bad.py"
    path.write_text(f"class Bad:\n{body}\n")
    monkeypatch.setattr(catalog, "_modules", lambda: {"bad": ("bad", path)})
    catalog.entry.cache_clear()
    with pytest.raises(UnknownName, match=r"^bad needs a literal card .* bad\.py, got .*\."):
        catalog.entry("bad")
    catalog.entry.cache_clear()


def test_names_are_sorted_files():
    assert list(catalog.names()) == sorted(catalog.names())
    assert "pixels" in catalog.names() and "__init__" not in catalog.names()


def test_a_misspelt_name_is_offered_the_nearest():
    with pytest.raises(
        UnknownName, match=r"^no representation is called 'pixel'\. Did you mean 'pixels'\?$"
    ):
        imrep.get("pixel")
    with pytest.raises(UnknownName, match="`imrep list` shows all"):
        catalog.entry("zzzzzz")


def test_modules_go_by_their_names():
    assert catalog.name_of("imrep.represent.statistics.pixels") == "pixels"
    assert catalog.name_of("some.package.stem") == "stem"
    assert catalog.name_of("imrep.represent.local.sift.dense") == "sift"  # a part of a folder


def test_a_folder_whose_class_is_elsewhere_is_named(tmp_path, monkeypatch):
    path = tmp_path / "lbp" / "__init__.py"
    path.parent.mkdir()
    path.write_text("from imrep.represent.local.lbp.model import LBP\n")
    monkeypatch.setattr(catalog, "_modules", lambda: {"lbp": ("lbp", path)})
    catalog.entry.cache_clear()
    with pytest.raises(UnknownName, match=r"^lbp/__init__\.py defines no class .* other files\.$"):
        catalog.entry("lbp")
    catalog.entry.cache_clear()


def test_sources_are_found_without_importing(tmp_path, monkeypatch):
    package = tmp_path / "planted_package" / "inner"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (package / "leaf.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert catalog._source("planted_package.inner.leaf") == package / "leaf.py"
    assert catalog._source("planted_package.inner") == package / "__init__.py"
    assert catalog._source("planted_package") == package.parent / "__init__.py"
    assert catalog._source("planted_package.absent") is None
    assert catalog._source("absent_package") is None


def test_reading_the_catalogue_imports_no_torch():
    code = (
        "import sys, imrep; [imrep.card(name) for name in imrep.names()];"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


RENAMED = {
    "hog:bins=12": "hog:orientations=12",
    "gradient:bins=4": "gradient:orientations=4",
    "bandpass:kind=ideal,directions=4": "bandpass:method=ideal,orientations=4",
    "blob:most=9": "blob:max_points=9",
    "corner:measure=shi-tomasi,most=9": "corner:method=shi-tomasi,max_points=9",
    "tanhpolar:kind=cartesian": "tanhpolar:method=cartesian",
}


@pytest.mark.parametrize(("former", "present"), RENAMED.items())
def test_a_former_name_in_a_spec_means_the_present_one(former, present):
    with pytest.warns(FutureWarning, match="is now called"):
        assert imrep.get(former).spec == present
    with pytest.warns(FutureWarning, match="is now called"):
        _, written = catalog.views(former)[0]
    assert {f"{key}={value}" for key, value in written.items()} == set(
        present.partition(":")[2].split(",")
    )


def test_a_former_name_as_an_argument_means_the_present_one():
    with pytest.warns(FutureWarning, match="hog: the parameter 'bins' is now called 'orient"):
        assert imrep.get("hog", bins=12).spec == "hog:orientations=12"
    with pytest.raises(BadParameter, match="takes 'orientations', formerly 'bins', once, got both"):
        imrep.get("hog", bins=12, orientations=9)


def test_aliases_stand_for_parameters_that_the_spec_overrides(tmp_path, monkeypatch):
    preset = {"arch": "vit_small_patch14_dinov2", "side": "224"}
    assert catalog.parse("dinov2") == [("vit", preset)]
    (own, texts), hog = catalog.parse("DINOv2:layer=2,Side=112+hog:cell=4")
    assert own == "vit" and hog == ("hog", {"cell": "4"})
    assert texts == {"arch": "vit_small_patch14_dinov2", "layer": "2", "Side": "112"}
    assert catalog.entry("dinov2") is catalog.entry("vit")
    assert catalog.views("dinov2")[0][1] == preset
    assert not set(catalog.aliases()) & set(catalog.names())
    with pytest.raises(UnknownName, match="Did you mean 'dinov2'"):
        catalog.entry("dinov2x")


def test_an_alias_has_precedence_over_a_folder_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    imrep.get("hog:cell=4").save("dinov2")
    assert catalog.parse("dinov2")[0][0] == "vit"
    assert catalog.parse("./dinov2") == [("./dinov2", {})]
