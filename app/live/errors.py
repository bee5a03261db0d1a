"""What live positions can refuse."""

from app.core.errors import Unavailable


class PositionsUnavailable(Unavailable):
    code = "positions_unavailable"
    title = "Nobody says at the moment where aircraft are"


class PositionsDisabled(Unavailable):
    code = "positions_disabled"
    title = "Live positions are switched off here"
    retryable = False


class TooManyStreams(Unavailable):
    code = "too_many_streams"
    title = "As many streams are open as this server keeps"
