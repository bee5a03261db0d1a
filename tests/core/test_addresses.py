"""Which addresses and URLs the product speaks to when a user names them."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.addresses import ForbiddenURL, check_url, is_public, permitted
from app.core.config import settings

# The first and the last address of what nobody outside can be: the rule again, in other words.
SPECIAL_IPV4 = [
    ("0.0.0.0", "0.255.255.255"),
    ("10.0.0.0", "10.255.255.255"),
    ("100.64.0.0", "100.127.255.255"),
    ("127.0.0.0", "127.255.255.255"),
    ("169.254.0.0", "169.254.255.255"),
    ("172.16.0.0", "172.31.255.255"),
    ("192.0.0.0", "192.0.0.255"),
    ("192.0.2.0", "192.0.2.255"),
    ("192.31.196.0", "192.31.196.255"),
    ("192.52.193.0", "192.52.193.255"),
    ("192.88.99.0", "192.88.99.255"),
    ("192.168.0.0", "192.168.255.255"),
    ("192.175.48.0", "192.175.48.255"),
    ("198.18.0.0", "198.19.255.255"),
    ("198.51.100.0", "198.51.100.255"),
    ("203.0.113.0", "203.0.113.255"),
    ("224.0.0.0", "255.255.255.255"),
]
SPECIAL_IPV6 = [
    ("::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff"),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
]
RANGES_4 = [(int(IPv4Address(first)), int(IPv4Address(last))) for first, last in SPECIAL_IPV4]
RANGES_6 = [(int(IPv6Address(first)), int(IPv6Address(last))) for first, last in SPECIAL_IPV6]


def anywhere(ranges: list[tuple[int, int]], most: int) -> st.SearchStrategy[int]:
    """Any address, and often one at the edge of a special network or inside it."""
    edges = st.sampled_from([edge for pair in ranges for edge in (pair[0] - 1, *pair, pair[1] + 1)])
    inside = st.sampled_from(ranges).flatmap(lambda pair: st.integers(*pair))
    return st.one_of(st.integers(0, most), inside, edges.filter(lambda edge: 0 <= edge <= most))


@given(anywhere(RANGES_4, 2**32 - 1))
def test_an_ipv4_address_is_public_unless_it_is_special(number: int) -> None:
    """The same written as IPv6 is judged the same."""
    special = any(first <= number <= last for first, last in RANGES_4)

    assert is_public(str(IPv4Address(number))) is not special
    assert is_public(str(IPv6Address((0xFFFF << 32) | number))) is not special


@given(anywhere(RANGES_6, 2**128 - 1))
def test_an_ipv6_address_is_public_if_it_is_global_and_not_special(number: int) -> None:
    """Most of the space is nobody's."""
    address = IPv6Address(number)
    expected = (
        is_public(str(address.ipv4_mapped))
        if address.ipv4_mapped
        else not any(first <= number <= last for first, last in RANGES_6)
    )

    assert is_public(str(address)) is expected


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:127.0.0.1",  # loopback, as IPv6 writes IPv4
        "::ffff:a9fe:a9fe",  # a cloud's metadata, written the same way
        "::127.0.0.1",
        "::ffff:0:10.0.0.1",
        "64:ff9b::7f00:1",  # loopback through NAT64
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",  # loopback through 6to4
        "2001:0:7f00:1::",  # Teredo
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1111%eth0",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "100::1",
        "5f00::1",
        "",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "8.8.8.8 ",
        "8.8.8.8\n",
        "08.8.8.8",
        "\uff18.8.8.8",
        "8.8.8.8/32",
    ],
)
def test_what_is_not_plainly_public_is_not(address: str) -> None:
    """Detours to inside, and what is no address in its usual form."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
        ),
        *("128.0.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.1", "198.17.255.255", "223.255.255.255"),
        *("2606:4700::1111", "2a00:1450:4001::5e", "2001:200::1", "3ffe:ffff::1", "::ffff:8.8.8.8"),
    ],
)
def test_public_addresses_are_public(address: str) -> None:
    """Without these, a rule that refuses everything would pass."""
    assert is_public(address)


INSIDE = [
    "https://127.0.0.1/",
    "https://127.255.255.254/hook",
    "https://0.0.0.0/",
    "https://10.1.2.3/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://172.16.0.1:8443/",
    "https://192.168.1.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[fd00:ec2::254]/",
    "https://[ff02::1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:db8::1]/",
    "https://localhost/",
    "https://LOCALHOST:8443/",
    "https://app.localhost/",
]
ODD_HOSTS = [
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://127.0.0.01/",
    "https://127.0.0.1.",
    "https://8.8.8.8.8/",
    "https://256.1.1.1/",
    "https://example.1/",
    "https://example.0x/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[127.0.0.1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[2606:4700:0::1111]/",
    "https://[v1.fe80]/",
    "https://[::1",
    "https://::1/",
    "https://[::1]8443/",
    "https:///hook",
    "https://:443/",
    "https://example.com./",
    "https://example..com/",
    "https://.example.com/",
    "https://-example.com/",
    "https://example-.com/",
    "https://exa_mple.com/",
    "https://example.com,127.0.0.1/",
    "https://*.example.com/",
    "https://127.0.0.1%2f.example.com/",
    "https://exam%70le.com/",
    "https://[fe80::1%25eth0]/",
    f"https://{'a' * 64}.com/",
    f"https://{'a.' * 126}example/",
    "https://xn--/",
    "https://xn--a.com/",
    "https://xn--1-zgn.com/",  # a hyphen that looks like one
    "https://xn--8g7ccp.0.0.example/",  # fullwidth digits behind the code for them
]
ODD_CHARACTERS = [
    "https://127。0。0。1/",  # ideographic full stops
    "https://\uff11\uff12\uff17.0.0.1/",  # fullwidth digits
    "https://ⓔxample.com/",
    "https://exampl\u212ae.com/",  # the sign of Kelvin, which lower-cases to k
    "https://müller.example/",
    "https://example.com/ü",
    "https://example.com\\@127.0.0.1/",
    "https:\\\\example.com/",
    "https://example.com/\r\nHost: inside",
    "https://example.com/\x00",
    "https://example.com/\t",
    " https://example.com/",
    "https://example.com/ ",
    "https://exam\u00adple.com/",  # a soft hyphen
    "https://example.com\u200b/",
    "https://example.com/#@127.0.0.1/",
    "https://example.com/{a}",
    "",
]
USERINFO = [
    "https://user@example.com/",
    "https://user:secret@example.com/",
    "https://example.com@127.0.0.1/",
    "https://example.com:443@127.0.0.1/",
    "https://@example.com/",
    "https://example.com%00@127.0.0.1/",
]
PORTS = [
    *(
        f"https://example.com:{port}/"
        for port in ("0", "1", "22", "25", "80", "1023", "3306", "5432", "6379")
    ),
    *(
        f"https://example.com:{port}/"
        for port in ("9200", "11211", "27017", "65536", "99999", "0443", "+443")
    ),
    "https://example.com:/",
    "https://example.com:443:443/",
    "https://example.com:0x1bb/",
]
NOT_HTTPS = [
    "http://example.com/",
    "http://127.0.0.1:9000/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_",
    "javascript:alert(1)",
    "//example.com/",
    "example.com/hook",
    "https:example.com",
    "https:/example.com",
]
REFUSED = [
    (code, url)
    for code, urls in [
        ("address", INSIDE),
        ("host", ODD_HOSTS),
        ("characters", ODD_CHARACTERS),
        ("userinfo", USERINFO),
        ("port", PORTS),
        ("not_https", NOT_HTTPS),
    ]
    for url in urls
]
ACCEPTED = [
    "https://example.com",
    "https://example.com/",
    "https://example.com:443/hook",
    "https://example.com:1024/",
    "https://example.com:8443/",
    "https://example.com:65535/",
    "https://hooks.example.com/services/T00/B00/abc~def?token=a%2Fb&x[]=1",
    "https://example.com?x=1",
    "https://example.com/@user/a:b/;c=d,e!$'()*+",
    "https://a.b.c.d.e.f.example.co.uk/",
    "https://r3---sn-4g5e.example.com/",
    "https://4.example.com/",
    "https://0x7f.example.com/",
    "https://1e100.example/",
    "https://xn--mller-kva.example/",
    "https://xn--p1ai.xn--p1ai/",
    "https://8.8.8.8/",
    "https://93.184.216.34:8443/hook",
    "https://[2606:4700::1111]/",
    "https://[2a00:1450:4001::5e]:8443/hook",
    f"https://example.com/{'a' * 2028}",
]


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "app_env", "production")


@pytest.mark.parametrize(("code", "url"), REFUSED)
def test_a_forbidden_url_is_refused_with_the_reason(production: None, code: str, url: str) -> None:
    """Whatever another reader of URLs would take it for."""
    with pytest.raises(ForbiddenURL) as refused:
        check_url(url)

    assert refused.value.code == code


@pytest.mark.parametrize("url", ACCEPTED)
def test_an_ordinary_url_is_accepted_as_it_is(production: None, url: str) -> None:
    """It may be signed, so that not a character is changed."""
    assert check_url(url) == url


def test_scheme_and_host_come_in_lower_case_and_nothing_else(production: None) -> None:
    """Two spellings of one server are one."""
    assert check_url("HTTPS://Hooks.Example.COM:8443/A?B=C") == "https://hooks.example.com:8443/A?B=C"


def test_a_url_has_at_most_2048_characters(production: None) -> None:
    """One less is accepted above."""
    with pytest.raises(ForbiddenURL) as refused:
        check_url(f"https://example.com/{'a' * 2029}")

    assert refused.value.code == "too_long"


def test_elsewhere_this_machine_is_spoken_to_over_http() -> None:
    """Who builds a receiver runs it beside the product."""
    for url in (
        "http://127.0.0.1:9000/hook",
        "http://localhost:9000/",
        "http://[::1]:9000/",
        "http://127.0.0.1/",
    ):
        assert check_url(url) == url
    assert permitted("127.0.0.1")
    assert permitted("::1")


@pytest.mark.parametrize(
    "url", ["http://8.8.8.8/", "http://[2606:4700::1111]/", "https://10.0.0.1/", "http://10.0.0.1/"]
)
def test_elsewhere_nothing_leaves_the_machine_in_the_clear_nor_goes_to_neighbours(url: str) -> None:
    """A developer's network has neighbours, too."""
    with pytest.raises(ForbiddenURL):
        check_url(url)


def test_an_operator_may_allow_networks_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers of one composition, say."""
    monkeypatch.setattr(settings(), "webhook_allowed_cidrs", "172.20.0.0/16, fd00:1::/64")

    assert check_url("http://172.20.0.7:9000/") == "http://172.20.0.7:9000/"
    assert permitted("172.20.255.255")
    assert permitted("fd00:1::7")
    assert not permitted("172.21.0.1")
    assert not permitted("fd00:2::7")


def test_production_forgets_what_was_allowed_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was accepted a moment ago, in other settings, is not remembered as accepted."""
    assert check_url("http://127.0.0.1:9000/")
    monkeypatch.setattr(settings(), "app_env", "production")

    with pytest.raises(ForbiddenURL):
        check_url("http://127.0.0.1:9000/")
    assert not permitted("127.0.0.1")
