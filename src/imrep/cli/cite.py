"""`imrep cite SPEC...`: BibTeX of exactly what is named, without importing torch."""

import click

from imrep.cli import options
from imrep.registry import citations


@click.command(epilog=options.example("imrep cite hog sift:words=64 histogram+dct > refs.bib"))
@click.argument("spec", type=options.SPEC, nargs=-1, required=True)
def command(spec: tuple[str, ...]) -> None:
    """BibTeX of what is named.

    Any number of specs, sums too; every paper once. It is what the documentation of the
    representation cites, whatever its parameters.
    """
    found = dict.fromkeys(ref for one in spec for ref in citations.references(one))
    click.echo("\n\n".join(map(citations.bibtex, found)))
