"""Arrays that representations are compared with: of installed peers, or of a formula in NumPy.

Each function returns named arrays of one topic, computed when a test asks for them, so nothing is
stored here and nothing goes stale. Where arrays of the peers' earlier releases lie beside the
shared data (`IMREP_DATA`), the fixture `references` runs each test with those as well.
"""

import functools
import itertools

import cv2
import numpy as np

ASYMMETRIC = np.array([[0, 0, 0, 0], [0, 0, 0.25, 0.5], [0, 0, 0, 0.25]])  # no symmetry, even width


@functools.cache
def photograph(height=192, width=228, name="camera"):
    """The middle of a photograph of scikit-image at half its size, uint8."""
    import skimage.data

    pixels = getattr(skimage.data, name)()
    pixels = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    top, left = ((n - m) // 2 for n, m in zip(pixels.shape, (height, width), strict=False))
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def pyramid():
    """OpenCV's pyrDown and pyrUp of bytes and of float32."""
    levels = photograph(127, 190, "astronaut")
    image = np.float32(levels / 255)
    down, small = cv2.pyrDown(image), cv2.pyrDown(levels)
    return {
        "x_u8": levels, "x_f32": image, "down_f32": down, "down_u8": small,
        "up_f32": cv2.pyrUp(down, dstsize=(190, 127)), "up_even_f32": cv2.pyrUp(down),
        "up_u8": cv2.pyrUp(small, dstsize=(190, 127)),
    }  # fmt: skip


def kernels():
    """OpenCV's correlations, gradients and blurs."""
    levels = photograph()
    image = np.float32(levels / 255)
    gx, gy = cv2.Sobel(image, -1, 1, 0), cv2.Sobel(image, -1, 0, 1)
    magnitude, degrees = cv2.cartToPolar(gx, gy, angleInDegrees=True)
    sharpen = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
    moved = np.float32([[1, 0, 2], [0, 1, 1]])
    return {
        "img_u8": levels, "img_f32": image, "sobel_x": gx, "sobel_y": gy, "mag": magnitude,
        "ang_deg": degrees, "sobel5_x": cv2.Sobel(image, -1, 1, 0, ksize=5),
        "scharr_x": cv2.Scharr(image, -1, 1, 0), "lap1": cv2.Laplacian(image, -1),
        "lap3": cv2.Laplacian(image, -1, ksize=3),
        "gauss_9_1p5": cv2.GaussianBlur(image, (9, 9), 1.5),
        "gauss_auto_s2": cv2.GaussianBlur(image, (0, 0), 2),
        "filter2d_asym": cv2.filter2D(image, -1, ASYMMETRIC),
        "sharpen": cv2.filter2D(image, -1, sharpen),
        "shift_r2_d1": cv2.warpAffine(image, moved, image.shape[::-1]),
        "gauss_u8_9_1p5": cv2.GaussianBlur(levels, (9, 9), 1.5),
        "box_u8_5": cv2.blur(levels, (5, 5)),
    }  # fmt: skip


def canny():
    """OpenCV's edges: thresholds, aperture, and whether the norm is Euclidean."""
    levels = photograph()
    arrays = {"img_u8": levels}
    for low, high, aperture, euclidean in itertools.chain(
        itertools.product([100], [200], [3], [0, 1]),
        itertools.product([50], [150], [3], [0, 1]),
        [(1000, 2000, 5, 0)],
    ):
        key = f"canny_{low}_{high}_ap{aperture}_l2{euclidean}"
        arrays[key] = cv2.Canny(levels, low, high, None, aperture, bool(euclidean))
    return arrays


def morphology():
    """OpenCV's operations by rectangles, crosses, ellipses and an element without symmetry."""
    levels = photograph()
    binary = np.uint8(255 * (photograph(164, 200, "astronaut")[..., 1] > 128))
    asymmetric = np.uint8([[1, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 1]])
    arrays = {"img_u8": levels, "bin_u8": binary, "asym": asymmetric}

    def apply(name, image, element):
        return cv2.morphologyEx(image, getattr(cv2, f"MORPH_{name}"), element)

    basic, derived = ("ERODE", "DILATE", "OPEN", "CLOSE"), ("GRADIENT", "TOPHAT", "BLACKHAT")
    for shape, (width, height) in itertools.product(
        ("rect", "cross", "ellipse"), ((3, 3), (5, 5), (7, 5), (4, 4))
    ):
        which = f"{shape}_{width}x{height}"
        element = cv2.getStructuringElement(getattr(cv2, f"MORPH_{shape.upper()}"), (width, height))
        arrays[f"se_{which}"] = element
        arrays |= {f"{name}_{which}": apply(name, levels, element) for name in basic}
    for name in basic + derived:
        arrays[f"{name}_asym"] = apply(name, levels, asymmetric)
        arrays[f"bin_{name}_rect5"] = apply(name, binary, np.ones((5, 5), np.uint8))
    return arrays


def fourier():
    """Masks of radial frequency in cycles a pixel, by NumPy's transform in float64."""
    levels = photograph()
    spectrum = np.fft.fft2(levels / 255)
    radius = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, levels.shape), indexing="ij"))
    with np.errstate(divide="ignore"):
        masks = {
            "ideal_0p05_0p2": (radius >= 0.05) & (radius <= 0.2),
            "gauss_bp_0p05_0p2": np.exp(-((radius / 0.2) ** 2) / 2)
            - np.exp(-((radius / 0.05) ** 2) / 2),
            "butter2_bp_0p05_0p2": (1 - 1 / (1 + (radius / 0.05) ** 4)) / (1 + (radius / 0.2) ** 4),
        }
    filtered = {key: np.fft.ifft2(spectrum * mask).real for key, mask in masks.items()}
    logarithm = np.log1p(np.abs(np.fft.fftshift(spectrum)))
    return {"gray_u8": levels, "logmag_shift": logarithm, **filtered}


