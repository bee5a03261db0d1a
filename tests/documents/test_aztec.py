"""Barcodes are read back. The library draws them with Zint and reads them with ZXing, two programs of two families."""

import re
from io import BytesIO

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from app.documents import aztec, bcbp
from tests.documents.test_bcbp import LUC

ISSUE = bcbp.Issue(passenger="0", source="W", document_type="B", issuer="AC")


def read(picture: np.ndarray) -> list[tuple[str, str]]:
    return [(found.text, found.symbology.name) for found in zxingcpp.read_barcodes(picture)]


def drawn(svg: str) -> np.ndarray:
    """A picture out of the squares of an SVG, on white with a margin."""
    width, height = (int(re.search(rf'{side}="(\d+)"', svg)[1]) for side in ("width", "height"))  # type: ignore[index]
    dots = np.full((height, width), 255, np.uint8)
    for x, y, w, h in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h", svg):
        dots[int(y) : int(y) + int(h), int(x) : int(x) + int(w)] = 0
    return np.pad(dots, 16, constant_values=255)


@pytest.mark.parametrize("legs", [1, 2, 3, 4])
def test_both_pictures_say_what_was_encoded(legs: int) -> None:
    """For as few and as many legs as a pass can have."""
    text = bcbp.encode("DESMARAIS/LUC", [LUC] * legs, ISSUE)

    png = np.asarray(Image.open(BytesIO(aztec.png(text))))

    assert read(png) == [(text, "Aztec")]
    assert read(drawn(aztec.svg(text))) == [(text, "Aztec")]


def test_the_picture_has_a_white_margin() -> None:
    """On a dark screen its edge would be lost."""
    png = np.asarray(Image.open(BytesIO(aztec.png("M1"))))

    assert {int(dot) for edge in (png[:16], png[-16:], png[:, :16], png[:, -16:]) for dot in edge.flat} == {
        255
    }
    assert png[16:-16, 16:-16].min() == 0


def test_the_drawing_can_stand_in_a_page() -> None:
    """Without a prologue and without anything that a page's policy would refuse."""
    svg = aztec.svg("M1")

    assert svg.startswith("<svg ")
    assert not re.search(r"<script|href|style=|url\(", svg)
