"""The `imrep` command: one file per subcommand, imported when it runs and not before.

Exit codes: 0 done, 1 an error (one line on stderr), 2 wrong usage, 3 done but files were skipped
under `--strict`, 130 interrupted. Results go to stdout, everything else to stderr.
"""

import codecs
import difflib
import errno
import importlib
import os
import sys
import warnings
from typing import IO, Any

import click

from imrep import __version__
from imrep.errors import ImrepError
from imrep.io.names import command_line, printable

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
        line = printable(" ".join(self.message.split()))
        click.secho(line, fg="red", err=file is None, file=file)


class _Lazy(click.Group):
    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def main(self, *arguments: Any, **more: Any) -> Any:
        """The command, on streams that take every name."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors=_UNENCODABLE)
        return super().main(*arguments, **more)

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The subcommand, whatever its letter case; the nearest one is offered."""
        name = args[0].lower()
        if name in _COMMANDS:
            args = [name, *args[1:]]
        elif near := difflib.get_close_matches(name, _COMMANDS, n=1):
            context.fail(f"No such command {args[0]!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(context, args)

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
        except OSError as error:
            if error.errno == errno.EPIPE:  # `imrep list | head`: click ends quietly
                raise
            raise _Refusal(_refused_by_system(error)) from error
        except (MemoryError, RuntimeError) as error:
            if not _out_of_memory(error):
                raise
            raise _Refusal("this needs more memory than there is. Give smaller images.") from error
        except KeyboardInterrupt:
            click.echo(f"\nInterrupted. {_way_on(context.invoked_subcommand)}".rstrip(), err=True)
            raise SystemExit(130) from None


def _out_of_memory(error: Exception) -> bool:
    """Torch says so by a RuntimeError, of the processor's memory and of an accelerator's."""
    words = ("can't allocate memory", "not enough memory", "out of memory")
    return isinstance(error, MemoryError) or any(each in str(error) for each in words)


def _refused_by_system(error: OSError) -> str:
    """What the system would not do: a full disk, a closed folder, a name too long."""
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    reason = f"{error.strerror or error}. Check the path and its permissions."
    return f"{names[-1] if names else 'the output'} cannot be read or written: {reason}"


def _way_on(command: str | None) -> str:
    """What to type to continue, for commands that keep what they have done."""
    if command not in _RESUMABLE:
        return ""
    return f"What is done is kept; to continue: {command_line(['imrep', *sys.argv[1:]])}"


def _spelt_out(error: UnicodeError) -> tuple[str, int]:
    """What a stream cannot encode: bytes that are no UTF-8 as `printable` has them, else ?."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(printable(c) if printable(c) != c else "?" for c in bad), error.end


_UNENCODABLE = "imrep-printable"
codecs.register_error(_UNENCODABLE, _spelt_out)


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
    warnings.formatwarning = lambda message, *_, **__: f"{message}\n"  # no line of imrep's source
