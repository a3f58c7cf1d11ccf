"""The page of `imrep edit`: every operation, its parameters, and a photograph before and after."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generate import prose
from generate.markup import image, listed, parameters
from generate.photographs import Effort, jpeg, square

from imrep.registry import citations, operations, specs
from imrep.registry.operations import Operation

if TYPE_CHECKING:
    from torch import Tensor

_PHOTOGRAPH, _SECOND = "coffee", "chelsea"
_SCALE = 2  # relative to the gallery's photographs
_NOISE = 0.1
_DISK = 0.35  # radius of a mask's white disk, as a share of the side
_OPENING = """\
# Edit

```sh
imrep edit cat.jpg "stretch, unsharp:alpha=0.7"    # one after the other, nothing rounded between
imrep edit holidays/ stretch -o clearer/           # every picture of a folder
imrep edit --about unsharp                         # the text below, in the terminal
```

```python
clearer = imrep.apply_edits(image, "stretch, unsharp:alpha=0.7")
sharp = imrep.edit.unsharp(image, alpha=0.7)       # each operation is a function
```

An operation is written `name:key=value,key=value`. The output has the input's size, depth (16 bits
stay 16), transparency, colour profile and EXIF, is upright, and overwrites the input only with
`--in-place`. Each operation is shown here at its defaults, before and after.
"""


@dataclass(frozen=True)
class Edited:
    """A photograph before and after an operation; `after` is None if the result is not an image."""

    name: str
    before: bytes
    after: bytes | None
    note: str = ""  # on how the example was prepared


def example(name: str, effort: Effort) -> Edited:
    """One operation at its defaults. A second image is another photograph, a mask is a disk."""
    import torch

    torch.manual_seed(0)
    operation = operations.entry(name)
    side = effort.side * _SCALE
    before = square(_PHOTOGRAPH, side)
    if operation.gives != "Image" or operation.takes != "Image":
        return Edited(name, jpeg(before), _there_and_back(operation, before))
    names = {p.name for p in operation.parameters}
    needed = {p.name for p in operation.parameters if p.needed}
    more = {key: _disk(side) if key == "mask" else square(_SECOND, side) for key in needed}
    note = "The second image is a cat, the mask a disk." if needed else ""
    if "noise" in names:
        before = (before + _NOISE * torch.randn(before.shape)).clamp(0, 1)
        note = f"Noise of standard deviation {_NOISE} was added first."
    with torch.no_grad():
        after = operation.load()(before, **more)
    return Edited(name, jpeg(before), jpeg(after), note)


def page(edited: Mapping[str, Edited]) -> str:
    """Every operation, by name."""
    lines = [_OPENING]
    for name, pair in edited.items():
        operation = operations.entry(name)
        parts = prose.sections(operation.doc)
        lines += [
            f"## {name}\n",
            f"{prose.inline(operation.summary)}\n{{ .lead }}\n",
            _pictures(pair),
            f"{prose.markdown(parts['body'])}\n",
            parameters(operation.parameters),
            f"```sh\n{_command(operation)}\n```\n",
            listed(citations.papers(operation.doc)),
        ]
    return "\n".join(line for line in lines if line)


def _command(operation: Operation) -> str:
    """A command line; further images are named after their parameters."""
    needed = {key: f"{key}.png" for p in operation.parameters if p.needed
              for key in [p.name.rstrip("_")]}  # fmt: skip
    source = "cat.jpg" if operation.takes == "Image" else "cat.imr"
    return f"imrep edit {source} {specs.write(operation.name, needed)}"


def _pictures(edited: Edited) -> str:
    if edited.after is None:
        return ""
    before = image(f"pictures/edit-{edited.name}-before.jpg", "before")
    after = image(f"pictures/edit-{edited.name}.jpg", f"after {edited.name}")
    note = f"{edited.note}\n{{ .fine }}\n" if edited.note else ""
    return f'<div class="before-after">\n{before}\n{after}\n</div>\n\n{note}'


def _there_and_back(operation: Operation, before: "Tensor") -> bytes | None:
    """What is left of a picture that was packed, if there is an operation that unpacks it."""
    import torch

    back = [entry for name in operations.names() if (entry := operations.entry(name)).takes
            == operation.gives and entry.gives == "Image"]  # fmt: skip
    if operation.takes != "Image" or not back:
        return None
    with torch.no_grad():
        return jpeg(back[0].load()(operation.load()(before)))


def _disk(side: int) -> "Tensor":
    import torch

    line = torch.linspace(-0.5, 0.5, side)
    return (line[:, None].hypot(line) < _DISK).float()[None, None]
