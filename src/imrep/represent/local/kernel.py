"""Correlation with a kernel: a small matrix of weights moved over the image."""

import torch
from torch import Tensor

from imrep import checks, codecheck
from imrep.base import Representation
from imrep.codes import Map
from imrep.drawing import diverging, enlarge
from imrep.errors import BadParameter, NoInverse
from imrep.ops.filter import convolution
from imrep.ops.pooling import means, roots
from imrep.ops.solvers import conjugate_gradients
from imrep.registry.cards import Card, Inverse
from imrep.types import Image, Picture, Vectors

_MAX_CONDITION = 64  # greatest over least gain up to which float32 inverts to 1e-5
_GRID = 129  # frequencies per axis at which gains are compared
_EPSILON = 1e-30  # keeps 0 / 0 at 0
_ITERATIONS = 100
_AMPLITUDE = 0.045  # times 1 / f at f cycles per pixel: an image of variance 0.06
_CHANNELS = {1: ("",), 3: ("red", "green", "blue")}


class Kernel(Representation[Map]):
    """Each pixel replaced by a weighted sum of its neighbours: blur, sharpening or edges.

    The matrix is correlated with each channel, its element (rows // 2, columns // 2) on the pixel,
    the image mirrored at its borders without repeating the edge; so the code equals OpenCV's
    filter2D. It is linear and not clipped: sharpened values may leave [0, 1] (in the picture they
    are clipped; where the weights sum to zero, gray is zero, blue below and orange above).

    `sharpen` is [0 -1 0; -1 5 -1; 0 -1 0], `sharpen_soft` a tenth of [-1 -2 -1; -2 22 -2; -1 -2
    -1], `unsharp` the image plus alpha times its difference to its Gaussian, `edge` [-1 -1 -1; -1 8
    -1; -1 -1 -1], `laplacian` [0 1 0; 1 -4 1; 0 1 0], `shift` moves the image by (dx, dy).

    A kernel that equals its mirror images, horizontally and vertically, multiplies the frequencies
    of the mirrored image, so `invert` divides: exactly where all of them pass (sharpening, narrow
    Gaussians), approximately where some nearly vanish (blurs, edges, whose brightness is lost). For
    any other kernel it solves by conjugate gradients; pixels shifted out of the image are lost.

    The vector holds, per channel and cell, the fourth root of the mean distance from the image's
    mean response, and before it the mean where brightness passes.

    Args:
        kernel: sharpen, sharpen_soft, unsharp, gaussian, box, edge, laplacian, shift; or a matrix,
            rows after semicolons ("0 1 0; 1 -4 1; 0 1 0", fractions allowed; in a spec quoted where
            it holds a comma); or a .txt, .csv or .npy file of one.
        size: Odd side of box, gaussian and unsharp in pixels. None for 3 of box and, of the
            Gaussians, twice round(4 sigma) plus 1.
        sigma: Standard deviation of gaussian and unsharp, in pixels.
        alpha: Weight of the difference that unsharp adds.
        dx: Pixels that shift moves the image to the right.
        dy: Pixels that shift moves it down.
        normalise: Whether to divide the weights by their sum.
        cells: Cells per side that the vector averages over.

    References:
        A. Rosenfeld, "Picture processing by computer", ACM Computing Surveys 1(3), 1969.
        doi:10.1145/356551.356554

    Example:
        >>> import torch, imrep
        >>> dot = torch.zeros(1, 1, 5, 5)
        >>> dot[..., 2, 2] = 1
        >>> imrep.get("kernel", kernel="1 2 3; 4 5 6; 7 8 9").encode(dot).values[0, 0, 1:4, 1:4]
        tensor([[9., 8., 7.],
                [6., 5., 4.],
                [3., 2., 1.]])
    """

    card = Card(
        title="Kernel",
        family="local",
        cite="Rosenfeld 1969, doi:10.1145/356551.356554",
        inverse="exact",
    )

    def __init__(  # noqa: PLR0913  # each named kernel's own parameters, and two for all
        self,
        *,
        kernel: str = "sharpen",
        size: int | None = None,
        sigma: float = 1.0,
        alpha: float = 1.0,
        dx: int = 1,
        dy: int = 0,
        normalise: bool = False,
        cells: int = 4,
    ) -> None:
        checks.between(cells, 1, checks.MAX_CELLS, self.name, "cells")
        super().__init__()
        self.size, self.sigma, self.alpha, self.dx, self.dy = size, sigma, alpha, dx, dy
        self.normalise, self.cells, self.kernel = normalise, cells, kernel
        self._check()
        matrix = self._build_matrix()
        self.matrix = (
            convolution.unit(matrix, self.name) if normalise else matrix
        )  # (rows, columns)

    @property
    def inverse(self) -> Inverse:
        """Exact where a symmetric kernel passes every frequency well enough."""
        if not self.matrix.any():
            return "none"
        if not convolution.symmetric(self.matrix):
            return "approximate"
        line = torch.linspace(0, 0.5, _GRID, dtype=torch.float64)
        gain = convolution.gain(self.matrix, line, line).abs()
        return "exact" if float(gain.max()) <= _MAX_CONDITION * float(gain.min()) else "approximate"

    def encode(self, image: Image) -> Map:
        """Weighted sums, of the image's shape, (batch, channel, height, width)."""
        checks.image(image, self.name, linear=True)
        size = image.shape[2], image.shape[3]
        signed = bool((self.matrix < 0).any())
        values = convolution.correlate(image, self.matrix)
        return Map(values, size, _CHANNELS[image.shape[1]], signed=signed)

    def check_code(self, code: Map) -> None:
        """One or three maps of the image's size.

        Raises:
            BadCode: If they are not.
        """
        codecheck.maps(code.values, self.name, (1, 3), code.size)

    def pool(self, code: Map) -> Vectors:
        """Fourth roots of the mean distances per cell, after the means if the weights have a sum.

        (batch, channel * cells²), or twice as many.
        """
        deviation = code.values - code.values.mean((2, 3), keepdim=True)
        spread = roots(deviation, self.cells)
        if not self._has_sum:
            return spread
        return torch.cat([means(code.values, self.cells), spread], dim=1)

    def invert(self, code: Map, *, noise: float = 1e-7) -> Image:
        """The image whose weighted sums these are.

        Args:
            code: As `encode` gives it.
            noise: Standard deviation of the errors in its values; frequencies that passed more
                weakly are not restored. 0.001 for values that were stored as bytes.

        Raises:
            NoInverse: If all weights are zero.
        """
        checks.between(noise, 0, 1e6, self.name, "noise")
        if not self.matrix.any():
            raise NoInverse(f"{self.name} needs a weight other than zero to invert, got none.")
        values = code.values.double()
        if not convolution.symmetric(self.matrix):
            image = self._solved(values, noise).clamp(0, 1)
        elif self.inverse == "exact":
            image = self._divided(values, 0.0)
        else:
            image = self._divided(values, noise).clamp(0, 1)
        return image.to(code.values)

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """As an image where the weights have a sum, clipped to [0, 1]; else signed roots."""
        values, total = code.values.detach(), float(self.matrix.sum())
        if self._has_sum and total > 0:
            return enlarge((values / total).clamp(0, 1).expand(-1, 3, -1, -1))
        mean = values.mean(1, keepdim=True)
        return enlarge(
            diverging(mean.sign() * mean.abs().sqrt())
        )  # for weak edges beside a strong one

    @property
    def _has_sum(self) -> bool:
        """Whether brightness passes."""
        return convolution.has_sum(self.matrix)

    def _build_matrix(self) -> convolution.Matrix:
        """The weights that the name stands for, or those of the text or file."""
        if self.kernel in convolution.FIXED:
            return convolution.read(convolution.FIXED[self.kernel], self.name)
        builders = {
            "box": lambda: convolution.box(self.size or 3),
            "gaussian": lambda: convolution.gaussian(self.sigma, self.size),
            "unsharp": lambda: convolution.unsharp(self.alpha, self.sigma, self.size),
            "shift": lambda: convolution.shift(self.dx, self.dy),
        }
        if self.kernel in builders:
            return builders[self.kernel]()
        matrix = convolution.read(self.kernel, self.name)
        self.kernel = convolution.text(matrix)  # the spec must not depend on a file
        return matrix

    def _check(self) -> None:
        if self.size is not None and (self.size < 1 or self.size % 2 == 0):
            raise BadParameter(
                f"{self.name} needs size to be odd, so that a pixel lies in the middle, got "
                f"{self.size}. Use {max(1, self.size + 1)}."
            )
        checks.between(self.sigma, 0.1, 30, self.name, "sigma")
        checks.between(self.alpha, 0, 100, self.name, "alpha")
        checks.between(self.size or 1, 1, 255, self.name, "size")
        for what, value in {"dx": self.dx, "dy": self.dy}.items():
            checks.between(value, -127, 127, self.name, what)

    def _divided(self, values: Tensor, noise: float) -> Tensor:
        """Division by the transfer function, in the Fourier domain of the mirrored image.

        With noise it is a Wiener filter, which returns zero for frequencies lost in it. Photographs
        have amplitudes like 1 / f (Field 1987), so noise counts more the higher the frequency.
        """
        height, width = values.shape[2:]
        waves = torch.fft.rfft2(_with_mirror_image(_with_mirror_image(values, 2), 3))
        size = (max(1, 2 * height - 2), max(1, 2 * width - 2))
        y = torch.fft.fftfreq(size[0], dtype=values.dtype, device=values.device)
        x = torch.fft.rfftfreq(size[1], dtype=values.dtype, device=values.device)
        gain = convolution.gain(self.matrix, y, x)
        noise_to_signal = noise / _AMPLITUDE * torch.hypot(y[:, None], x)
        inverse = gain / (gain.square() + noise_to_signal.square()).clamp_min(_EPSILON)
        if not self._has_sum:
            inverse[0, 0] = 0
        image = torch.fft.irfft2(waves * inverse, s=size)[..., :height, :width]
        return image if self._has_sum else _centred(image)

    def _solved(self, values: Tensor, noise: float) -> Tensor:
        """Least squares by conjugate gradients on the normal equations, each channel alone.

        By the discrepancy principle (Morozov 1966), a channel stops when the mean square of b - A x
        falls to that of the noise: beyond it, iterations fit the noise.
        """
        start = torch.full_like(values, 0.5).requires_grad_()
        with torch.enable_grad():
            response = convolution.correlate(start, self.matrix)

        def transposed(y: Tensor) -> Tensor:
            return torch.autograd.grad(response, start, y, retain_graph=True)[0]

        def unsolved(x: Tensor, *_: Tensor) -> Tensor:
            error = values - convolution.correlate(x, self.matrix)
            return error.square().mean((2, 3), keepdim=True) > noise**2

        image, _ = conjugate_gradients(
            lambda x: transposed(convolution.correlate(x, self.matrix)),
            transposed(values),
            start.detach(),
            precondition=lambda x: x,
            unsolved=unsolved,
            axes=(2, 3),
            iterations=_ITERATIONS,
        )
        return image


def _with_mirror_image(x: Tensor, axis: int) -> Tensor:
    """An axis continued by its mirror image up to where it would repeat: n to 2 n - 2."""
    n = x.shape[axis]
    return torch.cat([x, x.narrow(axis, 1, n - 2).flip(axis)], axis) if n > 2 else x


def _centred(image: Tensor) -> Tensor:
    """Brightness, where it is lost, set so that the range is centred on middle gray."""
    middle = (image.amax((2, 3), keepdim=True) + image.amin((2, 3), keepdim=True)) / 2
    return image - middle + 0.5
