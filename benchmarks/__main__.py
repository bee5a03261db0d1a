"""`python -m benchmarks [--rounds 7] [--seconds 4]`: print every ratio, its two sides measured in turn."""

import argparse
import platform
import shutil

from benchmarks import bookings, search, stack


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="pairs of measurements")
    parser.add_argument("--seconds", type=int, default=4, help="length of each measurement, at most 10")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("The load comes from wrk: install it first, for example with `apt-get install wrk`.")
    seconds = min(arguments.seconds, 10)
    print(f"Python {platform.python_version()}, server on one core, load and databases on the other")
    with stack.product() as (url, servers, environment):
        print(search.measure(url, arguments.rounds, seconds))
        shop = bookings.shop_at(url, servers)
        print(bookings.measure(shop, servers, environment, arguments.rounds, seconds))


if __name__ == "__main__":
    main()
