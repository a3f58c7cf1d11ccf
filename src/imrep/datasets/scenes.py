"""Parts of photographs that come with dependencies, as pictures that show something else.

What a query scores on them says what it scores on pictures that do not show it.
"""

import io
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image

from imrep.datasets.builtin import inside
from imrep.datasets.dataset import Item

__all__ = ["items"]

_FILES = (
    *("skimage/data/astronaut.png", "skimage/data/brick.png", "skimage/data/camera.png"),
    *("skimage/data/cell.png", "skimage/data/chelsea.png", "skimage/data/clock_motion.png"),
    *("skimage/data/coffee.png", "skimage/data/coins.png", "skimage/data/grass.png"),
    *("skimage/data/gravel.png", "skimage/data/hubble_deep_field.jpg", "skimage/data/ihc.png"),
    *("skimage/data/moon.png", "skimage/data/motorcycle_left.png", "skimage/data/page.png"),
    *("skimage/data/retina.jpg", "skimage/data/rocket.jpg", "skimage/data/text.png"),
    *("sklearn/datasets/images/china.jpg", "sklearn/datasets/images/flower.jpg"),
)
_BOXES = {  # shares of width and height: left, top, right, bottom
    "all": (0.0, 0.0, 1.0, 1.0),
    "top left": (0.0, 0.0, 0.5, 0.5),
    "top right": (0.5, 0.0, 1.0, 0.5),
    "bottom left": (0.0, 0.5, 0.5, 1.0),
    "bottom right": (0.5, 0.5, 1.0, 1.0),
}
_LONGEST_PX = 512


@dataclass(frozen=True)
class Part:
    """A part of a photograph, read as a PNG file."""

    file: str
    box: str

    @property
    def stamp(self) -> str:
        """Constant: the photographs never change."""
        return f"{self.file} {self.box} {_LONGEST_PX}"

    def read(self) -> bytes:
        """The PNG file."""
        picture = _photograph(self.file)
        left, top, right, bottom = _BOXES[self.box]
        width, height = picture.size
        part = picture.crop((left * width, top * height, right * width, bottom * height))
        part.thumbnail((_LONGEST_PX, _LONGEST_PX))
        file = io.BytesIO()
        part.save(file, "PNG", compress_level=1)
        return file.getvalue()


def items() -> list[Item]:
    """Twenty photographs and their quarters."""
    return [
        Item(f"{file.rpartition('/')[2]} {box}", source=Part(file, box))
        for file in _FILES
        for box in _BOXES
    ]


@lru_cache(maxsize=2)  # its parts are read one after the other
def _photograph(file: str) -> Image.Image:
    with Image.open(inside(file)) as picture:
        return picture.convert("RGB")
