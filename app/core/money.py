"""Money as integer minor units inside and as decimal strings outside; never a float."""

from decimal import Decimal

# ISO 4217 exponents that are not 2. https://www.six-group.com/en/products-services/financial-information/data-standards.html
_EXPONENTS = (
    dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    )
    | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)
    | dict.fromkeys(["CLF", "UYW"], 4)
)

Wire = dict[str, str]


def exponent(currency: str) -> int:
    """How many decimals an amount in this currency is written with."""
    return _EXPONENTS.get(currency, 2)


def amount(minor: int, currency: str) -> str:
    """`amount(51240, "USD")` is `"512.40"`; `amount(51240, "JPY")` is `"51240"`."""
    return str(Decimal(minor).scaleb(-exponent(currency)))


def wire(minor: int, currency: str) -> Wire:
    """The shape in which every answer carries money."""
    return {"amount": amount(minor, currency), "currency": currency}


def minor(amount: Wire) -> int:
    """What `wire` made, read back; of what it did not make, ValueError."""
    scaled = Decimal(amount["amount"]).scaleb(exponent(amount["currency"]))
    if scaled != int(scaled):
        raise ValueError("more decimals than the currency has")
    return int(scaled)


def share(minor: int, numerator: int, denominator: int) -> int:
    """`minor * numerator / denominator`, halves rounded away from zero, in integers throughout."""
    quotient, remainder = divmod(abs(minor) * numerator, denominator)
    rounded = quotient + (remainder * 2 >= denominator)
    return rounded if minor >= 0 else -rounded
