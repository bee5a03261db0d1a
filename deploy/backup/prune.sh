#!/bin/sh
# Drops what is not needed to restore to any moment of the last so many days: prune.sh 30
set -eu
days=${1:?how many days}
backup=${BACKUP_DIR:?say where backups are kept}
oldest=$(date -u -d "$days days ago" '+%Y%m%dT%H%M%S')

# The newest full backup from before the window carries its first moment; incremental ones never stand alone.
kept=
for name in $(ls "$backup/base" | grep -v '[.]'); do
    [ -e "$backup/base/$name.builds-on" ] && continue
    [ -n "$kept" ] && [ "$(expr "$name" \> "$oldest")" = 1 ] && break
    kept=$name
done
[ -n "$kept" ] || { echo "There is no full backup: nothing is dropped." >&2; exit 1; }
for name in $(ls "$backup/base" | grep -v '[.]'); do
    [ "$(expr "$name" \< "$kept")" = 1 ] || break
    rm -rf "${backup:?}/base/$name" "$backup/base/$name.builds-on"
    echo "dropped base/$name"
done
first=$(sed -n 's/^START WAL LOCATION:.*(file \([0-9A-F]*\))$/\1/p' "$backup/base/$kept/backup_label")
pg_archivecleanup "$backup/wal" "${first:?the backup does not say where its log begins}"
