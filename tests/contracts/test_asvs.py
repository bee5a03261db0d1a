"""The table of OWASP's ASVS 5.0.0 has every requirement, and says of none what the repository does not show."""

import re
from collections import Counter
from typing import NamedTuple

from tests.support.stack import ROOT

_PAGE = (ROOT / "docs" / "security" / "asvs.md").read_text()

# Each section with the levels of its requirements, one digit for each.
_LEVELS = """
 1.1 22   1.2 1111122223  1.3 112222222223  1.4 222  1.5 123
 2.1 122  2.2 112         2.3 12223         2.4 23
 3.1 3    3.2 113         3.3 12223         3.4 11222233  3.5 11122333  3.6 3  3.7 22333
 4.1 12233      4.2 23333  4.3 22     4.4 1222
 5.1 2          5.2 112333 5.3 113    5.4 222
 6.1 122        6.2 111111112222      6.3 11223333  6.4 112233  6.5 22222333  6.6 2223  6.7 33  6.8 2222
 7.1 222        7.2 1111   7.3 22     7.4 11222  7.5 223  7.6 22
 8.1 1233       8.2 1123   8.3 133    8.4 23
 9.1 111        9.2 1222
10.1 22        10.2 223   10.3 22223 10.4 1111122222233333  10.5 22222  10.6 22  10.7 222
11.1 2233      11.2 22233 11.3 11233 11.4 1222    11.5 23   11.6 23  11.7 33
12.1 12233     12.2 11    12.3 22223
13.1 2333      13.2 222223  13.3 2233  13.4 1222233
14.1 22        14.2 12223333  14.3 122
15.1 12233     15.2 12233 15.3 1222222 15.4 3333
16.1 2         16.2 22222 16.3 2222  16.4 222  16.5 2223
17.1 23        17.2 22223333  17.3 22
"""
_STANDARD = {
    f"{section}.{number}": int(level)
    for section, levels in re.findall(r"(\d+\.\d) (\d+)", _LEVELS)
    for number, level in enumerate(levels, 1)
}
# Of these sections a page is proof; of all others a test is.
_ON_PAPER = ("2.1", "3.1", "5.1", "6.1", "7.1", "8.1", "11.1", "13.1", "14.1", "15.1", "16.1")
_ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (\d) \| (.+?) \| (.+?) \| (.+) \|$", re.MULTILINE)
_PATH = re.compile(r"`((?:[a-z.]+/)[\w./-]+|Makefile|pyproject\.toml|SECURITY\.md)`")
_MOST_WORDS, _A_REASON = 12, 3


class Row(NamedTuple):
    id: str
    level: int
    what: str
    state: str
    where: str

    @property
    def paths(self) -> list[str]:
        return _PATH.findall(self.where)

    @property
    def proofs(self) -> tuple[str, ...]:
        """Where what shows it has to be."""
        return ("tests/", "docs/") if self.id.rpartition(".")[0] in _ON_PAPER else ("tests/",)


_ROWS = [Row(name, int(level), *rest) for name, level, *rest in _ROW.findall(_PAGE)]


def test_the_table_has_what_the_standard_has() -> None:
    """Every requirement once, in its order and with its level."""
    assert Counter(_STANDARD.values()) == {1: 70, 2: 183, 3: 92}
    assert [row.id for row in _ROWS] == list(_STANDARD)
    assert {row.id: row.level for row in _ROWS} == _STANDARD


def test_every_requirement_is_put_in_a_few_words_and_has_a_state() -> None:
    """So that the table can be read without the standard beside it."""
    assert {row.state for row in _ROWS} == {"met", "n.a.", "open"}
    assert [row.id for row in _ROWS if len(row.what.split()) > _MOST_WORDS] == []


def test_what_is_met_is_shown_by_a_test() -> None:
    """Or by a page, where the standard asks for documentation."""
    unproved = [
        row.id
        for row in _ROWS
        if row.state == "met" and not any(path.startswith(row.proofs) for path in row.paths)
    ]

    assert unproved == []


def test_every_path_leads_somewhere() -> None:
    """Renaming a test shall not leave a requirement without proof."""
    missing = {path: row.id for row in _ROWS for path in row.paths if not (ROOT / path).exists()}

    assert missing == {}


def test_what_is_not_met_says_why() -> None:
    """Whether it does not apply or is open."""
    silent = [
        row.id for row in _ROWS if row.state != "met" and len(re.findall(r"\w+", row.where)) < _A_REASON
    ]

    assert silent == []


def test_the_summary_counts_the_table() -> None:
    """Of each level and of all: how many, met, not applicable, open, and the part that is met of what applies."""
    counted = []
    for name, levels in (("1", {1}), ("2", {2}), ("3", {3}), ("1 and 2", {1, 2}), ("all", {1, 2, 3})):
        states = Counter(row.state for row in _ROWS if row.level in levels)
        met, absent, missing = (states[state] for state in ("met", "n.a.", "open"))
        share = f"{100 * met / (met + missing):.1f} %"
        counted.append((name, str(met + absent + missing), str(met), str(absent), str(missing), share))

    assert re.findall(r"^\| ([\w ]+) \|" + r" (\d+) \|" * 4 + r" (.+) \|$", _PAGE, re.MULTILINE) == counted


def test_everything_open_is_listed_above_the_table() -> None:
    """Who reads the first screen only shall miss none of it."""
    listed = _PAGE.partition("## What is open")[2].partition("\n## ")[0]

    assert sorted(re.findall(r"\d+\.\d+\.\d+", listed)) == sorted(
        row.id for row in _ROWS if row.state == "open"
    )
