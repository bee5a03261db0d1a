"""A file as numbered lines, read piece by piece: only the line under way is kept in memory."""

from collections.abc import AsyncIterator

# Far longer than any line of a schedule; of a longer one only so much is kept, which is enough to refuse it.
LONGEST = 4096


class Lines:
    """The lines of a file that comes in pieces of any size; `offset` is how many bytes have been read."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self.offset = 0

    async def __aiter__(self) -> AsyncIterator[tuple[int, bytes]]:
        """Number and content of each line, without its end."""
        number, begun = 0, b""
        async for piece in self._pieces:
            self.offset += len(piece)
            first, *others = piece.split(b"\n")
            begun = (begun + first)[: LONGEST + 1]
            for line in others:
                number += 1
                yield number, begun.removesuffix(b"\r")
                begun = line[: LONGEST + 1]
        if begun:
            yield number + 1, begun.removesuffix(b"\r")
