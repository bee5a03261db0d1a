#!/bin/sh
# Installs the programs that the suite runs and that are no wheels: nginx, Prometheus with promtool, Alertmanager,
# PgBouncer, and docker-compose of the first generation. On Debian and Ubuntu, as root or with sudo; elsewhere install them yourself,
# or their tests are left out and say so.
set -eu

missing=
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
command -v promtool >/dev/null || missing="$missing prometheus"
command -v prometheus-alertmanager >/dev/null || missing="$missing prometheus-alertmanager"
command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ] || missing="$missing pgbouncer"
[ -x /usr/bin/docker-compose ] || missing="$missing docker-compose"
[ -n "$missing" ] || exit 0

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
# None of them is to be started as a service here.
$as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 sh -c "
    apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing" >/dev/null
