"""`imrep cite SPEC...`: BibTeX of representations, without importing torch."""

import click

from imrep.cli import options
from imrep.registry import citations


@click.command(epilog=options.example("imrep cite hog sift:words=64 histogram+dct > refs.bib"))
@click.argument("spec", type=options.SPEC, nargs=-1, required=True)
def command(spec: tuple[str, ...]) -> None:
    """Print BibTeX of the papers behind representations.

    Takes any number of specs and sums. Every paper is printed once. Parameters make no difference:
    the entries are the references of the representation's documentation.
    """
    entries = dict.fromkeys(entry for each in spec for entry in citations.references(each))
    click.echo("\n\n".join(map(citations.bibtex, entries)))
