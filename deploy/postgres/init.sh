#!/bin/sh
# PostgreSQL's image runs this once, in a new data directory: the product gets a database, a role that migrates it, and one
# that runs the product, owns nothing and may do nothing to the server (roles.sql).
set -eu
roles=${ROLES:-$(dirname "$0")/roles.sql}
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set password="$JETWAY_PASSWORD" --set owners="$JETWAY_OWNER_PASSWORD" \
    --set roles="$roles" --username "$POSTGRES_USER" --dbname postgres <<'END'
CREATE DATABASE jetway;
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
\connect jetway
\i :roles
ALTER ROLE jetway_app PASSWORD :'password';
ALTER ROLE jetway_owner PASSWORD :'owners';
END
