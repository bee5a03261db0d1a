"""The fares in force: a kind of rules, which operators edit."""

from pathlib import Path

from app.airports.service import directory
from app.fares.factors import read_factors
from app.fares.pricing import FareBook
from app.fares.products import read_products
from app.fares.rates import read_currency, read_rates
from app.fares.tariff import read_tariff
from app.fares.taxes import read_taxes
from app.rules import service as rules
from app.rules.cells import Reader
from app.rules.kinds import Book, Kind, register

_COLUMNS = {
    "book": ("name", "value"),
    "currencies": ("currency", "rate", "as_of", "source"),
    "fares": (
        "carrier",
        "from",
        "to",
        "cabin",
        "up_to_km",
        "amount",
        "per_100_km",
        "valid_from",
        "valid_to",
    ),
    "seasons": ("code", "from", "to", "percent", "from_country", "to_country"),
    "weekdays": ("weekday", "percent"),
    "hours": ("from_hour", "percent"),
    "advance": ("days", "percent"),
    "stay": ("min_days", "saturday_night", "percent"),
    "connections": ("connections", "percent"),
    "journeys": ("journey", "percent"),
    "classes": ("cabin", "class", "percent", "share"),
    "brands": (
        "cabin",
        "name",
        "code",
        "percent",
        "change_fee",
        "refund_fee",
        "carry_on",
        "checked",
        "seat_choice",
    ),
    "discounts": ("passenger", "percent", "taxes"),
    "taxes": (
        "code",
        "name",
        "country",
        "airport",
        "applies",
        "scope",
        "cabin",
        "passengers",
        "amount",
        "percent_of_base",
        "refundable",
        "valid_from",
        "valid_to",
    ),
}
_OPTIONAL = {"taxes": frozenset({"refundable"})}


def build(book: Book) -> FareBook:
    """Raises RulesRefused with all that makes no sense."""
    reader = Reader(book.tables)
    currency = read_currency(reader)
    currencies = read_rates(reader, currency)
    tariff = read_tariff(reader, currency)
    factors = read_factors(reader)
    products = read_products(reader, currency)
    taxes = read_taxes(reader, currency)
    reader.faults.refuse_any()
    return FareBook(book.version, currency, currencies, tariff, factors, products, taxes, directory)


FARES = register(Kind("fares", _COLUMNS, Path(__file__).with_name("data"), build, _OPTIONAL))


def book() -> FareBook:
    """The fares in force."""
    return rules.in_force(FARES)
