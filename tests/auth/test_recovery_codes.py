"""What stands in for a lost authenticator."""

import asyncio
from collections import Counter
from typing import Any

from tests.auth.support import enrolled, log_in, user_id
from tests.support.client import PASSWORD, Client


async def test_each_signs_in_once(api: Client, traveller: Client) -> None:
    """Also of many at once; the others stay good."""
    ada = await enrolled(traveller)
    first, second, *_ = ada.recovery_codes

    answers = await asyncio.gather(*(log_in(api, ada.email, code=first) for _ in range(4)))

    assert Counter(answer.status for answer in answers) == {200: 1, 401: 3}
    assert (await log_in(api, ada.email, code=second)).status == 200


async def test_they_are_read_as_people_type_them(api: Client, traveller: Client) -> None:
    """In small letters, without the dashes, with blanks."""
    ada = await enrolled(traveller)
    first, second, *_ = ada.recovery_codes

    assert (await log_in(api, ada.email, code=first.lower().replace("-", ""))).status == 200
    assert (await log_in(api, ada.email, code=f" {second.replace('-', ' ')} ")).status == 200


async def test_new_ones_make_the_old_ones_void(api: Client, traveller: Client) -> None:
    """For the password and a code, which may be one of the old ones."""
    ada = await enrolled(traveller)
    both = {"password": PASSWORD, "code": ada.recovery_codes[0]}

    renewed = await traveller.post("/auth/totp/recovery-codes", both)

    assert (renewed.status, len(renewed.body["recovery_codes"])) == (200, 10)
    assert not set(renewed.body["recovery_codes"]) & set(ada.recovery_codes)
    assert (await log_in(api, ada.email, code=ada.recovery_codes[1])).code == "wrong_code"
    assert (await log_in(api, ada.email, code=renewed.body["recovery_codes"][0])).status == 200


async def test_only_their_hashes_are_kept(traveller: Client, sql: Any) -> None:
    """Of 120 bits each, which nobody finds out from a hash."""
    ada = await enrolled(traveller)
    bare = ada.recovery_codes[0].replace("-", "")

    kept = await sql("SELECT * FROM recovery_codes WHERE user_id = :id", id=user_id(traveller))

    assert (len(kept), len(bare)) == (10, 24)
    assert all(len(row["code_hash"]) == 32 for row in kept)
    assert bare not in str(kept)


async def test_they_are_nobody_elses(api: Client, traveller: Client) -> None:
    """A code belongs to one account."""
    ada, other = await enrolled(traveller), await enrolled(await api.signed_up())

    assert (await log_in(api, other.email, code=ada.recovery_codes[0])).code == "wrong_code"
    assert (await log_in(api, ada.email, code=ada.recovery_codes[0])).status == 200


async def test_they_end_with_the_second_factor(api: Client, traveller: Client) -> None:
    """One that is switched on again has codes of its own."""
    ada = await enrolled(traveller)
    off = {"password": PASSWORD, "code": ada.recovery_codes[0]}
    assert (await traveller.post("/auth/totp/disable", off)).status == 204
    again = await enrolled(traveller)

    assert (await log_in(api, ada.email, code=ada.recovery_codes[1])).code == "wrong_code"
    assert (await log_in(api, ada.email, code=again.recovery_codes[1])).status == 200
