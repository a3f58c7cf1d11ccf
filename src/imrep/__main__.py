"""`python -m imrep`."""

from imrep.cli import main

main(prog_name="imrep")
