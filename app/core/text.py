"""Text from outside: one line of printable characters, in one Unicode form."""

import re
import unicodedata

from pydantic_core import PydanticCustomError

CARD_NUMBER = "card_number_refused"

_CARD_DIGITS = range(13, 20)
# Embeddings, overrides and isolates of the bidirectional algorithm; letters have their direction without them.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Digits in groups, as people write the numbers of cards.
_GROUPS = re.compile(r"\d+(?:[ .-]\d+)*")


def line(text: str) -> str:
    """NFC, without control characters, line separators or lone surrogates, and without what turns the direction of
    the text around it, with which a name could rewrite the mail it stands in. Raises ValueError.
    """
    normal = unicodedata.normalize("NFC", text)
    if any(unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") or one in _TURNING for one in normal):
        raise ValueError("control characters are not allowed")
    return normal


def holds_card_number(text: str) -> bool:
    """Whether 13 to 19 digits in it, alone or in groups, are what a payment card's number can be (Luhn)."""
    for match in _GROUPS.finditer(unicodedata.normalize("NFKC", text)):
        groups = re.split(r"\D", match[0])
        for first in range(len(groups)):
            digits = ""
            for group in groups[first:]:
                digits += group
                if len(digits) >= _CARD_DIGITS.stop:
                    break
                if len(digits) in _CARD_DIGITS and _luhn(digits):
                    return True
    return False


def without_card_number(text: str) -> str:
    """The text as it is; for schemas, whose refusal is then `card_number_refused`."""
    if holds_card_number(text):
        raise PydanticCustomError(CARD_NUMBER, "Leave out numbers of payment cards")
    return text


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    return sum(map(int, digits[-1::-2])) % 10 == -sum(n - 9 * (n > 9) for n in doubled) % 10
