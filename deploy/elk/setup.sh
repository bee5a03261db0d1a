#!/bin/sh
# Tells Elasticsearch how Jetway's lines look and how long they are kept, and Kibana what to show of them. Again does no
# harm. ELASTICSEARCH_URL and ELASTIC_PASSWORD are needed. KIBANA_URL: data views and dashboards are imported.
# KIBANA_PASSWORD: becomes that of Kibana's own user. FILEBEAT_PASSWORD: a user `jetway_writer` may only add lines.
# CURL_CA_BUNDLE is a file with the authority of their certificates, where that is their own.
# LOGS_KEPT, BUSINESS_KEPT and AUDIT_KEPT are how long lines are kept, as Elasticsearch writes it: 30d, 400d and 400d.
set -eu
: "${ELASTICSEARCH_URL:?is missing, such as http://elasticsearch:9200}" "${ELASTIC_PASSWORD:?is missing}"
cd "$(dirname "$0")"

# The password goes by a file that curl reads, because arguments are seen by everybody on a host.
secret=$(mktemp)
trap 'rm -f "$secret"' EXIT
printf 'user = "%s:%s"\n' "${ELASTICSEARCH_USERNAME:-elastic}" "$ELASTIC_PASSWORD" > "$secret"

send() { # method, URL, what curl is to send
    method=$1 url=$2
    shift 2
    curl --silent --show-error --fail-with-body --max-time 60 --config "$secret" --request "$method" "$url" "$@" > /dev/null
    echo "$method ${url#*://*/}"
}
put() { # path, document on standard input
    send PUT "$ELASTICSEARCH_URL/$1" --header 'Content-Type: application/json' --data-binary @-
}

sed "s/\"30d\"/\"${LOGS_KEPT:-30d}\"/" lifecycle.json | put _ilm/policy/jetway-logs
sed "s/\"30d\"/\"${BUSINESS_KEPT:-400d}\"/" lifecycle.json | put _ilm/policy/jetway-business
sed "s/\"30d\"/\"${AUDIT_KEPT:-400d}\"/" lifecycle.json | put _ilm/policy/jetway-audit
put _index_template/jetway-logs < index-template.json
# The same fields, kept longer: they win because their priority is higher.
for name in business audit; do
    sed -e "s/logs-jetway\.\*-\*/logs-jetway.$name-*/" -e "s/\"jetway-logs\"/\"jetway-$name\"/" \
        -e 's/"priority": 300/"priority": 310/' index-template.json | put "_index_template/jetway-$name"
done

if [ -n "${KIBANA_PASSWORD:-}" ]; then
    printf '{"password": "%s"}' "$KIBANA_PASSWORD" | put _security/user/kibana_system/_password
fi
if [ -n "${FILEBEAT_PASSWORD:-}" ]; then
    printf '%s' '{"cluster": ["monitor"], "indices": [{"names": ["logs-jetway.*"], "privileges": ["auto_configure", "create_doc"]}]}' |
        put _security/role/jetway_writer
    printf '{"password": "%s", "roles": ["jetway_writer"]}' "$FILEBEAT_PASSWORD" | put _security/user/jetway_writer
fi
if [ -n "${KIBANA_URL:-}" ]; then
    send POST "$KIBANA_URL/api/saved_objects/_import?overwrite=true" --header 'kbn-xsrf: jetway' --form file=@kibana.ndjson
fi
