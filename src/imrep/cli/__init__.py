"""The `imrep` command: one file per subcommand, imported only when it runs.

Exit codes: 0 success, 1 an error (one line on stderr), 2 wrong usage, 3 files were skipped under
`--strict`, 130 interrupted. Results go to stdout, everything else to stderr.
"""

import codecs
import errno
import gc
import importlib
import os
import sys
import warnings
from typing import IO, Any

import click

from imrep import __version__
from imrep.cli.forgiving import Forgiving
from imrep.errors import ImrepError
from imrep.io.names import command_line, printable

# In the order of use. A test compares these lines with the docstrings of the commands.
_COMMANDS = {
    "compare": "Compare representations on a set of images.",
    "list": "Every representation, by family.",
    "card": "Print facts, parameters and paper of a representation.",
    "cite": "Print BibTeX of the papers behind representations.",
    "picture": "Draw what a representation computes of an image.",
    "invert": "Reconstruct an image from its code alone.",
    "predict": "Predict the class, number or labels of new images by a saved model.",
    "caption": "Write captions of images.",
    "segment": "Segment images: the class of each pixel.",
    "classify": "Classify images by the names of the classes, without any training.",
    "map": "Draw a map of images: those with similar vectors lie close together.",
    "search": "Search a folder, or a store, by words, or by an image.",
    "duplicates": "List near-duplicates in groups, and which image of each to keep.",
    "evaluate": "Measure a representation of images and text by a task.",
    "train": "Train a learned representation on a set of images.",
    "embed": "Embed a data set and write the vectors to one file or a store.",
    "store": "Inspect, check, repair, compact or export a store of vectors.",
    "export": "Export a representation or a model as one file from pixels to vectors or classes.",
    "run": "Run an exported file on images: vectors, or classes.",
    "edit": "Sharpen, smooth, stretch, denoise, compress: one image or a folder.",
    "pose": "Find the poses of persons, or of whatever was trained.",
    "match": "Is what one picture shows also in another, and where?",
    "cache": "Inspect or clear the cache, from which compare resumes.",
}
_EXAMPLES = """Examples:
  imrep compare photos/                  a report: accuracy, its interval, cost
  imrep list                             every representation
  imrep invert cat.jpg hog               an image reconstructed from its code
  imrep embed photos/ hog -o v.parquet   vectors in a file
  imrep compare photos/ --save model/    a classifier; then imrep predict model/ new/"""
_WORDS = (
    "SPEC is name:key=value,key=value, or a sum of several: hog:cell=4+histogram. "
    "DATA is a folder of images or of class folders, a split.csv, a zip, tar shards, a parquet, a "
    "COCO json, a glob, - for paths on standard input, or a URI such as s3://bucket/photos."
)
_RESUMABLE = (
    "caption",
    "classify",
    "compare",
    "duplicates",
    "edit",
    "embed",
    "evaluate",
    "match",
    "pose",
    "predict",
    "run",
    "search",
    "segment",
    "train",
)


class _Refusal(click.ClickException):
    """An ImrepError as one line on the terminal."""

    def show(self, file: IO[Any] | None = None) -> None:
        line = printable(" ".join(self.message.split()))
        click.secho(line, fg="red", err=file is None, file=file)


class _Lazy(Forgiving):
    def list_commands(self, context: click.Context) -> list[str]:
        return [*_COMMANDS]  # `list` is the module of that name, once imported

    def main(self, *arguments: Any, **more: Any) -> Any:
        """The command, on streams that accept every file name."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors=_UNENCODABLE)
        return super().main(*arguments, **more)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"imrep.cli.{name}").command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([*_COMMANDS.items()])

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except ImrepError as error:
            raise _Refusal(str(error)) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # `imrep list | head`: click handles it
                raise
            raise _Refusal(_refused_by_system(error)) from error
        except (MemoryError, RuntimeError) as error:
            if not _out_of_memory(error):
                raise
            raise _Refusal(
                "this needs more memory than is available. Use smaller images."
            ) from error
        except KeyboardInterrupt:
            click.echo(
                f"\nInterrupted. {_resume_hint(context.invoked_subcommand)}".rstrip(), err=True
            )
            gc.freeze()  # the last collection takes a second where torch is imported
            raise SystemExit(130) from None


def _out_of_memory(error: Exception) -> bool:
    """Torch raises a RuntimeError, for main memory and for that of an accelerator."""
    phrases = ("can't allocate memory", "not enough memory", "out of memory")
    return isinstance(error, MemoryError) or any(phrase in str(error) for phrase in phrases)


def _refused_by_system(error: OSError) -> str:
    """An error of the system: a full disk, missing permissions, a name too long."""
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    reason = f"{error.strerror or error}. Check the path and its permissions."
    return f"{names[-1] if names else 'the output'} cannot be read or written: {reason}"


def _resume_hint(command: str | None) -> str:
    """The command that resumes, for commands that store their progress."""
    if command not in _RESUMABLE:
        return ""
    has_out = any(word.startswith(("-o", "--out")) for word in sys.argv)
    if command in ("caption", "predict", "run") and not has_out:
        return "Nothing was kept; with -o FILE it is."
    words = ["imrep", *sys.argv[1:]]
    words += ["--resume"] if command == "train" and "--resume" not in words else []
    return f"The progress is saved. To resume: {command_line(words)}"


def _replacement(error: UnicodeError) -> tuple[str, int]:
    """For what a stream cannot encode: bytes that are not UTF-8 as in `printable`, else "?"."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    unencodable = error.object[error.start : error.end]
    return "".join(printable(c) if printable(c) != c else "?" for c in unencodable), error.end


_UNENCODABLE = "imrep-printable"
codecs.register_error(_UNENCODABLE, _replacement)


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"\b\n{_EXAMPLES}\n\n{_WORDS}",
)
@click.version_option(__version__, prog_name="imrep", message="%(prog)s %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Image representations: compare them on your images, inspect them, embed with them."""
    # Read once, when torch is imported. Threads that wait actively are slow beside another process.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if os.environ.get("NO_COLOR"):
        context.color = False
    warnings.formatwarning = lambda message, *_, **__: f"{message}\n"  # no line of imrep's source
