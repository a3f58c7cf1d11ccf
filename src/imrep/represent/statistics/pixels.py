"""Raw pixels: the image at a small size."""

import torch

from imrep import checks, codecheck
from imrep.base import Representation
from imrep.codes import Map
from imrep.drawing import enlarge
from imrep.ops.colour import luminance
from imrep.ops.resize import resize, square
from imrep.registry.cards import Card
from imrep.types import Image, Picture, Vectors


class Pixels(Representation[Map]):
    """The image resized to a small square, each pixel a number.

    The baseline that every other representation has to beat. Shrinking with an antialiasing filter
    averages away noise and small shifts, and 32 × 32 is about where people still name most things
    they see. The aspect ratio is given up; an image of the very size is planes as it is.

    The inverse enlarges the square to the image's size; finer detail is lost. It is exact
    for images of `side` × `side`; with `gray` it is the gray image.

    Args:
        side: Height and width of the small square, in pixels.
        gray: Whether to keep the luminance only.

    References:
        A. Torralba, R. Fergus and W. T. Freeman, "80 million tiny images", IEEE Trans. PAMI 30(11),
        2008. doi:10.1109/TPAMI.2008.128

    Example:
        >>> import torch, imrep
        >>> code = imrep.get("pixels", side=8).encode(torch.rand(1, 3, 40, 60))
        >>> tuple(code.values.shape), code.size
        ((1, 3, 8, 8), (40, 60))
    """

    card = Card(
        title="Raw pixels",
        family="statistics",
        cite="Torralba, Fergus & Freeman 2008, doi:10.1109/TPAMI.2008.128",
        inverse="approximate",
    )

    def __init__(self, *, side: int = 32, gray: bool = False) -> None:
        checks.between(side, 1, checks.MAX_SIDE, self.name, "side")
        super().__init__()
        self.side, self.gray = side, gray

    def encode(self, image: Image) -> Map:
        """The small image, (batch, channel, side, side); one channel where `gray`."""
        checks.image(image, self.name, linear=True)
        height, width = image.shape[2:]
        planes = luminance(image) if self.gray else image
        labels = ("red", "green", "blue") if planes.shape[1] == 3 else ("gray",)
        return Map(square(planes, self.side), (height, width), labels)

    def pool(self, code: Map) -> Vectors:
        """Every pixel: channel by channel, row by row."""
        return code.values.flatten(1)

    def check_code(self, code: Map) -> None:
        """Refuse maps of another size, or other than one or three.

        Raises:
            BadCode: Naming what is needed and what came.
        """
        channels = (1,) if self.gray else (1, 3)
        codecheck.maps(code.values, self.name, channels, (self.side, self.side))

    def invert(self, code: Map) -> Image:
        """The small image enlarged to the size of the one it came from."""
        return resize(code.values, *code.size)

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """The small image, every pixel a crisp square."""
        values = code.values.detach().clamp(0, 1)
        return enlarge(torch.broadcast_to(values, (len(values), 3, *values.shape[2:])))
