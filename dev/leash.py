"""Runs a command that ends with the process that started it, as another user when asked.

It is a script of its own, put in front of the command, because the code between fork and exec of a
process with threads may do very little: `python -I -S leash.py PARENT SIGNAL ACCOUNT command…`.
"""

import ctypes  # Here, because after the change of user the interpreter's own files may be out of reach.
import os
import signal
import sys
from typing import NamedTuple

PR_SET_PDEATHSIG, PR_SET_SECUREBITS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 28, 47, 2
NO_SETUID_FIXUP = 4
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522
LINUX = sys.platform.startswith("linux")


class Account(NamedTuple):
    """Who a command runs as; `reach` lets it walk through directories that are closed to that user."""

    uid: int
    gid: int
    reach: bool


def leashed(
    argv: list[str], *, death_signal: signal.Signals = signal.SIGKILL, account: Account | None = None
) -> list[str]:
    """The command that runs `argv` and gets `death_signal` when the calling thread's process is gone.

    Linux sends the signal when the thread that started the child ends, so start children from a thread
    that lives as long as they should.
    """
    who = ":".join(str(int(part)) for part in account) if account else "-"
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(death_signal)), who, *argv]


def die_with(parent: int, death_signal: int) -> None:
    """Ask the kernel for a signal when the parent dies, and leave at once if it already has."""
    if LINUX:
        _prctl(PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        sys.exit("the process that started this one is gone")


def become(account: Account) -> None:
    """Give up root for good, keeping one capability when a closed directory is on the way."""
    reach = account.reach and LINUX
    if reach:
        # Capabilities survive the change of user, and access(2), which initdb calls, counts them.
        _prctl(PR_SET_SECUREBITS, NO_SETUID_FIXUP)
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)
    if reach:
        _keep_only(CAP_DAC_OVERRIDE)


def _keep_only(capability: int) -> None:
    bit = 1 << capability
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    if ctypes.CDLL(None, use_errno=True).capset(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capset failed")
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def _prctl(option: int, *arguments: int) -> None:
    padded = [ctypes.c_ulong(number) for number in (*arguments, 0, 0, 0, 0)[:4]]
    if ctypes.CDLL(None, use_errno=True).prctl(option, *padded) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


def main(arguments: list[str]) -> None:
    """Put the leash on, then turn into the command."""
    parent, death_signal, who, *command = arguments
    if who != "-":
        uid, gid, reach = map(int, who.split(":"))
        become(Account(uid, gid, bool(reach)))
    # After the change of user, which would clear it.
    die_with(int(parent), int(death_signal))
    os.execvp(command[0], command)  # noqa: S606 - becoming the command is the purpose


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.exit(f"cannot start {sys.argv[4]}: {error}")
