"""Which vendor stands behind each port."""

from app.providers.aviationstack import client as aviationstack
from app.providers.aviationstack.client import AviationStack
from app.providers.base import PositionSource, ScheduleSource
from app.providers.cards import Cards
from app.providers.fcm import Fcm
from app.providers.governor import Allowance
from app.providers.opensky import client as opensky
from app.providers.opensky.client import OpenSky
from app.providers.push import Pushes
from app.providers.stripe import Stripe


def schedules() -> ScheduleSource:
    return AviationStack()


def positions() -> PositionSource:
    return OpenSky()


def cards() -> Cards:
    return Stripe()


def pushes() -> Pushes:
    return Fcm()


def allowances() -> list[Allowance]:
    """Every budget there is."""
    return [aviationstack.allowance(), *opensky.allowances()]
