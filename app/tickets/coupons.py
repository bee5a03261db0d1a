"""What becomes of a coupon, by the industry's status codes.

O open ─ check in ─▶ C checked in ─ board ─▶ L boarded ─ fly ─▶ F flown (C too: gates forget to scan)
O ◀─ off-load ─ C
O ─ suspend ─▶ S suspended ─ reopen ─▶ O
O, C, L ─ disrupt ─▶ I irregular: the airline has changed the flight ─ reinstate or reopen ─▶ O
O, I ─ exchange ─▶ E, refund ─▶ R; O ─ void ─▶ V

A, airport control, is a status that other carriers' records have; no coupon of ours comes to it. The database
knows the same moves and refuses any other.
"""

from typing import NamedTuple

STATUSES = ("O", "A", "C", "L", "F", "E", "R", "V", "S", "I")
LIVE = ("O", "A", "C", "L", "I", "S")
"""Still good for travel, now or after something was put right."""

GIVEN_BACK = ("E", "R", "V")
"""Of no worth any more: exchanged, refunded, voided."""

UNUSED = ("O", "C", "S", "I")
"""Nothing of its flight was flown: it can be given back."""

COUPONS_A_TICKET = 4


class Move(NamedTuple):
    """From any of these statuses to that one; `done` says it in a sentence."""

    before: str
    after: str
    done: str


CHECK_IN = Move("O", "C", "checked in")
OFFLOAD = Move("C", "O", "off-loaded")
BOARD = Move("C", "L", "boarded")
FLY = Move("CL", "F", "flown")
SUSPEND = Move("O", "S", "suspended")
DISRUPT = Move("OCL", "I", "disrupted")
REINSTATE = Move("I", "O", "reinstated")
REOPEN = Move("SI", "O", "opened again")
EXCHANGE = Move("OI", "E", "exchanged")
REFUND = Move("OI", "R", "refunded")
VOID = Move("O", "V", "voided")
