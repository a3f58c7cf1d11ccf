"""The `imrep` command: one file per subcommand, imported when it runs and not before.

Exit codes: 0 done, 1 an error (one line on stderr), 2 wrong usage, 3 done but files were skipped
under `--strict`, 130 interrupted. Results go to stdout, everything else to stderr.
"""

import importlib
import os
import shlex
import sys
from typing import IO, Any

import click

from imrep import __version__
from imrep.errors import ImrepError

# In the order of use; a test holds these lines to the commands' own docstrings.
_COMMANDS = {
    "compare": "Which representation serves these images best?",
    "list": "Every representation, by family.",
    "card": "Facts, parameters and paper of a representation.",
    "cite": "BibTeX of what is named.",
    "picture": "Draw the code of an image.",
    "invert": "Rebuild an image from its code alone.",
    "embed": "Vectors of a folder of images, in one file.",
    "edit": "Sharpen, smooth, stretch, denoise, compress: one picture or a folder.",
    "match": "Is what one picture shows also in another, and where?",
}
_EXAMPLES = """Examples:
  imrep compare photos/                  a report: which is best, how sure, at what cost
  imrep list                             what there is
  imrep invert cat.jpg hog               what is left of a picture
  imrep embed photos/ hog -o v.parquet   vectors for your own model"""
_WORDS = (
    "SPEC is name:key=value,key=value, or several joined by a plus: hog:cell=4+histogram. "
    "DATA is a folder of images or of class folders, a split.csv, a zip, a parquet, a glob."
)
_RESUMABLE = ("compare", "edit", "embed", "match")


class _Refusal(click.ClickException):
    """An ImrepError on its way to the terminal: its message, on one line, nothing around it."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.secho(" ".join(self.message.split()), fg="red", err=file is None, file=file)


class _Lazy(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        found: click.Command = importlib.import_module(f"imrep.cli.{name}").command
        return found

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except ImrepError as error:
            raise _Refusal(str(error)) from error
        except KeyboardInterrupt:
            click.echo(f"\nInterrupted. {_way_on(context.invoked_subcommand)}".rstrip(), err=True)
            raise SystemExit(130) from None


def _way_on(command: str | None) -> str:
    """What to type to continue, for commands that keep what they have done."""
    if command not in _RESUMABLE:
        return ""
    return f"What is done is kept; to continue: {shlex.join(['imrep', *sys.argv[1:]])}"


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"\b\n{_EXAMPLES}\n\n{_WORDS}",
)
@click.version_option(__version__, prog_name="imrep", message="%(prog)s %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Which representation serves your images? Compare them, see them, use the one that wins."""
    # Read once, when torch is imported: threads that wait for each other in a loop take five times
    # as long beside another process.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if os.environ.get("NO_COLOR"):
        context.color = False
