"""`python -m imrep.cli`."""

from imrep.cli import main

main(prog_name="imrep")
