#!/bin/sh
# Writes .env for docker-compose.yml, with secrets that nobody else has:
#   sh deploy/env.sh flights.example.com     for production, before the real vendors; their keys are still to be filled in
#   sh deploy/env.sh --sandbox               for trying it out: on this machine, before the simulated world
# It never writes over an .env, because passports in a database can be read with its keys alone.
set -eu
umask 077
cd "$(dirname "$0")/.."

domain=${1:?say the domain that travellers will use, or --sandbox}
[ ! -e .env ] || { echo ".env is there already; it is kept as it is." >&2; exit 1; }
drawn() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

metrics=$(drawn)
{
    cat <<END
# Read by docker-compose.yml, and by the product in each container; .env.example explains every setting of the product.
# Keep a copy where the backups are not: without these keys nothing that was encrypted can be read.
JWT_SECRET=$(drawn)
SECRET_KEY=$(drawn)
ENCRYPTION_KEY=$(drawn)
ADMIN_METRICS_TOKEN=$metrics
POSTGRES_PASSWORD=$(drawn)
POSTGRES_OWNER_PASSWORD=$(drawn)
POSTGRES_SUPERUSER_PASSWORD=$(drawn)
REDIS_PASSWORD=$(drawn)
GRAFANA_PASSWORD=$(drawn)
ELASTIC_PASSWORD=$(drawn)
KIBANA_PASSWORD=$(drawn)
FILEBEAT_PASSWORD=$(drawn)
END
    if [ "$domain" = --sandbox ]; then
        cat <<END

APP_ENV=development
COMPOSE_PROFILES=sandbox
DOMAIN=localhost
CERTIFICATE=self-signed
PUBLIC_URL=https://localhost
AVIATIONSTACK_KEY=sandbox
AVIATIONSTACK_BASE_URL=http://sandbox:8001/v1
AVIATIONSTACK_CALLS_PER_MONTH=1000000
AVIATIONSTACK_BOARD_SECONDS=0
OPENSKY_BASE_URL=http://sandbox:8001/api
OPENSKY_TOKEN_URL=http://sandbox:8001/auth/realms/opensky-network/protocol/openid-connect/token
OPENSKY_USER=sandbox
OPENSKY_PASS=sandbox
OPENSKY_CREDITS_PER_DAY=1000000
STRIPE_API_BASE=http://sandbox:8001
STRIPE_SECRET_KEY=sk_test_sandbox
STRIPE_WEBHOOK_SECRET=whsec_$(drawn)
PAYMENT_RETURN_URL=https://localhost
SMTP_URL=smtp://sandbox:8025
DEMO_EMAIL=demo@example.com
DEMO_PASSWORD=$(drawn)
END
    else
        cat <<END

DOMAIN=$domain
CERTIFICATE=letsencrypt
PUBLIC_URL=https://$domain

# To fill in. Without the first nothing starts; without Stripe's two seats can only be held, without the last two no mail goes out.
AVIATIONSTACK_KEY=
STRIPE_SECRET_KEY=
STRIPE_WEBHOOK_SECRET=
SMTP_URL=
MAIL_FROM="Jetway <no-reply@$domain>"
OPENSKY_ENABLED=false
END
    fi
} >.env

# Prometheus and Alertmanager are others than the product, and read these as files.
mkdir -p deploy/secrets
printf %s "$metrics" >deploy/secrets/admin_metrics_token
for name in alerts_page_url alerts_ticket_url alerts_heartbeat_url; do
    [ -e "deploy/secrets/$name" ] || : >"deploy/secrets/$name"
done
chmod 755 deploy/secrets
chmod 644 deploy/secrets/*
echo "Written: .env and deploy/secrets. Next: docs/guides/one-host.md"
