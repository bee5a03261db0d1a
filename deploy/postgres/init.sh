#!/bin/sh
# PostgreSQL's image runs this once, in a new data directory: the product gets a role that owns its own database and
# may do nothing to the server.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set password="$JETWAY_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'END'
CREATE ROLE jetway LOGIN PASSWORD :'password';
CREATE DATABASE jetway OWNER jetway;
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
END
