"""What schedules can refuse."""

from app.core.errors import Unprocessable


class UnreadableSchedule(Unprocessable):
    code = "unreadable_schedule"
    title = "The file is no schedule that can be read"
