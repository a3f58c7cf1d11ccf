"""Operations on images, each a function: `imrep.edit.blur(image, sigma=2)`.

`chain` runs several in order; `file` and `folder` edit files on disk. An operation, and torch with
it, is imported when it is first used.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors and type checkers: one line an operation
    from imrep.edit.operations.bandpass import bandpass as bandpass
    from imrep.edit.operations.blend import blend as blend
    from imrep.edit.operations.blur import blur as blur
    from imrep.edit.operations.clahe import clahe as clahe
    from imrep.edit.operations.close import close as close
    from imrep.edit.operations.compress import compress as compress
    from imrep.edit.operations.decode import decode as decode
    from imrep.edit.operations.denoise import denoise as denoise
    from imrep.edit.operations.dilate import dilate as dilate
    from imrep.edit.operations.edges import edges as edges
    from imrep.edit.operations.enhance import enhance as enhance
    from imrep.edit.operations.equalise import equalise as equalise
    from imrep.edit.operations.erode import erode as erode
    from imrep.edit.operations.median import median as median
    from imrep.edit.operations.open import open as open
    from imrep.edit.operations.poster import poster as poster
    from imrep.edit.operations.sharpen import sharpen as sharpen
    from imrep.edit.operations.smooth import smooth as smooth
    from imrep.edit.operations.stretch import stretch as stretch
    from imrep.edit.operations.stylise import stylise as stylise
    from imrep.edit.operations.tonemap import tonemap as tonemap
    from imrep.edit.operations.unsharp import unsharp as unsharp


if not TYPE_CHECKING:  # a type checker that saw it would call every name an object

    def __getattr__(name: str) -> object:
        if name not in __dir__():
            raise AttributeError(f"imrep.edit has no operation {name!r}")
        return getattr(importlib.import_module(f"imrep.edit.operations.{name}"), name)


def __dir__() -> list[str]:
    from imrep.registry import operations

    return list(operations.names())
