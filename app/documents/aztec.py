"""A text as an Aztec code, the symbol that gates read from telephones."""

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from zxingcpp import Barcode

_MODULE_PIXELS = 8
# Aztec needs no quiet zone; a white margin keeps dark screens from touching it.
_MARGIN_PIXELS = 2 * _MODULE_PIXELS
_WHITE, _UNFILTERED = 255, 0


def svg(text: str) -> str:
    """A picture that scales, without a margin."""
    drawn = _symbol(text).to_svg(scale=_MODULE_PIXELS)
    return drawn[drawn.index("<svg") :]


def png(text: str) -> bytes:
    """A picture in shades of grey, eight pixels to a module."""
    dots = np.asarray(_symbol(text).to_image(scale=_MODULE_PIXELS), np.uint8)
    framed = np.pad(dots, _MARGIN_PIXELS, constant_values=_WHITE)
    height, width = framed.shape
    lines = np.insert(framed, 0, _UNFILTERED, axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _symbol(text: str) -> "Barcode":
    import zxingcpp  # Most processes never draw one.

    return zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Aztec)
