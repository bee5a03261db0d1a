"""Names as tickets print them, out of names as people write them.

Letters become A to Z by the tables of ICAO Doc 9303-3, section 6, as on a passport's machine-readable lines:
table A for Latin, where it allows several ways the first one, and table B for Cyrillic. Other scripts have no
derivation that passports agree on.
"""

import unicodedata
from string import ascii_uppercase

LONGEST = 58
# What passports without a given name are ticketed with.
_FIRST_NAME_UNKNOWN = "FNU"
# Apostrophes of many scripts, full stops, commas and the Cyrillic soft sign are left out.
_SILENT = frozenset("'’‘`´.,ʼʻʹʺЬ")  # noqa: RUF001

_LATIN = {
    "Ä": "AE",
    "Å": "AA",
    "Æ": "AE",
    "Ð": "D",
    "Đ": "D",
    "Ħ": "H",
    "İ": "I",
    "ı": "I",  # noqa: RUF001  Turkish dotless i.
    "Ł": "L",
    "Ŋ": "N",
    "Ö": "OE",
    "Ø": "OE",
    "Œ": "OE",
    "ß": "SS",
    "ẞ": "SS",
    "Ŧ": "T",
    "Þ": "TH",
    "Ü": "UE",
}
_CYRILLIC = "АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЭЮЯЂЃЄЅІЇЈЉЊЋЌЎЏҐѢ"
_IN_LATIN = (
    "A B V G D E E ZH Z I I K L M N O P R S T U F KH TS CH SH SHCH IE Y E IU IA "
    "D G IE DZ I I J LJ NJ C K U DZ G IE"
)
_TRANSLITERATED = str.maketrans(_LATIN | dict(zip(_CYRILLIC, _IN_LATIN.split(), strict=True)))
# What becomes of ASCII, in which no letter needs a table.
_ASCII = dict.fromkeys(range(128)) | {ord(c): c for c in ascii_uppercase + " "} | {ord("-"): " "}


def latin(name: str) -> str:
    """A name in upper-case A to Z and single spaces; empty where a letter of it has no derivation, or it has none."""
    if name.isascii():
        return " ".join(name.upper().translate(_ASCII).split())
    upper = unicodedata.normalize("NFC", name).upper()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", upper).translate(_TRANSLITERATED))
    written = [c for c in plain if c not in _SILENT]
    if any(unicodedata.category(c)[0] == "L" and not "A" <= c <= "Z" for c in written):
        return ""
    return " ".join("".join(c if "A" <= c <= "Z" else " " if c in " -‐" else "" for c in written).split())  # noqa: RUF001


def ticket_name(family_name: str, given_name: str | None) -> str:
    """`LOVELACE/ADA`, in at most 58 characters: given names are left out from the last on, then cut.

    A surname of one letter is doubled. Empty where one of the names has no derivation.
    """
    family = latin(family_name)
    given = latin(given_name) if given_name is not None else _FIRST_NAME_UNKNOWN
    if not family or not given:
        return ""
    family = family * 2 if len(family) == 1 else family
    given = _shortened(given, max(LONGEST - 1 - len(family), 1))
    return f"{family[: LONGEST - 1 - len(given)].rstrip()}/{given}"


def _shortened(names: str, room: int) -> str:
    while len(names) > room and " " in names:
        names = names.rpartition(" ")[0]
    return names[:room]
