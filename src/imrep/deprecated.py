"""Old names of arguments, which work for one release with a warning."""

import functools
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def renamed(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function take keyword arguments under their old names, as `old="new"`.

    Example:
        >>> import warnings
        >>> @renamed(most="max_images")
        ... def compare(*, max_images=None):
        ...     return max_images
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     compare(most=5), str(caught[0].message)
        (5, "compare takes 'max_images', got 'most', its old name. The next release drops it.")

    Raises:
        TypeError: The function is called with an old name and its new one.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def inner(*args: Any, **keywords: Any) -> R:
            for old in names.keys() & keywords.keys():
                new, value = names[old], keywords.pop(old)
                if new in keywords:
                    raise TypeError(f"{function.__name__} takes {new!r} once, got {old!r} too.")
                warn_renamed(function.__name__, old, new)
                keywords[new] = value
            return function(*args, **keywords)

        return inner

    return decorate


def warn_renamed(caller: str, old: str, new: str, *, stacklevel: int = 2) -> None:
    """Warn that an argument has another name now; the default blames the caller's caller."""
    warnings.warn(
        f"{caller} takes {new!r}, got {old!r}, its old name. The next release drops it.",
        FutureWarning,
        stacklevel=stacklevel + 1,
    )
