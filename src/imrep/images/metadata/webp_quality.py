"""The quality at which a lossy WebP was encoded, estimated from its quantiser."""

from imrep.io.containers import riff_chunks

_SEGMENTS = 4


def quality(data: bytes) -> int | None:
    """The quality on libwebp's scale, 1 to 100; None for lossless files.

    It is within a few units for photographs, and up to 20 too high for very smooth pictures.

    The quantiser index, 0 to 127, is at the start of a VP8 frame. libwebp computes it from the
    quality by a curve, which is inverted here.
    """
    frame = next((body for kind, body in riff_chunks(data) if kind == b"VP8 "), None)
    if frame is None or len(frame) < 12:
        return None
    try:
        index = _quantiser(_Bits(frame[10:]))
    except IndexError:  # a damaged frame
        return None
    linear = (1 - index / 127) ** 3
    return max(1, min(100, round(100 * (1.5 * linear if linear < 0.5 else (linear + 1) / 2))))


class _Bits:
    """VP8's boolean decoder for bits of probability 1/2 (RFC 6386, section 7)."""

    def __init__(self, data: bytes) -> None:
        self._data, self._position = data, 2
        self._value, self._range, self._count = data[0] << 8 | data[1], 255, 0

    def bit(self) -> int:
        """The next bit."""
        split = 1 + ((self._range - 1) * 128 >> 8)
        bit = int(self._value >= split << 8)
        self._value -= (split << 8) * bit
        self._range = self._range - split if bit else split
        while self._range < 128:
            self._value, self._range = self._value << 1, self._range << 1
            self._count += 1
            if self._count == 8:
                self._value |= self._data[self._position]
                self._position, self._count = self._position + 1, 0
        return bit

    def number(self, bits: int) -> int:
        """The next unsigned integer of that many bits."""
        value = 0
        for _ in range(bits):
            value = value << 1 | self.bit()
        return value

    def signed(self, bits: int) -> int:
        """An optional signed integer: 0 where it is absent."""
        if not self.bit():
            return 0
        value = self.number(bits)
        return -value if self.bit() else value


def _quantiser(bits: _Bits) -> float:
    """The quantiser index of a frame; a mean over several segments (RFC 6386, section 9)."""
    bits.number(2)  # colour space, clamping
    segments, absolute = _segments(bits) if bits.bit() else ([], True)
    bits.number(1 + 6 + 3)  # loop filter
    if bits.bit() and bits.bit():  # changes to it
        for _ in range(8):
            bits.signed(6)
    bits.number(2)  # partitions
    base = bits.number(7)
    if not segments:
        return base
    levels = segments if absolute else [base + change for change in segments]
    return (sum(levels) / len(levels) + min(levels)) / 2  # libwebp's spread about its base


def _segments(bits: _Bits) -> tuple[list[int], bool]:
    """Quantiser indices of the segments, and whether they are absolute."""
    mapped, changed = bits.bit(), bits.bit()
    levels, absolute = [], True
    if changed:
        absolute = bool(bits.bit())
        levels = [bits.signed(7) for _ in range(_SEGMENTS)]
        for _ in range(_SEGMENTS):
            bits.signed(6)
    if mapped:
        for _ in range(3):
            if bits.bit():
                bits.number(8)
    return levels, absolute
