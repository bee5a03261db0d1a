"""Ticket numbers: three digits of the airline's accounting code and ten that count up.

A number is an identifier, taken in order and never again. Its check digit is not one of the thirteen.
"""

_SERIAL_DIGITS = 10


def numbers(accounting_code: str, last_serial: int, count: int) -> list[str]:
    """The last so many numbers up to this serial, in order."""
    serials = range(last_serial - count + 1, last_serial + 1)
    return [f"{accounting_code}{serial:0{_SERIAL_DIGITS}}" for serial in serials]


def check_digit(number: str) -> int:
    """What is printed behind a number, from 0 to 6."""
    return int(number) % 7
