"""What in the image a channel responds to: the gradient, a deconvnet, guided backpropagation.

References:
    K. Simonyan, A. Vedaldi and A. Zisserman, "Deep inside convolutional networks: visualising image
    classification models and saliency maps", ICLR workshop 2014. arXiv:1312.6034

    M. D. Zeiler and R. Fergus, "Visualizing and understanding convolutional networks", ECCV 2014.
    doi:10.1007/978-3-319-10590-1_53

    J. T. Springenberg, A. Dosovitskiy, T. Brox and M. Riedmiller, "Striving for simplicity: the all
    convolutional net", ICLR workshop 2015. arXiv:1412.6806
"""

import torch
from torch import Tensor

from imrep.base import Representation
from imrep.drawing import beside
from imrep.types import Image, Picture
from imrep.visualisation.maps import check_channel, differentiable_maps, maps, strongest
from imrep.visualisation.receptive_field import Box, receptive_field
from imrep.visualisation.rectifiers import RectifierRule, Rule

_LINE = (1.0, 0.6, 0.1)
_BRIGHTEST = 0.999  # quantile of magnitudes that is drawn with full contrast
_EPSILON = 1e-12


def project(
    rep: Representation, image: Image, rule: Rule = "deconvnet", channel: int | None = None
) -> Tensor:
    """The code carried back to pixels, (b, 1|3, height, width), of either sign.

    Of a channel, its strongest activation alone is carried down, as in Zeiler and Fergus; without a
    channel all maps are, each weighted by its own activations, which shows what of the image the
    rectified maps still hold. A deconvnet knows of the image by the switches of max pooling alone;
    for a network without any, guided backpropagation shows more.

    Args:
        rep: A representation whose gradient reaches the image.
        image: (b, 1|3, height, width), values in [0, 1].
        rule: What rectifiers do on the way down; see `rectifiers`.
        channel: From 0; None for all.

    Raises:
        BadParameter: If no gradient reaches the image, or the code has no such channel.
    """
    with RectifierRule(rule):
        leaf, values = differentiable_maps(rep, image)
    start = values.detach()
    if channel is not None:
        check_channel(channel, values, rep)
        selected = torch.zeros_like(start)
        selected[:, channel] = 1
        start = start * strongest(start) * selected
    (gradient,) = torch.autograd.grad(values, leaf, start)
    return gradient


def picture(
    rule: Rule, rep: Representation, image: Image, channel: int | None, label: object = None
) -> Picture:
    """The image beside the projection; gray is zero, and each image has its own contrast.

    With a channel, the receptive field of its strongest activation is outlined.
    """
    projection = contrast(project(rep, image, rule, channel))
    left = image.detach().expand(-1, 3, -1, -1).clone()
    if channel is not None:
        for copy, each in zip(left.split(1), image.split(1), strict=True):
            _outline(copy, receptive_field(rep, each, *peak(rep, each, channel)))
    return beside(left, projection)


def peak(rep: Representation, image: Image, channel: int) -> tuple[int, int]:
    """Row and column of a channel's strongest activation, in one image."""
    with torch.no_grad():
        values = maps(rep, rep.encode(image))
    check_channel(channel, values, rep)
    row, column = divmod(int(values[0, channel].argmax()), values.shape[3])
    return row, column


def _outline(picture: Picture, box: Box) -> None:
    """A line of one pixel along the inner edge of a box, in place."""
    colour = picture.new_tensor(_LINE)[:, None]
    for row in (box.top, box.bottom - 1):
        picture[:, :, row, box.left : box.right] = colour
    for column in (box.left, box.right - 1):
        picture[:, :, box.top : box.bottom, column] = colour


def contrast(projection: Tensor) -> Picture:
    """A signed image (b, 1|3, h, w) around gray."""
    magnitudes = projection.abs().flatten(1)
    peak = magnitudes.quantile(_BRIGHTEST, dim=1)
    # A projection of few pixels is zero at that quantile.
    peak = torch.where(peak > 0, peak, magnitudes.amax(1)).clamp_min(_EPSILON)
    return (0.5 + 0.5 * projection / peak[:, None, None, None]).clamp(0, 1).expand(-1, 3, -1, -1)
