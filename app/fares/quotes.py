"""What a slice costs and what a journey costs: per passenger type, with every tax on a line of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.core import money
from app.core.db import Row


class TaxLine(NamedTuple):
    """`refundable` says whether it is given back for an unused ticket whose fare is not."""

    code: str
    name: str
    amount: int
    refundable: bool = True


@dataclass(frozen=True, slots=True)
class PassengerPrice:
    """For all passengers of one type together, in minor units of the quote's currency."""

    type: str
    count: int
    base: int
    tax_lines: tuple[TaxLine, ...]

    @property
    def taxes(self) -> int:
        return sum(line.amount for line in self.tax_lines)


class SlicePrice:
    """The price of one slice. Its total is the sum of its lines, whoever adds them up."""

    __slots__ = ("passengers", "total")

    def __init__(self, passengers: tuple[PassengerPrice, ...]) -> None:
        self.passengers = passengers
        self.total = sum(line.base + line.taxes for line in passengers)


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of a journey: its slices' prices, added up."""

    currency: str
    slices: tuple[SlicePrice, ...]

    @property
    def passengers(self) -> tuple[PassengerPrice, ...]:
        """One line for each passenger type, over all slices; every slice carries the same passengers."""
        return tuple(_together(lines) for lines in zip(*(s.passengers for s in self.slices), strict=True))

    @property
    def base(self) -> int:
        return sum(line.base for one in self.slices for line in one.passengers)

    @property
    def taxes(self) -> int:
        return sum(line.taxes for one in self.slices for line in one.passengers)

    @property
    def total(self) -> int:
        return sum(one.total for one in self.slices)

    def parts(self) -> list[list[Row]]:
        """What ONE passenger of each type pays for each slice, in minor units: what a part of a trip is worth.

        A tax is its code, name, amount, and whether it is refundable. Times their count, parts add up to the total.
        """
        return [[_of_one(line) for line in one.passengers] for one in self.slices]

    def wire(self) -> Row:
        return {
            "total": money.wire(self.total, self.currency),
            "base": money.wire(self.base, self.currency),
            "taxes": money.wire(self.taxes, self.currency),
            "passengers": [self._passenger(line) for line in self.passengers],
        }

    def _passenger(self, line: PassengerPrice) -> Row:
        return {
            "type": line.type,
            "count": line.count,
            "base": money.wire(line.base, self.currency),
            "taxes": money.wire(line.taxes, self.currency),
            "tax_lines": [
                {"code": tax.code, "name": tax.name, "amount": money.wire(tax.amount, self.currency)}
                for tax in line.tax_lines
            ],
        }


def merged(lines: Iterable[TaxLine]) -> tuple[TaxLine, ...]:
    """One line for each code, in the order in which codes appear; what comes to nothing is left out."""
    found: dict[str, TaxLine] = {}
    for line in lines:
        known = found.get(line.code)
        found[line.code] = line if known is None else line._replace(amount=known.amount + line.amount)
    return tuple(line for line in found.values() if line.amount)


def _of_one(line: PassengerPrice) -> Row:
    """Exact: a line was made as one passenger's rounded amounts times their number."""
    return {
        "type": line.type,
        "count": line.count,
        "base": line.base // line.count,
        "taxes": [[tax.code, tax.name, tax.amount // line.count, tax.refundable] for tax in line.tax_lines],
    }


def _together(lines: Sequence[PassengerPrice]) -> PassengerPrice:
    first, base = lines[0], sum(line.base for line in lines)
    return PassengerPrice(
        first.type, first.count, base, merged(tax for line in lines for tax in line.tax_lines)
    )
