{{- define "jetway.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "jetway.selector" -}}
app.kubernetes.io/name: jetway
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Takes a list: the root and the component. */}}
{{- define "jetway.componentSelector" -}}
{{ include "jetway.selector" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "jetway.labels" -}}
{{ include "jetway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "jetway.componentLabels" -}}
{{ include "jetway.labels" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "jetway.image" -}}
{{- $repository := required "image.repository is missing: where your registry keeps the image" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{ $repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "jetway.secretName" -}}
{{- .Values.secret.existing | default (include "jetway.name" .) -}}
{{- end -}}

{{/* What all processes are told that is no secret. */}}
{{- define "jetway.config" -}}
{{- $own := dict
      "APP_ENV" "production"
      "TIMETABLE_DIR" "/tmp/timetable"
      "API_PROCESSES" (.Values.api.autoscaling.enabled | ternary .Values.api.autoscaling.maxReplicas .Values.api.replicas)
      "DRAIN_SECONDS" .Values.api.drainSeconds
      "WORKER_METRICS_ADDRESS" "0.0.0.0:9810" -}}
{{- with .Values.trustedProxies }}{{ $_ := set $own "TRUSTED_PROXIES" . }}{{ end -}}
{{- if .Values.ingress.host }}{{ $_ := set $own "PUBLIC_URL" (printf "https://%s" .Values.ingress.host) }}{{ end -}}
{{- range $name, $value := merge (deepCopy .Values.config) $own }}
{{ $name }}: {{ $value | toString | quote }}
{{- end -}}
{{- end -}}

{{/* Refuses what the product would refuse at its start, where the values are here to be looked at. */}}
{{- define "jetway.secretValues" -}}
{{- $given := .Values.secret.values -}}
{{- range $name := list "DATABASE_URL" "REDIS_URL" "JWT_SECRET" "SECRET_KEY" "AVIATIONSTACK_KEY" -}}
{{- if not (get $given $name) -}}
{{- fail (printf "secret.values.%s is missing (or name a Secret in secret.existing, or a store in secret.external)" $name) -}}
{{- end -}}
{{- end -}}
{{- $seen := dict -}}
{{- range $name := list "JWT_SECRET" "SECRET_KEY" "ENCRYPTION_KEY" "ADMIN_METRICS_TOKEN" -}}
{{- range $secret := without (splitList "," (get $given $name | default "")) "" -}}
{{- if lt (len $secret) 32 -}}
{{- fail (printf "secret.values.%s is shorter than 32 characters: openssl rand -hex 32" $name) -}}
{{- end -}}
{{- if regexMatch "(?i)for-development-only|change.?me|placeholder|password" $secret -}}
{{- fail (printf "secret.values.%s is a placeholder: openssl rand -hex 32" $name) -}}
{{- end -}}
{{- if hasKey $seen $secret -}}
{{- fail (printf "secret.values.%s and %s must differ" (get $seen $secret) $name) -}}
{{- end -}}
{{- $_ := set $seen $secret $name -}}
{{- end -}}
{{- end -}}
{{- $plain := splitList "," (get .Values.config "PLAIN_HOSTS" | default "" | toString | nospace | lower) -}}
{{- range $name := list "DATABASE_URL" "DATABASE_REPLICA_URL" "REDIS_URL" -}}
{{- with get $given $name -}}
{{- $host := regexReplaceAll "^[^:]+://([^@/]*@)?([^:/?]*).*$" . "${2}" | lower -}}
{{- if not (or (regexMatch "[?&]sslmode=verify-(full|ca)(&|$)|^rediss://" .) (has $host $plain)) -}}
{{- fail (printf "secret.values.%s is not encrypted: sslmode=verify-full or rediss://, or its host in config.PLAIN_HOSTS" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.monitoring.enabled (not (get $given "ADMIN_METRICS_TOKEN")) -}}
{{- fail "secret.values.ADMIN_METRICS_TOKEN is missing: with it Prometheus reads metrics" -}}
{{- end -}}
{{- range $name, $value := $given }}
{{ $name }}: {{ $value | toString | quote }}
{{- end -}}
{{- end -}}

{{/* Takes a list: the root, the name of what holds the settings, and annotations if it is for a hook. */}}
{{- define "jetway.settings" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $hook := index . 2 -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $name }}
  labels: {{- include "jetway.labels" $root | nindent 4 }}
  {{- with $hook }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
data: {{- include "jetway.config" $root | nindent 2 }}
{{- if $root.Values.secret.external.store }}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: {{ $name }}
  labels: {{- include "jetway.labels" $root | nindent 4 }}
  {{- with $hook }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  refreshInterval: {{ $root.Values.secret.external.refreshInterval }}
  secretStoreRef:
    name: {{ $root.Values.secret.external.store }}
    kind: {{ $root.Values.secret.external.storeKind }}
  target: {name: {{ $name }}, creationPolicy: Owner}
  dataFrom:
    - extract:
        key: {{ required "secret.external.key is missing: what is to be fetched from the store" $root.Values.secret.external.key }}
{{- else if not $root.Values.secret.existing }}
---
apiVersion: v1
kind: Secret
metadata:
  name: {{ $name }}
  labels: {{- include "jetway.labels" $root | nindent 4 }}
  {{- with $hook }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
type: Opaque
stringData: {{- include "jetway.secretValues" $root | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A pod, as far as all components have the same. Takes a list: the root, the component, and its values. */}}
{{- define "jetway.pod" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := index . 2 -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
volumes:
  - name: tmp
    emptyDir: {sizeLimit: 1Gi}
  {{- with $root.Values.certificates.configMap }}
  - name: certificates
    configMap: {name: {{ . }}}
  {{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if and $root.Values.topologyKeys (has $component (list "api" "worker")) }}
topologySpreadConstraints:
  {{- range $root.Values.topologyKeys }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "jetway.componentSelector" (list $root $component) | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
{{- end -}}

{{/*
Which of the secrets a process is given, and which process it is told to be. The API has all of them, a worker all but the
API's own; Beat and migrations sign, open and call nothing. Takes a list: the process, the name of the Secret, and that of another one
for the database, if there is one.
*/}}
{{- define "jetway.process" -}}
{{- if ne (index . 0) "api" }}
- {name: PROCESS, value: {{ index . 0 }}}
{{- end }}
{{- if eq (index . 0) "worker" }}
{{- range $name := list "JWT_SECRET" "ADMIN_METRICS_TOKEN" "STRIPE_WEBHOOK_SECRET" }}
- {name: {{ $name }}, value: ""}
{{- end }}
{{- else if ne (index . 0) "api" }}
- {name: DATABASE_URL, valueFrom: {secretKeyRef: {name: {{ index . 2 | default (index . 1) }}, key: DATABASE_URL}}}
- {name: REDIS_URL, valueFrom: {secretKeyRef: {name: {{ index . 1 }}, key: REDIS_URL}}}
{{- end }}
{{- end -}}

{{/*
The same of a container. Takes a list: the root, the resources, the name of the ConfigMap, and that of the Secret if all of
it is needed.
*/}}
{{- define "jetway.container" -}}
{{- $root := index . 0 -}}
image: {{ include "jetway.image" $root }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
resources: {{- toYaml (index . 1) | nindent 2 }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  {{- if $root.Values.certificates.configMap }}
  - {name: certificates, mountPath: /etc/jetway/ca, readOnly: true}
  {{- end }}
envFrom:
  - configMapRef: {name: {{ index . 2 }}}
  {{- with index . 3 }}
  - secretRef: {name: {{ . }}}
  {{- end }}
{{- end -}}

{{/* New settings are new pods. What an existing Secret holds is not known here. */}}
{{- define "jetway.checksum" -}}
{{- printf "%s%s" (include "jetway.config" .) (.Values.secret.values | toJson) | sha256sum -}}
{{- end -}}

{{/* Signs of life of what has no port for them. They need neither PostgreSQL nor Redis. */}}
{{- define "jetway.alive" -}}
startupProbe:
  exec: {command: [python, -m, app, alive, {{ . }}]}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 24
livenessProbe:
  exec: {command: [python, -m, app, alive, {{ . }}]}
  periodSeconds: 30
  timeoutSeconds: 5
  failureThreshold: 3
{{- end -}}
