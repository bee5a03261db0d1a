"""Which vendor stands behind each port."""

from app.providers.aviationstack.client import AviationStack
from app.providers.base import ScheduleSource


def schedules() -> ScheduleSource:
    return AviationStack()
