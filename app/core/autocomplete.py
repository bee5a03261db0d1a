"""Finding things while their names are typed: by code, by name, by words in any order, with a letter wrong.

Entries are numbered in the order in which people prefer them, so that sorting numbers is ranking. All the words
there are stand in one sorted list: what begins alike stands together, and is found by bisection.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple

_SEPARATORS = re.compile("[-\\s/.,()&:\N{EN DASH}]+")
_APOSTROPHES = re.compile("['`\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER TURNED COMMA}]")
# Letters that Unicode does not take apart, as people write them on a keyboard without them.
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ə": "a",
    }
)
# A mistake is forgiven in words of this length; shorter ones are one letter from half the world.
_LONG_WORD = 4
# Where so many are found without a mistake, nobody is asked whether there was one.
_ENOUGH = 5
_LAST = "\U0010ffff"


class Entry(NamedTuple):
    """Something to be found: by codes typed in full, the best first; by names and what it is called besides.

    The words of all of them and of further text count too, in any order.
    """

    codes: Sequence[str | None]
    names: Sequence[str]
    aliases: Sequence[str] = ()
    text: str = ""


def folded(text: str) -> str:
    """Small letters without accents, words apart by one space: `São-Paulo` is `sao paulo` to a traveller."""
    text = text.casefold()
    if not text.isascii():
        taken_apart = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
        text = "".join(c for c in taken_apart if not unicodedata.combining(c))
    return " ".join(_SEPARATORS.sub(" ", _APOSTROPHES.sub("", text)).split())


class _Holders:
    """Numbers by the texts that they have, in the order of the alphabet: what begins alike stands together."""

    def __init__(self, pairs: Iterable[tuple[int, Iterable[str]]]) -> None:
        self.of: dict[str, list[int]] = {}
        for number, texts in pairs:
            for text in texts:
                self.of.setdefault(text, []).append(number)
        self.texts = sorted(self.of)

    def beginning(self, start: str) -> set[int]:
        begin, end = bisect_left(self.texts, start), bisect_left(self.texts, start + _LAST)
        return set().union(*[self.of[text] for text in self.texts[begin:end]])


class Index:
    """The entries by everything that they are found by; `noise` is a word that nearly every one of them has."""

    def __init__(self, entries: Sequence[Entry], noise: str = "") -> None:
        self._noise = noise
        self._everything = range(len(entries))
        self._codes: list[dict[str, set[int]]] = []
        for number, entry in enumerate(entries):
            self._add_codes(number, entry.codes)
        names = [{folded(name) for name in entry.names} - {""} for entry in entries]
        aliases = [{folded(alias) for alias in entry.aliases} for entry in entries]
        self._names, self._aliases = _Holders(enumerate(names)), _Holders(enumerate(aliases))
        texts = [names[n] | aliases[n] | {folded(entry.text)} for n, entry in enumerate(entries)]
        self._words = _Holders((n, set(" ".join(found).split()) - {noise}) for n, found in enumerate(texts))
        self._next_letters = _next_letters(self._words.texts)
        # The widest questions are few, and asked whenever somebody begins to type.
        self._by_letter: dict[str, list[int]] = {}
        self._by_letter = {letter: self.find(letter) for letter in self._next_letters.get("", "")}

    def _add_codes(self, number: int, codes: Sequence[str | None]) -> None:
        while len(self._codes) < len(codes):
            self._codes.append({})
        for table, code in zip(self._codes, codes, strict=False):
            if code:
                table.setdefault(folded(code), set()).add(number)

    def find(self, query: str, among: Set[int] | None = None) -> list[int]:
        """The numbers of what is meant, best first; everything for an empty query."""
        text = folded(query)
        if not query.strip() or text == self._noise != "":
            return _kept(self._everything, among)
        if text in self._by_letter:
            return _kept(self._by_letter[text], among)
        found = _Found(among)
        if text:
            self._fill(found, text)
        return found.numbers

    def _fill(self, found: "_Found", text: str) -> None:
        """Codes, then what is called so, then whose name begins so, then besides, then who has all the words."""
        for table in self._codes:
            found.add(table.get(text, set()))
        found.add({*self._names.of.get(text, ()), *self._aliases.of.get(text, ())})
        meant = bool(found.numbers)
        found.add(self._names.beginning(text))
        found.add(self._aliases.beginning(text))
        found.add(set.intersection(*[self._words.beginning(word) for word in self._telling(text)]))
        if not meant and len(found.numbers) < _ENOUGH:
            found.add(self._nearly(text))

    def _telling(self, text: str) -> list[str]:
        """The words that tell one entry from another, of which the last may be half typed."""
        words = text.split()
        return [word for word in words if not self._noise.startswith(word)] or words

    def _nearly(self, text: str) -> set[int]:
        """Who has all the words if one letter of each long one is wrong, missing, too many or swapped."""
        found = []
        for word in self._telling(text):
            spellings = self._corrected(word) | {word} if len(word) >= _LONG_WORD else {word}
            found.append(set().union(*map(self._words.beginning, spellings)))
        return set.intersection(*found)

    def _corrected(self, word: str) -> set[str]:
        """What words begin with that is one mistake away; letters that follow nowhere are not tried."""
        candidates = set()
        for at in range(len(word)):
            head, letter, rest = word[:at], word[at], word[at + 1 :]
            if head not in self._next_letters:
                break
            candidates |= {head + rest, head + rest[:1] + letter + rest[1:]}
            for other in self._next_letters[head]:
                candidates |= {head + other + rest, head + other + letter + rest}
        return {candidate for candidate in candidates if candidate in self._next_letters}


def _kept(numbers: Iterable[int], among: Set[int] | None) -> list[int]:
    return list(numbers) if among is None else [number for number in numbers if number in among]


class _Found:
    """Numbers in the order in which they were found; those found together in their own order."""

    def __init__(self, among: Set[int] | None) -> None:
        self._among = among
        self._seen: set[int] = set()
        self.numbers: list[int] = []

    def add(self, numbers: Set[int]) -> None:
        new = numbers - self._seen if self._among is None else (numbers & self._among) - self._seen
        self.numbers += sorted(new)
        self._seen |= new


def _next_letters(words: Iterable[str]) -> dict[str, str]:
    """Every beginning of a word, with the letters that follow it somewhere."""
    following: dict[str, str] = {}
    for word in words:
        for at, letter in enumerate(word):
            head = word[:at]
            known = following.get(head, "")
            if letter not in known:
                following[head] = known + letter
        following.setdefault(word, "")
    return following
