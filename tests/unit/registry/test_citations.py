"""BibTeX made of docstrings: every part in its field, nothing made up."""

import re

import pytest

from imrep.errors import UnknownName
from imrep.registry import catalog, citations
from imrep.registry.cards import Card
from imrep.registry.catalog import Entry

DOC = """Summary.

Args:
    x: Something.

References:
    A. Author and B. von Writer, "On the 100 % edge & more", IEEE Trans.
    Something 31(4), 1983. doi:10.1109/TCOM.1983.1095851
    C. Müller, D. Doe and E. Roe, "Second paper", CVPR 2005.
    doi:10.1109/CVPR.2005.177.
    F. Preprint et al., "A third: with colon", 2015. https://arxiv.org/abs/1512.03385

Example:
    >>> nothing
"""


def entry(doc=DOC, cite="Author & Writer 1983, doi:10.1/x"):
    card = Card(title="T", family="f", cite=cite)
    return Entry("name", "module", "Name", card, "Summary.", doc, ())


def read(doc=DOC, **more):
    return citations._of(entry(doc, **more))


def test_an_article_is_parsed():
    first = read()[0]
    assert first.authors == ("A. Author", "B. von Writer")
    assert first.title == "On the 100 % edge & more"
    assert (first.where, first.year) == ("IEEE Trans. Something 31(4)", "1983")
    assert (first.doi, first.url) == ("10.1109/TCOM.1983.1095851", "")


def test_every_reference_is_parsed():
    found = read()
    assert [ref.year for ref in found] == ["1983", "2005", "2015"]
    assert [ref.key for ref in found] == ["author1983100", "muller2005second", "preprint2015third"]
    assert found[1].doi == "10.1109/CVPR.2005.177"
    assert found[2].url == "https://arxiv.org/abs/1512.03385"
    assert found[2].authors == ("F. Preprint", "others")


def test_a_paragraph_without_a_link_borrows_none():
    old = '    S. Older, "No number then", Wireless 7, 1930.\n\n    A. Author'
    first, second, *_ = read(DOC.replace("    A. Author", old, 1))
    assert (first.title, first.year, first.doi, first.url) == ("No number then", "1930", "", "")
    assert (second.title, second.doi[:7]) == ("On the 100 % edge & more", "10.1109")


def test_the_entry_has_its_kind_and_escapes():
    article, part, other = map(citations.bibtex, read())
    assert article.startswith("@article{author1983100,")
    assert "  journal   = {IEEE Trans. Something}," in article
    assert "  volume    = {31}," in article
    assert "  number    = {4}," in article
    assert r"{{On the 100 \% edge \& more}}" in article
    assert part.startswith("@inproceedings{") and "booktitle = {CVPR}" in part
    assert other.startswith("@misc{") and "  url       = {https://" in other


def test_without_references_the_card_speaks_and_no_title_is_made_up():
    (only,) = read("Summary.\n\nArgs:\n    x: Thing.")
    assert only.authors == ("Author", "Writer")
    assert (only.title, only.year, only.doi) == ("", "1983", "10.1/x")
    assert "title" not in citations.bibtex(only)


def test_a_sum_names_every_paper_once():
    alone = citations.references("laplacian")
    assert citations.references("laplacian+laplacian:levels=2") == alone
    both = citations.references("pixels+laplacian")
    assert both == citations.references("pixels") + alone


def test_an_unknown_name_is_refused():
    with pytest.raises(UnknownName, match="Did you mean 'laplacian'"):
        citations.references("laplacien")


@pytest.mark.parametrize("name", catalog.names())
def test_everything_can_be_cited(name):
    """Valid BibTeX with an author, a title, a year, and a DOI or an address, old papers aside."""
    found = citations.references(name)
    assert found
    for text in map(citations.bibtex, found):
        head, *rows, tail = text.splitlines()
        assert re.fullmatch(r"@(article|inproceedings|misc)\{[a-z0-9]+,", head)
        assert tail == "}"
        keys = [re.fullmatch(r"  (\w+) +=( \{.+\}),", row)[1] for row in rows]
        assert {"author", "title", "year"} <= set(keys), text
        year = int(re.search(r"year +=( \{(\d+)\}),", text)[2])
        assert {"doi", "url"} & set(keys) or year < 1950, text
        assert text.count("{") == text.count("}")
        if "doi" in keys:
            assert re.search(r"doi +=( \{10\.\d{4,9}/\S+\}),", text)
    keys = [ref.key for ref in found]
    assert len(set(keys)) == len(keys)
