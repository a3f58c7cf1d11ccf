"""Labels and templates as people give them."""

import pytest

from imrep.errors import BadParameter
from imrep.language import prompts


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("a cat, a dog", ("a cat", "a dog")),
        (["a  cat ", "猫"], ("a cat", "猫")),
        (("a, b", "قطة", "🐈 <b>"), ("a, b", "قطة", "🐈 <b>")),
    ],
)
def test_labels_are_a_list_or_have_commas_between(labels, expected):
    assert prompts.read_labels(labels) == expected


def test_labels_may_be_lines_of_a_file(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("\ufeffa cat\n\n  a dog, wet \n", encoding="utf-8")
    assert prompts.read_labels(str(path)) == ("a cat", "a dog, wet")
    path.write_bytes(b"\xff\xfe\x00c")
    with pytest.raises(BadParameter, match=r"labels\.txt needs to be UTF-8"):
        prompts.read_labels(str(path))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("a cat,, a dog", "got an empty one, number 2 of the option"),
        ("cat, dog, A cat", "each label once, got 'A cat' as numbers 1 and 3"),
        (["x" * 301, "b"], "at most 300 characters, got 301 in number 1 of the list"),
        ("a cat", "two labels or more, got 1"),
        ([], "two labels or more, got 0"),
        (["a", 3], "needs texts, got 3"),
    ],
)
def test_bad_labels_are_refused_by_number(labels, message):
    with pytest.raises(BadParameter, match=message):
        prompts.read_labels(labels)


def test_templates_have_one_gap():
    assert prompts.read_templates(None) is prompts.TEMPLATES
    assert prompts.read_templates("a {}") == ("a {}",)
    assert prompts.read_templates(("a {}", "a {}", "b {}")) == ("a {}", "b {}")
    for bad in ("a cat", "{} or {}", ["a {}", "cat"]):
        with pytest.raises(BadParameter, match=r"a template needs \{\} once"):
            prompts.read_templates(bad)
    with pytest.raises(BadParameter, match="templates need a sentence or more"):
        prompts.read_templates([])


def test_templates_of_open_clip_by_name():
    pytest.importorskip("open_clip")
    openai, simple = prompts.read_templates("openai"), prompts.read_templates(("simple",))
    assert (len(openai), len(simple)) == (80, 7) and all("{}" in text for text in openai + simple)


def test_a_sentence_has_one_article():
    assert prompts.fill("a photo of a {}.", "the sea") == "a photo of the sea."
    assert prompts.fill("a photo of a {}.", "antelope") == "a photo of a antelope."
    assert prompts.fill("a photo of {}", "{}") == "a photo of {}"


def test_names_of_classes_become_words():
    assert prompts.readable("golden_retriever") == "golden retriever"
    assert prompts.readable("12") == "12" and prompts.readable("2_stroke") == "stroke"
    assert [
        name for name in ("7", "class_3", "-1.5", "n02123045", "x", "C") if prompts.has_words(name)
    ] == []
    assert all(map(prompts.has_words, ("cat", "7_seas", "猫", "classy")))


def test_labels_are_the_same_without_article_and_case():
    assert prompts.same("A Cat") == prompts.same("cat") == prompts.same("the_cat")
    assert prompts.same("cafe\u0301") == prompts.same("café") != prompts.same("cafe")


def test_other_scripts_are_recognised_by_their_letters():
    labels = ["cat", "naïve Ångström", "猫", "قطة", "🐈 2", "кот"]
    assert prompts.other_scripts(labels) == ["猫", "قطة", "кот"]
