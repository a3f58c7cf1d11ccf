"""Small writers of picture files, bit by bit, for what no library writes."""

import io
import struct
import zlib

import numpy as np

_TYPES = {1: "B", 2: "B", 3: "H", 4: "I", 5: "I", 7: "B", 10: "i"}


def scene(height=37, width=53):
    """(h, w, 3) in [0.1, 0.9]: smooth, coloured, nowhere symmetrical."""
    y, x = np.mgrid[:height, :width]
    red, green = 0.1 + 0.8 * x / (width - 1), 0.2 + 0.6 * y / (height - 1)
    return np.stack([red, green, 0.5 + 0.3 * np.sin(x / 9) * np.cos(y / 7)], -1)


def light(colours):
    """sRGB to light."""
    return np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)


def saved(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def packed(rows, bits, order="<"):
    """(h, n) whole numbers of so many bits, each row beginning at a byte."""
    if bits in (8, 16, 32):
        return rows.astype(f"{order}u{bits // 8}").tobytes()
    places = np.arange(bits - 1, -1, -1)
    digits = (rows[:, :, None] >> places) & 1
    return np.packbits(digits.astype(np.uint8).reshape(len(rows), -1), axis=1).tobytes()


def mirrored(data):
    """Each byte with its lowest bit first, as FillOrder 2 has it."""
    return np.packbits(np.unpackbits(np.frombuffer(data, np.uint8)), bitorder="little").tobytes()


def tiff(  # noqa: PLR0913  # one argument for each property of the layout
    samples, bits, tags, *, order="<", big=False, planar=1, deflate=False, fill=1, after=b""
):
    """A TIFF of whole numbers (h, w, n) in two strips a plane.

    `tags` are code -> (type, values), over those that follow from the samples.
    """
    height, width, count = samples.shape
    planes = [samples.reshape(height, -1)] if planar == 1 else list(np.moveaxis(samples, 2, 0))
    half = height // 2 + 1
    parts = [part for plane in planes for part in (plane[:half], plane[half:]) if len(part)]
    strips = [packed(part, bits, order) for part in parts]
    strips = [zlib.compress(strip) if deflate else strip for strip in strips]
    strips = [mirrored(strip) if fill == 2 else strip for strip in strips]
    own = {
        256: (4, [width]), 257: (4, [height]), 258: (3, [bits] * count),
        259: (3, [8 if deflate else 1]), 266: (3, [fill]), 277: (3, [count]), 278: (4, [half]),
        284: (3, [planar]),
    }  # fmt: skip
    return tiff_of([(own | tags, strips)], order, big) + after


def tiff_of(directories, order="<", big=False):
    """A TIFF of directories (tags, strips), one after the other."""
    mark = b"II" if order == "<" else b"MM"
    file = mark + struct.pack(
        order + ("HHHQ" if big else "HI"), *((43, 8, 0, 16) if big else (42, 8))
    )
    for i, (tags, strips) in enumerate(directories):
        room, start = (8 if big else 4), len(file)
        head = 16 + 20 * (len(tags) + 2) if big else 6 + 12 * (len(tags) + 2)
        total = start + head
        offsets = []
        for strip in strips:
            offsets.append(total)
            total += len(strip) + len(strip) % 2
        complete = {**tags, 273: (4, offsets), 279: (4, [len(strip) for strip in strips])}
        entries, beyond = b"", b""
        for code, (kind, values) in sorted(complete.items()):
            raw = struct.pack(f"{order}{len(values)}{_TYPES[kind]}", *values)
            if len(raw) > room:
                place = struct.pack(order + ("Q" if big else "I"), total + len(beyond))
                beyond, raw = beyond + raw + b"\0" * (len(raw) % 2), place
            length = len(values) // 2 if kind in (5, 10) else len(values)
            entries += struct.pack(order + ("HHQ" if big else "HHI"), code, kind, length)
            entries += raw.ljust(room, b"\0")
        last = i == len(directories) - 1
        following = 0 if last else total + len(beyond)
        file += struct.pack(order + ("Q" if big else "H"), len(complete)) + entries
        file += struct.pack(order + ("Q" if big else "I"), following)
        file += b"".join(strip + b"\0" * (len(strip) % 2) for strip in strips) + beyond
    return file


def png(samples, depth, colour, *chunks):
    """A PNG of whole numbers (h, w, n); `chunks` (name, content) come before the pixels."""
    height, width = samples.shape[:2]
    rows = packed(samples.reshape(height, -1).astype(np.int64), depth, ">")
    step = len(rows) // height
    lines = b"".join(b"\0" + rows[i * step : (i + 1) * step] for i in range(height))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = ((b"IHDR", header), *chunks, (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def chunk(name, content):
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def fits(samples, bits, *cards):
    """FITS of numbers (h, w) in their own type, the lowest row first."""
    height, width = samples.shape
    shape = [("BITPIX", bits), ("NAXIS", 2), ("NAXIS1", width), ("NAXIS2", height), *cards]
    lines = [f"{'SIMPLE':8}= {'T':>20}", *(f"{key:8}= {value:>20}" for key, value in shape), "END"]
    header = "".join(line.ljust(80) for line in lines).encode()
    body = samples[::-1].tobytes()
    return header.ljust(-(-len(header) // 2880) * 2880) + body.ljust(-(-len(body) // 2880) * 2880)
