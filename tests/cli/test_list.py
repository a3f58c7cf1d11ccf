"""`imrep list`: everything there is, by family."""

import json

from imrep.registry import catalog


def test_every_name_is_listed_under_its_family(installed):
    lines = installed("list").stdout.splitlines()
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


def listed(imrep, *options):
    return {entry["name"] for entry in json.loads(imrep("list", "--json", *options).stdout)}


def test_filters_keep_what_has_both(imrep):
    cards = {name: catalog.card(name) for name in catalog.names()}
    local = {name for name, card in cards.items() if card.family == "local"}
    exact = {name for name, card in cards.items() if card.inverse == "exact"}
    assert listed(imrep, "--family", "local") == local != set(cards)
    assert listed(imrep, "--inverse", "exact") == exact != set(cards)
    assert listed(imrep, "--family", "multiscale", "--inverse", "exact") == {
        name for name in exact if cards[name].family == "multiscale"
    }


def test_letter_case_of_a_filter_does_not_matter(imrep):
    assert listed(imrep, "--family", "Local") == listed(imrep, "--family", "local")
    assert listed(imrep, "--inverse", "EXACT") == listed(imrep, "--inverse", "exact")


def test_a_filter_leaves_only_its_headings(imrep):
    lines = imrep("list", "--family", "frequency").stdout.splitlines()
    assert lines[0] == "frequency" and "local" not in lines


def test_a_misspelt_family_is_offered_the_nearest(imrep):
    done = imrep("list", "--family", "locxl", expect=2)
    assert "no family is called 'locxl'. Did you mean 'local'?" in done.stderr
    done = imrep("list", "--family", "zzz", expect=2)
    assert "Use one of statistics, local, multiscale" in done.stderr


def test_filters_that_nothing_passes_say_so(imrep):
    done = imrep("list", "--family", "statistics", "--inverse", "exact")
    assert not done.stdout
    assert done.stderr == "no representation of statistics has an exact inverse\n"
    assert (
        json.loads(imrep("list", "--family", "statistics", "--inverse", "exact", "--json").stdout)
        == []
    )


def test_short_names_are_listed(imrep):
    assert "Short names: dinov2, " in imrep("list", "--family", "learned").stdout
    words = imrep("list", "--family", "language").stdout.split()
    assert {"siglip,", "siglip2,", "mobileclip,"} <= {*words}
    facts = {fact["name"]: fact for fact in json.loads(imrep("list", "--json").stdout)}
    assert facts["vit"]["aliases"]["dinov2"] == "arch=vit_small_patch14_dinov2,side=224"
    assert facts["hog"]["aliases"] == {}
