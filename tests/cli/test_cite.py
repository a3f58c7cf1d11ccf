"""`imrep cite`: BibTeX of what is named, and of nothing else."""

import re


def keys(text):
    return re.findall(r"^@\w+\{(\w+),", text, re.MULTILINE)


def test_what_is_named_is_cited_once(inside):
    said = inside("cite", "laplacian", "pixels+laplacian:levels=2").output
    assert keys(said) == ["burt1983laplacian", "torralba200880"]


def test_the_entry_is_as_it_was(installed, snapshot):
    assert installed("cite", "laplacian").stdout == snapshot


def test_an_unknown_name_is_an_error(inside):
    assert "Did you mean 'pixels'?" in inside("cite", "pixel", expect=1).stderr
