"""From any mode Pillow decodes to opaque sRGB pixels, of 8 bits or deeper."""

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageColor, ImageFile

from imrep.errors import BadParameter
from imrep.images._stored import StoredPixels, floats, integers

_SPACE = {"RGB": "RGB", "RGBA": "RGB", "L": "GRAY", "CMYK": "CMYK"}  # of a mode, in ICC's words
_SAME = 2  # levels of 255 by which a profile may differ from sRGB and still be called sRGB


def colour(over: str) -> tuple[int, int, int]:
    """The red, green and blue (0 to 255) of a CSS colour's name or number.

    Raises:
        BadParameter: No such colour.
    """
    try:
        return ImageColor.getrgb(over)[:3]
    except (ValueError, AttributeError) as error:
        raise BadParameter(
            f"images need over to be a colour such as 'white' or '#808080', got {over!r}."
        ) from error


def opaque(
    image: Image.Image, over: tuple[int, int, int], profile: bytes | None = None
) -> Image.Image:
    """A decoded image in mode RGB: converted to sRGB by its profile, then laid over a colour."""
    profile = profile or image.info.get("icc_profile")
    image = plain(image)
    if profile and (change := _to_srgb(profile, image.mode)):
        image = ImageCms.applyTransform(image, change) or image
    if image.mode == "RGBA":
        ground = Image.new("RGBA", image.size, (*over, 255))
        image = Image.alpha_composite(ground, image)
    return image if image.mode == "RGB" else image.convert("RGB")


def deep_pixels(
    image: ImageFile.ImageFile,
    data: bytes,
    over: tuple[int, int, int],
    data_range: tuple[float, float] | None,
    who: str,
) -> NDArray[np.float32] | None:
    """(h, w, 3) in [0, 1] of an image deeper than 8 bits, which is decoded here; else None.

    A deep image with a profile other than sRGB is left to the 8-bit path, since LittleCMS as Pillow
    binds it converts 8 bits only.
    """
    values = deep_values(image, data, data_range, who)
    if values is None or (values.shape[2] > 2 and _other_than_srgb(image)):
        return None
    colours, alpha = np.split(values, [values.shape[2] - 1 + values.shape[2] % 2], axis=2)
    rgb = colours if colours.shape[2] == 3 else np.repeat(colours, 3, axis=2)
    ground = np.asarray(over, np.float32) / np.float32(255)
    return rgb * alpha + ground * (1 - alpha) if alpha.size else rgb


def deep_values(
    image: ImageFile.ImageFile, data: bytes, data_range: tuple[float, float] | None, who: str
) -> NDArray[np.float32] | None:
    """(h, w, 1 to 4) of an image deeper than 8 bits as it is stored: gray or RGB, alpha or not.

    16 bits are divided by 65,535. Numbers without a stated range (32-bit integers, floats) are
    scaled by `data_range`; NaN and infinity become 0.
    """
    raw = _raw_mode(image)
    image.load()
    if image.mode.startswith(("I", "F")):
        return _gray(image, raw, data_range, who)
    if "16" not in raw or image.mode not in ("RGB", "RGBA", "LA"):
        return None
    values = _sixteen(image, data)
    if values is None:
        return None
    clear = image.info.get("transparency")
    seen = (values != np.asarray(clear)).any(-1) if isinstance(clear, tuple) else None
    values = values[..., [0, 3]] if image.mode == "LA" else values
    return _with_alpha(values.astype(np.float32) / np.float32(65535), seen)


def plain(image: Image.Image) -> Image.Image:
    """In mode L, RGB, RGBA or CMYK."""
    if image.mode == "LAB":
        return ImageCms.applyTransform(image, _lab_to_srgb()) or image
    if image.mode in ("La", "RGBa"):  # premultiplied, which only their own partner undoes
        image = image.convert(image.mode[:-1] + "A")
    if image.mode != "RGBA" and image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in _SPACE else image.convert("RGB")


