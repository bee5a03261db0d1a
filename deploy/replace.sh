#!/bin/sh
# Replaces the product's containers by such of the image that .env and docker-compose.yml name now, and travellers notice
# nothing: one API goes while the other works. COMPOSE is `docker-compose`, or another one: COMPOSE='docker compose'.
set -eu
cd "$(dirname "$0")/.."
compose() { ${COMPOSE:-docker-compose} "$@"; }

compose run --rm migrate
for api in api api2; do
    # Taken away and made anew, because the first generation cannot recreate containers on every Docker of today.
    compose stop "$api"
    compose rm -f "$api"
    compose up -d --no-deps "$api"
    left=60
    until compose exec -T "$api" python -c "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || { echo "$api does not get ready; the other one is as it was. See: docker-compose logs $api" >&2; exit 1; }
        sleep 1
    done
    sleep 2 # Until Traefik has asked it, which it does twice a second.
done
compose stop worker beat
compose rm -f worker beat
compose up -d --no-deps worker beat
