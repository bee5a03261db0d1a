"""The airlines that come with the product."""

import re

import airportsdata
import pytest

from app.airlines import service
from app.core import tables

ROWS = tables.read(service._PACKAGED)
BY_IATA = {row["iata"]: row for row in ROWS}


def test_there_are_hundreds_of_them() -> None:
    """Whoever sells flights knows the airlines that fly them."""
    assert len(ROWS) >= 500


@pytest.mark.parametrize(
    ("column", "pattern"),
    [
        ("iata", "(?=.*[A-Z])[A-Z0-9]{2}"),
        ("icao", "[A-Z]{3}"),
        ("callsign", "([A-Z][A-Z' -]+)?"),
        ("country", "[A-Z]{2}"),
        ("accounting_code", r"(\d{3})?"),
    ],
)
def test_every_code_has_its_form(column: str, pattern: str) -> None:
    """As IATA and ICAO write them."""
    assert [row for row in ROWS if not re.fullmatch(pattern, row[column])] == []


@pytest.mark.parametrize("column", ["iata", "icao", "accounting_code", "callsign"])
def test_no_code_is_given_twice(column: str) -> None:
    """It would be read as another airline's."""
    codes = [row[column] for row in ROWS if row[column]]
    assert len(codes) == len(set(codes))


def test_every_airline_has_a_name_and_a_country_that_exists() -> None:
    """Countries are those that have airports."""
    countries = {airport["country"] for airport in airportsdata.load("IATA").values()}

    assert [row for row in ROWS if row["country"] not in countries or not row["name"].strip()] == []


def test_they_are_in_order() -> None:
    """So that two people who add one meet in the same line."""
    assert [row["iata"] for row in ROWS] == sorted(BY_IATA)


@pytest.mark.parametrize(
    ("iata", "icao", "callsign", "country", "accounting_code"),
    [
        ("AA", "AAL", "AMERICAN", "US", "001"),
        ("AC", "ACA", "AIR CANADA", "CA", "014"),
        ("AF", "AFR", "AIRFRANS", "FR", "057"),
        ("AI", "AIC", "AIRINDIA", "IN", "098"),
        ("AM", "AMX", "AEROMEXICO", "MX", "139"),
        ("AY", "FIN", "FINNAIR", "FI", "105"),
        ("AZ", "ITY", "ITARROW", "IT", "055"),
        ("BA", "BAW", "SPEEDBIRD", "GB", "125"),
        ("CA", "CCA", "AIR CHINA", "CN", "999"),
        ("CI", "CAL", "DYNASTY", "TW", "297"),
        ("CX", "CPA", "CATHAY", "HK", "160"),
        ("DL", "DAL", "DELTA", "US", "006"),
        ("EI", "EIN", "SHAMROCK", "IE", "053"),
        ("EK", "UAE", "EMIRATES", "AE", "176"),
        ("ET", "ETH", "ETHIOPIAN", "ET", "071"),
        ("EY", "ETD", "ETIHAD", "AE", "607"),
        ("IB", "IBE", "IBERIA", "ES", "075"),
        ("JL", "JAL", "JAPANAIR", "JP", "131"),
        ("KE", "KAL", "KOREANAIR", "KR", "180"),
        ("KL", "KLM", "KLM", "NL", "074"),
        ("LA", "LAN", "LAN CHILE", "CL", "045"),
        ("LH", "DLH", "LUFTHANSA", "DE", "220"),
        ("LO", "LOT", "LOT", "PL", "080"),
        ("LX", "SWR", "SWISS", "CH", "724"),
        ("MS", "MSR", "EGYPTAIR", "EG", "077"),
        ("NH", "ANA", "ALL NIPPON", "JP", "205"),
        ("NZ", "ANZ", "NEW ZEALAND", "NZ", "086"),
        ("OS", "AUA", "AUSTRIAN", "AT", "257"),
        ("QF", "QFA", "QANTAS", "AU", "081"),
        ("QR", "QTR", "QATARI", "QA", "157"),
        ("SA", "SAA", "SPRINGBOK", "ZA", "083"),
        ("SK", "SAS", "SCANDINAVIAN", "SE", "117"),
        ("SQ", "SIA", "SINGAPORE", "SG", "618"),
        ("TK", "THY", "TURKISH", "TR", "235"),
        ("TP", "TAP", "AIR PORTUGAL", "PT", "047"),
        ("UA", "UAL", "UNITED", "US", "016"),
        ("VS", "VIR", "VIRGIN", "GB", "932"),
        ("WN", "SWA", "SOUTHWEST", "US", "526"),
    ],
)
def test_what_everybody_can_look_up_is_so(
    iata: str, icao: str, callsign: str, country: str, accounting_code: str
) -> None:
    """Checked by hand, one by one."""
    row = BY_IATA[iata]

    told = (row["icao"], row["callsign"], row["country"], row["accounting_code"])
    assert told == (icao, callsign, country, accounting_code)
