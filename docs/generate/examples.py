"""`Example:` sections of docstrings as code: griffe knows only `Examples:`."""

from typing import Any

import griffe


class Examples(griffe.Extension):
    """Renames the heading while the API is read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Of every function, class and module."""
        if obj.docstring:
            obj.docstring.value = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")
