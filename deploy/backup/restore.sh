#!/bin/sh
# Makes a data directory that PostgreSQL restores itself from when it is started on it:
#   restore.sh DIRECTORY                       the last moment that was archived
#   restore.sh DIRECTORY 2026-12-01T08:15:00Z  what had been committed by then
#   restore.sh DIRECTORY name:before-release   a point made by SELECT pg_create_restore_point('before-release')
# Run it as the account that PostgreSQL runs as, with $BACKUP_DIR complete, wal/ and base/.
set -eu
directory=${1:?where the data shall be} target=${2:-}
backup=${BACKUP_DIR:?say where backups are kept}
tools=$(cd "$(dirname "$0")" && pwd)

[ ! -e "$directory" ] || { echo "$directory is there already; a restore never overwrites." >&2; exit 1; }
setting=
latest=99999999T999999
case $target in
'') ;;
name:*) setting="recovery_target_name = '${target#name:}'" ;;
*)
    setting="recovery_target_time = '$(date -u -d "$target" '+%Y-%m-%d %H:%M:%S.%N+00')'"
    latest=$(date -u -d "$target" '+%Y%m%dT%H%M%S')
    ;;
esac

# The newest backup that was complete by then. A point with a name is later than every backup that is older than it:
# set BACKUP_BASE to choose one where that is not the newest.
chosen=${BACKUP_BASE:-}
for name in $(ls "$backup/base" | grep -v '[.]'); do
    [ -n "${BACKUP_BASE:-}" ] || [ "$(expr "$name" \> "$latest")" = 1 ] || chosen=$name
done
[ -n "$chosen" ] || { echo "No backup was complete by $target." >&2; exit 1; }

# An incremental backup is put together with all that it builds on.
chain=
one=$chosen
while [ -e "$backup/base/$one.builds-on" ]; do
    chain="$backup/base/$one $chain"
    one=$(cat "$backup/base/$one.builds-on")
done
chain="$backup/base/$one $chain"
for one in $chain; do pg_verifybackup --quiet "$one"; done
mkdir -p "$(dirname "$directory")"
if [ "$chain" = "$backup/base/$chosen " ]; then
    cp -a "$backup/base/$chosen" "$directory"
else
    # shellcheck disable=SC2086  These are several.
    pg_combinebackup --output "$directory" $chain
fi
chmod 700 "$directory"

# What an earlier restore was told is in every backup since, and would stop this one where that one ended.
sed -i '/^recovery_target/d; /^restore_command/d' "$directory/postgresql.auto.conf"
{
    echo "restore_command = 'cp \"$backup/wal/%f\" \"%p\"'"
    [ -z "$setting" ] || echo "$setting"
    echo "recovery_target_action = promote"
} >>"$directory/postgresql.auto.conf"
touch "$directory/recovery.signal"
echo "Restored from $chosen. Start PostgreSQL on $directory; it is done when pg_is_in_recovery() is false." >&2
echo "Then, before anybody may in: $tools/../../docs/guides/backup.md" >&2
