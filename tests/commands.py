"""The command line in this process: the same command, without importing torch again."""

from click.testing import CliRunner


def run(*words, expect=0):
    """Run `imrep` with these words, and check its exit code."""
    from imrep.cli import main

    done = CliRunner().invoke(main, [*map(str, words)], catch_exceptions=False)
    assert done.exit_code == expect, done.output
    return done
