"""Reading PDFs with another library than the one that made them."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from pypdf import PdfReader
from pypdf.generic import ContentStream


def text(pdf: bytes) -> str:
    """All of a document's text, with blanks and line ends made one blank."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())


def letters(pdf: bytes) -> set[str]:
    """Every character that can be copied out, also of letters that are drawn in several pieces."""
    whole = [operands[1]["/ActualText"] for _, operator, operands in _drawn(pdf) if _says(operator, operands)]
    return set(text(pdf)) | set("".join(whole))


def glyphs(pdf: bytes, font: str = "") -> list[int]:
    """The number of every glyph that is drawn in fonts of this name; 0 is the box for a missing character."""
    shown, current = [], ""
    for fonts, operator, operands in _drawn(pdf):
        if operator == b"Tf":
            current = fonts[operands[0]]["/BaseFont"]
        if operator in (b"Tj", b"TJ") and font in current:
            pieces = operands[0] if operator == b"TJ" else operands
            shown += [piece.original_bytes for piece in pieces if hasattr(piece, "original_bytes")]
    return [int.from_bytes(raw[at : at + 2]) for raw in shown for at in range(0, len(raw), 2)]


def sizes(pdf: bytes) -> dict[str, float]:
    """The size in which each piece of text on the first page is set."""
    found: dict[str, float] = {}

    def visit(piece: str, _: list[float], matrix: list[float], __: object, size: float) -> None:
        if piece.strip():
            found[piece.strip()] = round(size * abs(matrix[3]), 3)

    PdfReader(BytesIO(pdf)).pages[0].extract_text(visitor_text=visit)
    return found


def _drawn(pdf: bytes) -> Iterator[tuple[Any, bytes, Any]]:
    """Every step of drawing: the page's fonts, what is done, and with what."""
    reader = PdfReader(BytesIO(pdf))
    for page in reader.pages:
        for operands, operator in ContentStream(page.get_contents(), reader).operations:
            yield page["/Resources"]["/Font"], operator, operands  # type: ignore[index]


def _says(operator: bytes, operands: Any) -> bool:
    return operator == b"BDC" and "/ActualText" in operands[1]
