"""Everything imrep raises on purpose.

ImrepError
├── UnknownName     no representation, command … of that name
├── BadParameter    a parameter or an option out of its range
├── BadImage        a tensor of unsupported shape, dtype, range or size
├── BadCode         a code that its representation cannot have made
├── BadFile         a file that is no readable image
├── Busy            an output that another run is writing
├── BadData         a folder, table or archive that holds no data set
├── Diverged        training whose loss is not finite
├── NoInverse       invert() where the card says "none"
├── NotFitted       embed() before fit()
├── WeightsNeeded   a learned representation without its weights
├── ExtraNeeded     an optional dependency is not installed
├── StoreMismatch   vectors written by another representation
└── WorkersLost     images that no worker of a cluster could embed

Form of every message: **who** *needs* **what**, *got* **what came**. **Then what to do.**
"""

_LONGEST = 80  # characters of a value in a message


def short_repr(value: object) -> str:
    """A value as a message quotes it: on one line, and shortened.

    Example:
        >>> short_repr("hog"), short_repr([1] * 100)
        ("'hog'", 'a value of type list')
    """
    text = repr(value)
    if (
        "\n" in text
        or text.startswith("<")
        or (len(text) > _LONGEST and not isinstance(value, str))
    ):
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


class ImrepError(Exception):
    """Base class; the command line prints its message as one line, without a traceback."""


class UnknownName(ImrepError, LookupError):
    """An unknown name. LookupError, since KeyError would quote the message."""


class BadParameter(ImrepError, ValueError):
    """A parameter outside its range, of the wrong type, or unknown."""


class BadImage(ImrepError, ValueError):
    """An input that is not a batch of images this representation accepts."""


class BadCode(ImrepError, ValueError):
    """A code whose shapes, types or values do not fit together or its representation."""


class BadFile(ImrepError, ValueError):
    """A file that cannot be read as an image; the message is the reason, on one line."""


class Busy(ImrepError, OSError):
    """An output, or the folder of its unfinished parts, that another run is writing."""


class BadData(ImrepError, ValueError):
    """A path that holds no data set."""


class Diverged(ImrepError, ArithmeticError):
    """A training run whose loss or gradient is not finite; the last checkpoint remains."""


class NoInverse(ImrepError, NotImplementedError):
    """The representation has no inverse of its own."""


class NotFitted(ImrepError, RuntimeError):
    """Vectors were asked for before the representation was fitted to images."""


class WeightsNeeded(ImrepError, RuntimeError):
    """Learned weights are required and absent."""


class ExtraNeeded(ImrepError, ImportError):
    """An optional dependency is missing."""


class StoreMismatch(ImrepError, ValueError):
    """Vectors on disk were written by a different representation or with other settings."""


class WorkersLost(ImrepError, RuntimeError):
    """Images that no worker of a cluster could embed; all others are stored."""
