"""A text as an Aztec code, the symbol that gates read from telephones."""

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zxingcpp import Barcode

_MODULE_PIXELS = 8
# Aztec needs no quiet zone; a white margin keeps dark screens from touching it.
_MARGIN = b"\xff" * (2 * _MODULE_PIXELS)


def svg(text: str) -> str:
    """A picture that scales, without a margin."""
    drawn = _symbol(text).to_svg(scale=_MODULE_PIXELS)
    return drawn[drawn.index("<svg") :]


def png(text: str) -> bytes:
    """A picture in shades of grey, eight pixels to a module."""
    dots = memoryview(_symbol(text).to_image(scale=_MODULE_PIXELS))
    width, gray = dots.shape[1], dots.tobytes()
    lines = [_MARGIN + gray[at : at + width] + _MARGIN for at in range(0, len(gray), width)]
    blank = [b"\xff" * (width + 2 * len(_MARGIN))] * len(_MARGIN)
    return _png([*blank, *lines, *blank])


def _symbol(text: str) -> "Barcode":
    import zxingcpp  # Most processes never draw one.

    return zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Aztec)


def _png(lines: list[bytes]) -> bytes:
    """Lines of grey pixels as a PNG file; before each stands its filter, 0 for none."""
    header = struct.pack(">IIBBBBB", len(lines[0]), len(lines), 8, 0, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\x00" + line for line in lines), 9)
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
