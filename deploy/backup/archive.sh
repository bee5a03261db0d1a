#!/bin/sh
# Keeps one finished piece of the write-ahead log. PostgreSQL calls it and tries again for as long as it fails:
#   archive_mode = on
#   archive_command = 'BACKUP_DIR=/backup /opt/jetway/backup/archive.sh "%p" "%f"'
#   archive_timeout = 60
set -eu
path=$1 name=$2
wal=${BACKUP_DIR:?say where backups are kept}/wal

mkdir -p "$wal"
# PostgreSQL may ask again for what was kept before a crash; two servers must never share a directory.
if [ -e "$wal/$name" ]; then
    cmp -s "$path" "$wal/$name" && exit 0
    echo "$wal/$name is there with other content: does another server archive to this directory?" >&2
    exit 1
fi
# Nobody ever sees half a file, nor one that a power cut would take away again.
cp "$path" "$wal/.$name.part"
sync "$wal/.$name.part"
mv "$wal/.$name.part" "$wal/$name"
sync "$wal"
# BACKUP_AFTER carries a file away to where the fire does not reach; when it fails, all of this counts as failed.
if [ -n "${BACKUP_AFTER:-}" ] && ! $BACKUP_AFTER "wal/$name"; then
    rm -f "$wal/$name"
    exit 1
fi
