"""Who has an account, told from the time of answers: `python -m benchmarks.enumeration [--samples 400]`.

Logins with a wrong password and requests for a new one, for addresses that somebody has and that nobody has, in turn.
What is printed is how often a known address took longer than an unknown one, which is 0.5 where time tells nothing
(the area under the ROC curve), with the difference of the medians.
"""

import argparse
import random
import urllib.error
from collections.abc import Sequence
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks import stack

_PASSWORD = "a window seat, please"  # A traveller's of the simulated world.


def auc(longer: Sequence[float], shorter: Sequence[float]) -> float:
    """How often one of the first is above one of the second; ties are half."""
    pairs = sum((one > other) + 0.5 * (one == other) for one in longer for other in shorter)
    return pairs / (len(longer) * len(shorter))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.enumeration", description=__doc__)
    parser.add_argument("--samples", type=int, default=400, help="of each kind")
    samples = parser.parse_args().samples
    with stack.product() as (url, _, _):
        # Each is asked for four times, which no limit minds.
        known = [_signed_up(url, number) for number in range(samples // 4)]
        for name, path, more in (
            ("login", "/auth/login", {"password": "not the password"}),
            ("forgotten password", "/auth/password/forgot", {}),
        ):
            print(_measured(name, url + path, known, more, samples))


def _signed_up(url: str, number: int) -> str:
    email = f"known{number}@example.com"
    stack.call("POST", f"{url}/auth/signup", {"email": email, "password": _PASSWORD, "full_name": "Ada"})
    return email


def _measured(name: str, url: str, known: list[str], more: dict[str, Any], samples: int) -> str:
    unknown = [f"nobody{number}@example.com" for number in range(len(known))]
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(samples):
        for is_known in random.sample([True, False], 2):
            email = (known if is_known else unknown)[number % len(known)]
            begun = perf_counter()
            _answered(url, {"email": email, **more})
            times[is_known].append((perf_counter() - begun) * 1000)
    medians = [median(times[which]) for which in (True, False)]
    return (
        f"{name}: AUC {auc(times[True], times[False]):.3f} of {samples} each, medians {medians[0]:.2f} and"
        f" {medians[1]:.2f} ms, {abs(medians[0] - medians[1]):.2f} apart"
    )


def _answered(url: str, body: dict[str, Any]) -> None:
    try:
        stack.call("POST", url, body)
    except urllib.error.HTTPError as refusal:
        refusal.read()


if __name__ == "__main__":
    main()
