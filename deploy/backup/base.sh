#!/bin/sh
# Makes a base backup in $BACKUP_DIR/base and verifies it: `base.sh full`, or `base.sh incremental`, which holds what has
# changed since the newest one and needs summarize_wal = on. Connects as libpq does: PGHOST, PGUSER, PGPASSFILE.
# Its name is the moment at which it was complete: it can be restored to that moment and to any later one.
set -eu
kind=${1:?full or incremental}
base=${BACKUP_DIR:?say where backups are kept}/base

mkdir -p "$base"
part=$base/.part.$$
trap 'rm -rf "$part"' EXIT
before=$(ls "$base" | grep -v "[.]" | tail -n 1)
case $kind in
full) pg_basebackup --pgdata "$part" --checkpoint fast --wal-method stream ;;
incremental)
    [ -n "$before" ] || { echo "There is no backup yet to build on: begin with base.sh full." >&2; exit 1; }
    pg_basebackup --pgdata "$part" --checkpoint fast --wal-method stream --incremental "$base/$before/backup_manifest"
    ;;
*) echo "full or incremental" >&2; exit 1 ;;
esac
pg_verifybackup --quiet "$part"

# The server's clock, rounded up: a moment within this second might be before the end of the backup.
name=$(psql -XAtc "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC' + interval '1 second', 'YYYYMMDD\"T\"HH24MISS')")
[ ! -e "$base/$name" ] || { echo "$base/$name is there already." >&2; exit 1; }
[ "$kind" = full ] || echo "$before" >"$base/$name.builds-on"
mv "$part" "$base/$name"
sync "$base"
if [ -n "${BACKUP_AFTER:-}" ]; then
    [ "$kind" = full ] || $BACKUP_AFTER "base/$name.builds-on"
    $BACKUP_AFTER "base/$name"
fi
echo "$base/$name"
