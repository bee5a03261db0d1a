"""Text from outside: one line of printable characters, in one Unicode form."""

import unicodedata


def line(text: str) -> str:
    """NFC, without control characters, line separators or lone surrogates; raises ValueError."""
    normal = unicodedata.normalize("NFC", text)
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in normal):
        raise ValueError("control characters are not allowed")
    return normal