def hog():
    """scikit-image's blocks; its input is divided in float64."""
    from skimage.feature import hog as blocks

    gray, colour = photograph(), photograph(131, 129, "chelsea")

    def of(image, orientations, cell, block, norm, **more):
        return blocks(image / 255, orientations, cell, block, norm, feature_vector=False, **more)

    eight = (8, 8)
    return {
        "gray_u8": gray, "rgb_u8": colour,
        "gray_o9_pc8x8_cb3x3_L2-Hys": of(gray, 9, eight, (3, 3), "L2-Hys"),
        "gray_o9_pc8x8_cb2x2_L2": of(gray, 9, eight, (2, 2), "L2"),
        "gray_o8_pc16x16_cb1x1_L1": of(gray, 8, (16, 16), (1, 1), "L1"),
        "gray_sqrt": of(gray, 9, eight, (3, 3), "L2-Hys", transform_sqrt=True),
        "rgb_o9_pc8x8_cb3x3_L2-Hys": of(colour, 9, eight, (3, 3), "L2-Hys", channel_axis=-1),
    }  # fmt: skip


def bilateral():
    """The filter's definition, summed over every offset of a window."""
    colour = photograph(128, 128, "chelsea") / 255
    gray = cv2.cvtColor(np.float32(colour), cv2.COLOR_RGB2GRAY).astype(float)
    return {
        "gray": np.float32(gray), "rgb": np.float32(colour),
        "exact_gray_ss8_sr0p1_r24": _bilateral(gray[..., None], gray, 8, 24)[..., 0],
        "exact_cross_rgb_ss8_sr0p1_r24": _bilateral(colour, gray, 8, 24),
        "exact_square_ss4_sr0p1_r6": _bilateral(gray[..., None], gray, 4, 6)[..., 0],
    }  # fmt: skip


