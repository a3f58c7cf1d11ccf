import re
from pathlib import Path

from imrep.embedding import cache
from imrep.embedding.cache.location import KINDS

PACKAGE = Path(__file__).parents[4] / "src" / "imrep"


def test_the_same_parts_have_the_same_key_whatever_the_order_of_a_dict():
    assert cache.key({"a": 1, "b": 2}) == cache.key({"b": 2, "a": 1})
    assert cache.key("a", "b") != cache.key("ab")


def test_it_lies_under_the_variable_or_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("IMREP_CACHE", raising=False)
    assert cache.root() == tmp_path / ".cache" / "imrep"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.root() == tmp_path / "xdg" / "imrep"
    monkeypatch.setenv("IMREP_CACHE", "~/elsewhere")
    assert cache.root() == tmp_path / "elsewhere"


def test_every_kind_that_is_written_is_explained():
    text = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    assert set(re.findall(r'cache\.folder\(\s*"(\w+)"', text)) == KINDS.keys()
