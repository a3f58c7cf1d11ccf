"""BibTeX of the papers behind a representation, made from its docstring without importing torch.

References are written in one form: authors, "title", where, year. doi. Nothing is looked up and
nothing is filled in: what a docstring does not say, the entry does not say either.
"""

import re
from dataclasses import dataclass

from imrep.registry import catalog
from imrep.registry.catalog import Entry

_LINK = re.compile(r"(.+?)\s*\b(doi:\s?[^\s,;]+|arXiv:[^\s,;]+|https?://[^\s,;]+)")
_REFERENCE = re.compile(
    r'(?P<authors>.+?),\s+["“](?P<title>.+?)[,.]?["”],?\s*(?P<where>.*?),?\s*(?P<year>[12]\d{3})\b'
)
_LINE = re.compile(r"(?P<authors>.+?),?\s+(?P<year>[12]\d{3})\b")  # of a card: Burt & Adelson 1983
_VOLUME = re.compile(r"(?P<journal>.+?),? (?P<volume>\d+)(?: ?\((?P<number>[\d–-]+)\))?(?:, .*)?$")
_STOP_WORDS = {"a", "an", "the", "on", "of", "for", "and", "in", "to", "towards", "toward"}


@dataclass(frozen=True)
class Reference:
    """One paper; "" for what the source does not say."""

    authors: tuple[str, ...]
    title: str
    where: str
    year: str
    doi: str
    url: str

    @property
    def key(self) -> str:
        """Surname, year and the first significant word of the title: burt1983laplacian."""
        surname = self.authors[0].split()[-1] if self.authors else ""
        words = re.findall(r"\w+", self.title.lower())
        significant = next((word for word in words if word not in _STOP_WORDS), "")
        return re.sub(r"[^a-z0-9]", "", f"{_plain(surname)}{self.year}{significant}".lower())


def references(spec: str) -> list[Reference]:
    """The papers of every view of a spec, each once, in order.

    Raises:
        UnknownName: If nothing has one of the names.
        BadParameter: If the spec cannot be read.
    """
    papers = [ref for entry, _ in catalog.views(spec) for ref in _of(entry)]
    return list(dict.fromkeys(papers))


def bibtex(reference: Reference) -> str:
    """One entry. An article where a volume is named, else a part of proceedings, else misc."""
    volume = _VOLUME.match(reference.where)
    fields = {
        "author": " and ".join(reference.authors),
        "title": f"{{{reference.title}}}" if reference.title else "",
    }
    if volume:
        kind = "article"
        fields |= {key: text or "" for key, text in volume.groupdict().items()}
    elif reference.where and "arxiv" not in (reference.where + reference.doi).lower():
        kind = "inproceedings"
        fields["booktitle"] = reference.where
    else:
        kind = "misc"
        fields["howpublished"] = reference.where
    fields |= {"year": reference.year, "doi": reference.doi, "url": reference.url}
    rows = [f"  {key:<9} = {{{_escaped(key, text)}}}," for key, text in fields.items() if text]
    return "\n".join([f"@{kind}{{{reference.key},", *rows, "}"])


def papers(doc: str) -> list[Reference]:
    """Those that a docstring's References section names, in order."""
    _, _, section = doc.partition("References:\n")
    lines = []
    for line in section.splitlines():
        if line and not line.startswith("    "):
            break
        lines.append(line.strip())
    paragraphs = " ".join(line or "\n" for line in lines).split("\n")
    return [_read(*paper) for text in paragraphs if text.strip() for paper in _papers(text)]


def _of(entry: Entry) -> list[Reference]:
    """The docstring's References; the card's line where there are none."""
    return papers(entry.doc) or [_read(*match) for match in _LINK.findall(entry.card.cite)]


def _papers(text: str) -> list[tuple[str, str]]:
    """Each paper of a paragraph with its link; a paragraph without any is one paper."""
    return _LINK.findall(text) or [(text, "")]


def _read(text: str, link: str) -> Reference:
    text = text.lstrip(" .;,")
    parts = _REFERENCE.match(text) or _LINE.match(text)
    fields = parts.groupdict() if parts else {"authors": text.rstrip(" .,")}
    link = re.sub("^arXiv:", "https://arxiv.org/abs/", link.rstrip(".)"))
    return Reference(
        authors=_people(fields["authors"]),
        title=fields.get("title", ""),
        where=fields.get("where", ""),
        year=fields.get("year", ""),
        doi=link[4:].strip() if link.startswith("doi:") else "",
        url="" if link.startswith("doi:") else link,
    )


def _people(text: str) -> tuple[str, ...]:
    """`N. Dalal and B. Triggs`, `A. Smith, B. Jones & C. Lee`, `Smith et al.` as single names."""
    text = re.sub(r",? et al\.?", ", others", text)
    people = re.split(r",\s+and\s+|\s+and\s+|\s*&\s*|,\s+", text)
    return tuple(person.strip() for person in people if person.strip())


def _plain(text: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _escaped(key: str, text: str) -> str:
    return text if key in ("doi", "url") else re.sub(r"(?<!\\)([&%#_$])", r"\\\1", text)