def _bilateral(image, guide, deviation, radius):
    height, width = guide.shape
    border = ((radius, radius), (radius, radius))
    images, guides = np.pad(image, (*border, (0, 0)), "reflect"), np.pad(guide, border, "reflect")
    total, weights = np.zeros_like(image), np.zeros((height, width, 1))
    for down, right in itertools.product(range(2 * radius + 1), repeat=2):
        square = (down - radius) ** 2 + (right - radius) ** 2
        rows, columns = slice(down, down + height), slice(right, right + width)
        spread = (guides[rows, columns] - guide) ** 2 / (2 * 0.1**2)
        weight = np.exp(-square / (2 * deviation**2) - spread)[..., None]
        total += weight * images[rows, columns]
        weights += weight
    return total / weights


def filterbank():
    """Rectified circular convolutions with sixteen random kernels, and the frame they make."""
    levels = photograph(96, 96)
    random = np.random.default_rng(0).normal(size=(16, 7, 7)) / 7
    spectra = np.zeros((16, 96, 96))
    spectra[:, :7, :7] = random
    spectra = np.fft.rfft2(np.roll(spectra, (-3, -3), (1, 2)))
    maps = np.fft.irfft2(spectra * np.fft.rfft2(levels / 255), (96, 96))
    frame = (np.abs(spectra) ** 2).sum(0)
    return {"img_u8": levels, "kernels": random, "relu": maps.clip(0), "frame_sum": frame}


def jpeg():
    """Coefficients of the blocks of luma, rounded as a JPEG of quality 100 rounds them."""
    from scipy.fft import dctn
    from skimage.data import astronaut

    pixels = np.ascontiguousarray(astronaut()[32:480, 32:480])
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)[..., 0].astype(float) - 128
    blocks = dctn(luma.reshape(56, 8, 56, 8), axes=(1, 3), norm="ortho").transpose(0, 2, 1, 3)
    return {"img_rgb_u8": pixels, "dct_y": np.round(blocks).reshape(56, 56, 64)}


def filters():
    """Fourier transforms of scattering's wavelets, sampled in space as Bruna and Mallat do."""
    arrays = {}
    for bank, size, scales, orientations in (("a", (40, 40), 2, 8), ("b", (48, 56), 3, 6)):
        for level in range(scales):
            arrays[f"{bank}_phi_{level}"] = _low_frequencies(_gaussian(size, scales), level)
        for j, t in itertools.product(range(scales), range(orientations)):
            wave = _morlet(size, j, t, orientations)
            for level in range(j + 1):
                arrays[f"{bank}_psi_j{j}_t{t}_r{level}"] = _low_frequencies(wave, level)
    return arrays


def _gabor(size, sigma, angle, frequency, slant=1.0):
    """An oriented Gaussian times a wave, summed over five periods of the plane per axis."""
    total = np.zeros(size, complex)
    cosine, sine = np.cos(angle), np.sin(angle)
    for periods in itertools.product(range(-2, 3), repeat=2):
        rows, columns = (np.arange(n) + n * k for n, k in zip(size, periods, strict=True))
        along = rows[:, None] * cosine + columns * sine
        across = columns * cosine - rows[:, None] * sine
        envelope = np.exp(-(along**2 + (slant * across) ** 2) / (2 * sigma**2))
        total += envelope * np.exp(1j * frequency * along)
    return total * slant / (2 * 3.1415 * sigma**2)  # so in published software


def _gaussian(size, scales):
    return np.fft.fft2(_gabor(size, 0.8 * 2 ** (scales - 1), 0, 0)).real


def _morlet(size, scale, orientation, orientations):
    angle = (int(orientations / 2 - 1) - orientation) * np.pi / orientations
    shape = 0.8 * 2**scale, angle
    wave = _gabor(size, *shape, 0.75 * np.pi / 2**scale, 4 / orientations)
    envelope = _gabor(size, *shape, 0, 4 / orientations)
    return np.fft.fft2(wave - wave.sum() / envelope.sum() * envelope).real


