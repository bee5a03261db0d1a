"""Processes start in order, are watched, and none is left behind."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.dev.conftest import Supervised, is_running, until

Supervise = Callable[[list[dict[str, Any]]], Supervised]

WRITE = "import os, sys, time; open(os.environ['HERE'] + '/{0}.pid', 'w').write(str(os.getpid())); "
SLEEP = "print('{0} runs'); time.sleep(600)"


def sleeper(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "code": (WRITE + SLEEP).format(name), **more}


def parent_of_a_sleeper(name: str) -> dict[str, Any]:
    fork = "os.fork() or open(os.environ['HERE'] + '/{0}-child.pid', 'w').write(str(os.getpid())); "
    return {"name": name, "code": (WRITE + fork + SLEEP).format(name)}


def test_starts_a_process_after_what_it_needs(supervise: Supervise) -> None:
    """The order of the table is kept where it says so, and readiness is announced at the end."""
    once = {"name": "migrate", "code": "import time; time.sleep(0.2); print('migrated')", "once": True}
    run = supervise([sleeper("api", after=["migrate", "store"]), once, sleeper("store", ready="store.pid")])
    run.wait_for("everything is ready")
    run.wait_for("api runs")
    assert run.text.index("migrated") < min(map(run.text.index, ("api runs", "everything is ready")))
    assert run.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stops_everything_on_request(supervise: Supervise, number: signal.Signals) -> None:
    """Exit code 0 and no process left, grandchildren included."""
    run = supervise([sleeper("one"), parent_of_a_sleeper("two")])
    until(lambda: len(run.pids()) == 3)
    assert run.end(number) == 0, run.text
    until(lambda: not any(map(is_running, run.pids())))


def test_stops_in_reverse_order(supervise: Supervise) -> None:
    """What was started last is stopped first."""
    say = "import signal; signal.signal(15, lambda *_: (print('{0} stops'), sys.exit(0))); "
    code = WRITE + say + SLEEP
    first = {"name": "first", "code": code.format("first"), "ready": "first.pid"}
    second = {"name": "second", "code": code.format("second"), "after": ["first"]}
    run = supervise([first, second])
    run.wait_for("second runs")
    run.end(signal.SIGTERM)
    assert run.text.index("second stops") < run.text.index("first stops")


def test_can_be_stopped_while_it_starts(supervise: Supervise) -> None:
    """A process that never becomes ready does not keep the others alive."""
    run = supervise([sleeper("slow", ready="never"), sleeper("later", after=["slow"])])
    run.wait_for("slow runs")
    assert run.end(signal.SIGTERM) == 0
    assert not any(map(is_running, run.pids()))


def test_a_second_request_stops_at_once(supervise: Supervise) -> None:
    """A process that ignores SIGTERM is killed when Ctrl-C comes again."""
    stubborn = "import signal; signal.signal(15, signal.SIG_IGN); "
    run = supervise([{"name": "stubborn", "code": (stubborn + WRITE + SLEEP).format("stubborn")}])
    run.wait_for("stubborn runs")
    run.child.send_signal(signal.SIGINT)
    run.wait_for("Stopping")
    assert run.end(signal.SIGINT) == 0
    assert not any(map(is_running, run.pids()))


def test_what_fails_before_it_is_ready_stops_everything(supervise: Supervise) -> None:
    """The exit code is not zero, and name, code and last words are shown."""
    broken = {"name": "broken", "code": "import sys; print('no such file'); sys.exit(3)", "ready": "never"}
    run = supervise([sleeper("fine"), broken])
    assert run.child.wait(15) == 1
    assert "broken ended with exit code 3" in run.text
    assert "    no such file" in run.text
    assert not any(map(is_running, run.pids()))


def test_a_failed_step_stops_everything(supervise: Supervise) -> None:
    """What has to succeed once is not tried again."""
    run = supervise([{"name": "migrate", "code": "raise SystemExit(2)", "once": True}, sleeper("fine")])
    assert run.child.wait(15) == 1
    assert "Stopped: migrate ended with exit code 2" in run.text


def test_what_worked_is_started_again(supervise: Supervise) -> None:
    """A killed process comes back, under another id."""
    run = supervise([sleeper("worker")])
    run.wait_for("worker runs")
    (pid,) = run.pids()
    os.kill(pid, signal.SIGKILL)
    run.wait_for("worker is started again")
    until(lambda: run.pids() != [pid] and run.text.count("| worker runs") == 2, lambda: run.text)
    assert "worker ended with exit code -9" in run.text
    assert run.end(signal.SIGTERM) == 0


def test_a_killed_supervisor_leaves_nothing(supervise: Supervise) -> None:
    """Children and grandchildren end with it, also after kill -9."""
    run = supervise([sleeper("one"), parent_of_a_sleeper("two")])
    until(lambda: len(run.pids()) == 3)
    run.end(signal.SIGKILL)
    until(lambda: not any(map(is_running, run.pids())), seconds=8)
