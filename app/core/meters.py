"""Kinds of metrics that the client library does not have, or has dearer than a hot request should pay."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

# Method, route and status, from closed sets.
Kind = tuple[str, str, int]
# Its kind, when it was done and how long that took, by the monotonic clock in seconds, and the request's id.
Answered = tuple[Kind, float, float, bytes]


def _buckets(bounds: Iterable[float], counts: Iterable[float]) -> list[tuple[str, float]]:
    return list(zip([*map(str, bounds), "+Inf"], accumulate(counts), strict=True))


class RequestMeter(Collector):
    """Requests and their duration, counted in plain integers by the one thread that answers them.

    The library's own histogram takes two locks for each request, which a hot answer would feel.
    """

    def __init__(self, name: str, meaning: str, labels: tuple[str, ...]) -> None:
        self._name, self._meaning, self._labels = name, meaning, labels
        self._seen: dict[Kind, list[float]] = {}
        self.bring_up_to_date: Callable[[], None] = lambda: None

    def add(self, answered: Iterable[Answered]) -> None:
        last, counts = None, list[float]()
        for kind, _, seconds, _ in answered:
            if kind is not last:
                last, counts = kind, self._seen.setdefault(kind, [0] * (len(BOUNDS) + 1) + [0.0])
            counts[bisect_left(BOUNDS, seconds)] += 1
            counts[-1] += seconds

    def seen(self) -> dict[Kind, list[float]]:
        """Of each kind how many took how long, bound by bound, and the seconds of all."""
        self.bring_up_to_date()
        return self._seen

    def family(self, seen: dict[Kind, list[float]]) -> Metric:
        family = HistogramMetricFamily(self._name, self._meaning, labels=self._labels)
        for (method, route, status), counts in seen.items():
            family.add_metric([method, route, str(status)], _buckets(BOUNDS, counts[:-1]), counts[-1])
        return family

    def collect(self) -> Iterator[Metric]:
        yield self.family(self.seen())


class Tally:
    """A number that one thread counts."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count: float = 0

    def inc(self) -> None:
        self.count += 1

    def dec(self) -> None:
        self.count -= 1

    def set(self, count: float) -> None:
        self.count = count


class PlainCounter(Collector):
    """A counter with labels, for the same reason without the library's lock.

    What another program has counted is set in it as it was read, which the library's counter cannot do.
    """

    family: type[CounterMetricFamily | GaugeMetricFamily] = CounterMetricFamily

    def __init__(self, name: str, meaning: str, labels: tuple[str, ...]) -> None:
        self._name, self._meaning, self._labels = name, meaning, labels
        self._tallies: dict[tuple[str, ...], Tally] = {}

    def labels(self, *values: str) -> Tally:
        return self._tallies.get(values) or self._tallies.setdefault(values, Tally())

    def collect(self) -> Iterator[Metric]:
        family = self.family(self._name, self._meaning, labels=self._labels)
        for values, tally in list(self._tallies.items()):
            family.add_metric(values, tally.count)
        yield family


class PlainGauge(PlainCounter):
    """A gauge that is told of once it is known: until then there is no number, instead of a wrong one."""

    family = GaugeMetricFamily

    def set(self, value: float) -> None:
        self.labels().set(value)

    def clear(self) -> None:
        self._tallies.clear()


class PlainHistogram(Collector):
    """A histogram without labels, for the same reason without the library's locks."""

    def __init__(self, name: str, meaning: str, bounds: tuple[float, ...]) -> None:
        self._name, self._meaning, self._bounds = name, meaning, bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def collect(self) -> Iterator[Metric]:
        buckets = _buckets(self._bounds, self._counts)
        yield HistogramMetricFamily(self._name, self._meaning, buckets=buckets, sum_value=self._sum)