def _low_frequencies(spectrum, level):
    """What is left of a spectrum for a plane of every 2^level-th sample."""
    for axis, n in enumerate(spectrum.shape):
        keep = np.arange(n // 2**level)
        keep = np.where(keep < len(keep) / 2, keep, keep + n - len(keep))
        spectrum = spectrum.take(keep, axis)
    return spectrum


def scattering(scales=2, orientations=8, order=2, size=(32, 32)):
    """Averages of wavelet moduli, and of their moduli, path by path."""
    names = ("camera", "astronaut")
    crops = [photograph(*size, name).reshape(*size, -1)[..., 0] / np.float32(256) for name in names]
    step = 2**scales
    wide = [(n // step + 2) * step for n in size]
    before = [(m - n) // 2 for m, n in zip(wide, size, strict=True)]
    borders = [(b, m - n - b) for b, m, n in zip(before, wide, size, strict=True)]
    low = _gaussian(wide, scales)
    waves = [[_morlet(wide, j, t, orientations) for t in range(orientations)]
             for j in range(scales)]  # fmt: skip

    def modulus(image, wave, level, scale):
        spectrum = np.fft.fft2(image) * _low_frequencies(wave, level)
        return np.abs(np.fft.ifft2(spectrum))[:: 2 ** (scale - level), :: 2 ** (scale - level)]

    def average(image, level):
        smooth = np.fft.ifft2(np.fft.fft2(image) * _low_frequencies(low, level)).real
        return smooth[:: step // 2**level, :: step // 2**level][1:-1, 1:-1]

    def paths(image):
        first, second = [], []
        for j1, t1 in itertools.product(range(scales), range(orientations)):
            inner = modulus(image, waves[j1][t1], 0, j1)
            first.append(average(inner, j1))
            for j2, t2 in itertools.product(range(j1 + 1, scales), range(orientations)):
                second.append(average(modulus(inner, waves[j2][t2], j1, j2), j2))
        return [average(image, 0), *first, *(second if order == 2 else [])]

    pairs = [*itertools.product(range(scales), range(orientations))]  # of scale and orientation
    meta = [(0, *(-1,) * 6)]
    meta += [(1, j, -1, t, -1, j * orientations + t, -1) for j, t in pairs]
    meta += [
        (2, j1, j2, t1, t2, j1 * orientations + t1, j2 * orientations + t2)
        for (j1, t1), (j2, t2) in itertools.product(pairs, repeat=2)
        if j1 < j2 and order == 2
    ]
    return {
        "J": scales, "L": orientations, "max_order": order, "pre_pad": False, "x": np.stack(crops),
        "S": np.stack([paths(np.pad(crop.astype(float), borders, "reflect")) for crop in crops]),
        "meta": np.array(meta),
    }  # fmt: skip


# Topic: the function, and the file of stored arrays.
TOPICS = {
    "pyramid": (pyramid, "classic/a1_cv2_pyr.npz"),
    "bilateral": (bilateral, "classic/b3_bilateral_exact.npz"),
    "jpeg": (jpeg, "classic/c1_dctnet_448.npz"),
    "fourier": (fourier, "classic/e1_fourier.npz"),
    "kernels": (kernels, "classic/e3_kernels.npz"),
    "canny": (canny, "classic/e4_canny.npz"),
    "hog": (hog, "classic/e7_hog_skimage.npz"),
    "morphology": (morphology, "classic/e9_morphology.npz"),
    "filterbank": (filterbank, "classic/f1_filterbank.npz"),
    "filters": (filters, "scattering/filters.npz"),
    "scattering": (scattering, "scattering/s32_J2_L8.npz"),
    "scattering of order 1": (
        functools.partial(scattering, order=1),
        "scattering/s32_J2_L8_o1.npz",
    ),
    "scattering of an odd size": (
        functools.partial(scattering, orientations=7, size=(33, 47)),
        "scattering/s33x47_J2_L7_odd.npz",
    ),
}


@functools.cache
def computed(topic):
    """Arrays of a topic by name, computed once."""
    return TOPICS[topic][0]()


@functools.cache
def stored(topic, folder):
    """The same names as they were stored."""
    with np.load(folder / TOPICS[topic][1]) as arrays:
        return dict(arrays)
