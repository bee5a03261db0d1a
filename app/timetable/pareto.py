"""Which itineraries are worth showing: those that no other like them beats, and of these the shortest."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.timetable.legs import Legs

Array = NDArray[Any]

_MOST = 2**62
_NO_FLIGHT = np.iinfo(np.int64).min


class Found(NamedTuple):
    """Itineraries of one number of flights: for each flight its legs, and which of them each itinerary takes."""

    legs: tuple[Legs, ...]
    which: tuple[Array, ...]

    @property
    def departs(self) -> Array:
        return self.legs[0].departs[self.which[0]]

    @property
    def arrives(self) -> Array:
        return self.legs[-1].arrives[self.which[-1]]

    @property
    def ids(self) -> list[Array]:
        return [legs.id[which] for legs, which in zip(self.legs, self.which, strict=True)]

    def take(self, chosen: Array) -> "Found":
        return Found(self.legs, tuple(which[chosen] for which in self.which))


def undominated(found: Found) -> Found:
    """Without those that another with the same ends and airlines leaves no earlier and arrives no later than.

    Of several with the same times, the one with the smallest ids of flights stays.
    """
    if not found.which[0].size:
        return found
    departs, arrives, rival = found.departs, found.arrives, _rivals(found)
    last, lengths = int(departs.max()), arrives - departs
    span, longest = last - int(departs.min()) + 1, int(lengths.max()) + 1
    if (int(rival.max()) + 1) * span * longest > _MOST:
        rival = np.unique(rival, return_inverse=True)[1]
    # By rivals, the latest departure and the earliest arrival; those of one key have the same times.
    key = (rival * span + (last - departs)) * longest + lengths
    order = np.argsort(key)
    key, rival, arrives = key[order], rival[order], arrives[order]
    new = np.append(True, key[1:] != key[:-1])
    # Rivals follow one another so far apart that what arrived before does not count for the next.
    apart = arrives - rival * (int(arrives.max()) - int(arrives.min()) + 1)
    earliest = np.minimum.accumulate(apart)
    stays = np.append(True, apart[1:] < earliest[:-1])
    runs = np.cumsum(new) - 1
    stays = stays[new][runs]
    left, run = found.take(order[stays]), runs[stays]
    if run.size == int(np.append(True, run[1:] != run[:-1]).sum()):
        return left
    order = np.lexsort((*reversed(left.ids), run))
    run = run[order]
    return left.take(order[np.append(True, run[1:] != run[:-1])])


def shortest(found: list[Found], most: int) -> tuple[list[Found], list[int]]:
    """The first of all by length, departure and ids of flights, and the number of the list that each comes from."""
    departs = np.concatenate([one.departs for one in found])
    elapsed = np.concatenate([one.arrives for one in found]) - departs
    flights = max(len(one.legs) for one in found)
    ids = [np.concatenate([_padded(one, number) for one in found]) for number in range(flights)]
    near = np.arange(departs.size)
    if departs.size > most:
        near = np.flatnonzero(elapsed <= np.partition(elapsed, most - 1)[most - 1])
    order = near[np.lexsort((*(column[near] for column in reversed(ids)), departs[near], elapsed[near]))]
    of = np.repeat(np.arange(len(found)), [one.which[0].size for one in found])
    which = np.concatenate([np.arange(one.which[0].size) for one in found])
    of, which = of[order[:most]], which[order[:most]]
    return [one.take(which[of == number]) for number, one in enumerate(found)], of.tolist()


def _padded(found: Found, number: int) -> Array:
    """The ids of one flight of each itinerary; where there is none, less than any."""
    if number < len(found.legs):
        return found.legs[number].id[found.which[number]]
    return np.full(found.which[0].size, _NO_FLIGHT)


def _rivals(found: Found) -> Array:
    """A number for each itinerary, the same for those with the same date, ends and airlines."""
    first, last = found.legs[0], found.legs[-1]
    columns = [first.day, first.origin, last.destination, *(legs.carrier for legs in found.legs)]
    which = [found.which[0], found.which[0], found.which[-1], *found.which]
    rival = np.zeros(found.which[0].size, np.int64)
    for column, chosen in zip(columns, which, strict=True):
        values = np.zeros(int(column.max()) + 1, np.int64)
        values[column] = 1
        ranks = np.cumsum(values)
        rival = rival * int(ranks[-1]) + (ranks - 1)[column][chosen]
    return rival