@lru_cache(maxsize=1)
def _lab_to_srgb() -> ImageCms.ImageCmsTransform:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB")


@lru_cache(maxsize=64)  # as below
def understood(profile: bytes | None, channels: int) -> bytes | None:
    """The profile, if it can be read and is one of so many colours."""
    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(profile or b"")).profile
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return profile if found.xcolor_space.strip() == {1: "GRAY", 3: "RGB"}[channels] else None


@lru_cache(maxsize=64)  # by the profile's bytes: a folder has few
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The conversion to sRGB, or None for one that changes nothing or cannot be understood."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _SPACE.get(mode):
            return None
        target = "RGBA" if mode == "RGBA" else "RGB"
        change = ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), mode, target, flags=ImageCms.Flags.NOCACHE
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return None if mode != "CMYK" and _changes_nothing(change, mode) else change


def _changes_nothing(change: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Profiles are known by what they do; their names are free text."""
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3)
    probe = Image.fromarray(cube).convert(mode)
    after = ImageCms.applyTransform(probe, change) or probe
    moved = np.asarray(after.convert("RGB"), int) - np.asarray(probe.convert("RGB"), int)
    return bool(np.abs(moved).max() <= _SAME)


def _raw_mode(image: ImageFile.ImageFile) -> str:
    """How the file stores a pixel, in Pillow's words; gone once the image is decoded."""
    if not image.tile:
        return ""
    args = image.tile[0][3]
    if image.format == "PPM" and isinstance(args, tuple):  # (mode, greatest value)
        return "16" if len(args) > 1 and isinstance(args[1], int) and args[1] > 255 else ""
    return str(args[0] if isinstance(args, tuple) and args else args)


def _gray(
    image: Image.Image, raw: str, data_range: tuple[float, float] | None, who: str
) -> NDArray[np.float32]:
    values = np.asarray(image)
    if raw.startswith("I;32") and not raw.endswith("S"):
        values = values.view(np.uint32)  # Pillow has no unsigned mode
    clear = image.info.get("transparency")
    if image.mode.startswith("I;16") or image.format == "PPM":
        stored = StoredPixels(values[..., None], full=(0, 65535))
    else:
        stored = floats(values[..., None]) if image.mode == "F" else integers(values[..., None], 32)
    gray = stored.unit(data_range, who)[..., 0]
    seen = values != clear if isinstance(clear, int) else None
    return _with_alpha(gray.astype(np.float32)[..., None], seen)


def _with_alpha(values: NDArray[np.float32], seen: NDArray | None) -> NDArray[np.float32]:
    """The values, and which of them are seen as one more channel, if that is known."""
    if seen is None or values.shape[2] in (2, 4):
        return values
    return np.concatenate([values, seen[..., None].astype(np.float32)], axis=2)


def _sixteen(image: Image.Image, data: bytes) -> NDArray[np.uint16] | None:
    """(h, w, 3 or 4) of a 16-bit colour image. Pillow keeps the upper 8 bits, OpenCV all.

    OpenCV is asked only after Pillow has decoded the file, and believed only where both agree.
    """
    import cv2

    rgb = image.convert("RGBA" if image.mode == "LA" else image.mode)
    known = np.asarray(rgb, np.int32)
    values: NDArray | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 3:
        return None
    if values.shape[2] not in (3, 4) or values.shape[:2] != known.shape[:2]:
        return None
    values = values[..., [2, 1, 0, 3][: values.shape[2]]].astype(np.uint16)
    shared = min(values.shape[2], known.shape[2])
    apart = np.abs((values >> 8)[..., :shared].astype(np.int32) - known[..., :shared])
    return values if apart.max() <= 1 else None


def _other_than_srgb(image: Image.Image) -> bool:
    profile = image.info.get("icc_profile")
    return bool(profile and _to_srgb(profile, "RGB"))
