"""`imrep list`: everything there is, by family."""

import json

from imrep.registry import catalog


def test_every_name_is_listed_under_its_family(imrep):
    lines = imrep("list").stdout.splitlines()
    heads = [line for line in lines if line and line[0] != " "]
    for name in catalog.names():
        place = next(i for i, line in enumerate(lines) if line.split()[:1] == [name])
        family = next(line for line in reversed(lines[:place]) if line in heads)
        assert family == catalog.card(name).family


def test_marks_say_what_the_card_says(imrep):
    marks = {
        line.split()[0]: line.split()[1:4]
        for line in imrep("list").stdout.splitlines()
        if line.startswith("  ") and line[2] != " "
    }
    assert marks["laplacian"] == ["=", "∇", "·"]
    assert marks["pixels"] == ["≈", "∇", "·"]
    assert marks["histogram"] == ["≈", "·", "·"]


def test_lines_fit_the_terminal(imrep):
    for columns in ("60", "80", "120"):
        said = imrep("list", COLUMNS=columns).stdout
        assert max(map(len, said.splitlines())) <= max(72, int(columns))


def test_json_is_every_card(imrep):
    found = {one["name"]: one for one in json.loads(imrep("list", "--json").stdout)}
    assert sorted(found) == list(catalog.names())
    assert found["laplacian"]["inverse"] == "exact"
    assert found["laplacian"]["parameters"] == {"levels": 4, "a": 0.375, "cells": 4}
    assert found["pixels"]["package"] == "imrep"
