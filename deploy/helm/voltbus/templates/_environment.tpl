{{/* The environment of a process: what the chart sets, settings, and the files of secrets. */}}

{{/* A number is written as its setting reads it: Helm's own are floats, and large ones would be 3.2e+07. */}}
{{- define "voltbus.value" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ toString . }}{{ end -}}
{{- end }}

{{/*
"settings" or "secrets" (.kind) of a process, as YAML: of those of all processes the ones that it has, and its own over them.
What one says in settings and the other in secrets is said by its own.
*/}}
{{- define "voltbus.of" -}}
{{- $process := index (include "voltbus.system" .root | fromYaml) "processes" .process -}}
{{- $own := index .root.Values .process -}}
{{- $other := ternary $own.secrets $own.settings (eq .kind "settings") -}}
{{- $all := include "voltbus.login" . | fromYaml -}}
{{- range $name, $_ := $other -}}{{- $all = omit $all $name -}}{{- end -}}
{{- range $name, $value := index .root.Values .kind -}}
{{- if and (has $name (index $process $.kind)) (not (hasKey $other $name)) -}}{{- $_ := set $all $name $value -}}{{- end -}}
{{- end -}}
{{- mergeOverwrite $all (index $own .kind) | toYaml -}}
{{- end }}

{{/* What of that kind a process has as a user of Strimzi, whose operator writes its Secret, and that of the cluster's CA. */}}
{{- define "voltbus.login" -}}
{{- $strimzi := .root.Values.strimzi -}}
{{- if $strimzi.login -}}
{{- $name := include "voltbus.name" . -}}
{{- $scram := eq $strimzi.users.authentication "scram-sha-512" -}}
{{- if eq .kind "settings" -}}
VOLTBUS_KAFKA_SECURITY_PROTOCOL: {{ ternary "SASL_SSL" "SSL" $scram }}
{{- if $scram }}
VOLTBUS_KAFKA_SASL_MECHANISM: SCRAM-SHA-512
VOLTBUS_KAFKA_SASL_USERNAME: {{ $name }}
{{- end }}
{{- else -}}
VOLTBUS_KAFKA_SSL_CA: { name: {{ $strimzi.cluster }}-cluster-ca-cert, key: ca.crt }
{{- if $scram }}
VOLTBUS_KAFKA_SASL_PASSWORD: { name: {{ $name }}, key: password }
{{- else }}
VOLTBUS_KAFKA_SSL_CERTIFICATE: { name: {{ $name }}, key: user.crt }
VOLTBUS_KAFKA_SSL_KEY: { name: {{ $name }}, key: user.key }
{{- end }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The ports of stations, as YAML: ocpp, unless it is switched off, ocpps where there is a certificate; soap and soaps alike. */}}
{{- define "voltbus.stations" -}}
{{- $here := dict "root" . "process" "gateway" -}}
{{- $settings := include "voltbus.of" (merge (dict "kind" "settings") $here) | fromYaml -}}
{{- $secrets := include "voltbus.of" (merge (dict "kind" "secrets") $here) | fromYaml -}}
{{- $soap := .Values.gateway.soap.enabled -}}
{{- if ne (toString (get $settings "VOLTBUS_GATEWAY_PLAIN")) "false" }}
ocpp: 9000
{{- if $soap }}
soap: 9001
{{- end }}
{{- end }}
{{- if or (hasKey $secrets "VOLTBUS_GATEWAY_TLS_CERTIFICATE") (hasKey $settings "VOLTBUS_GATEWAY_TLS_CERTIFICATE") }}
ocpps: 9443
{{- if $soap }}
soaps: 9444
{{- end }}
{{- end }}
{{- end }}

{{- define "voltbus.environment" -}}
{{- $values := .root.Values -}}
{{- $settings := include "voltbus.of" (merge (dict "kind" "settings") .) | fromYaml -}}
{{- $secrets := include "voltbus.of" (merge (dict "kind" "secrets") .) | fromYaml -}}
- name: VOLTBUS_HOST
  value: {{ $values.listenAddress | quote }}
- name: VOLTBUS_KAFKA_BOOTSTRAP
  value: {{ $values.kafka.bootstrap | quote }}
{{- with $values.kafka.topicPrefix }}
- name: VOLTBUS_TOPIC_PREFIX
  value: {{ . | quote }}
{{- end }}
- name: VOLTBUS_PARTITIONS
  value: {{ include "voltbus.value" $values.kafka.partitions | quote }}
- name: VOLTBUS_SLOTS
  value: {{ include "voltbus.value" $values.kafka.slots | quote }}
{{- if eq .process "prepare" }}
- name: VOLTBUS_REPLICATION
  value: {{ include "voltbus.value" $values.kafka.replication | quote }}
{{- with $values.kafka.topicDays }}
{{- $days := list }}
{{- range $topic, $number := . }}{{ $days = append $days (printf "%s=%s" $topic (include "voltbus.value" $number)) }}{{ end }}
- name: VOLTBUS_TOPIC_DAYS
  value: {{ join "," $days | quote }}
{{- end }}
{{- else if eq .process "gateway" }}
- name: VOLTBUS_DRAIN_SECONDS
  value: {{ include "voltbus.value" $values.gateway.drainSeconds | quote }}
{{- $stations := include "voltbus.stations" .root | fromYaml }}
{{- with $stations.soap }}
- name: VOLTBUS_SOAP_PORT
  value: {{ include "voltbus.value" . | quote }}
{{- end }}
{{- with $stations.soaps }}
- name: VOLTBUS_SOAP_TLS_PORT
  value: {{ include "voltbus.value" . | quote }}
{{- end }}
{{- else }}
- name: VOLTBUS_INSTANCE # the ordinal of this pod
  valueFrom: { fieldRef: { fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']" } }
{{- with $values.rest.httpRoute }}
{{- if and .enabled .hostname (not (hasKey $settings "VOLTBUS_URL")) }}
- name: VOLTBUS_URL
  value: https://{{ .hostname }}
{{- else if and .enabled .domain (not (hasKey $settings "VOLTBUS_ADDRESSES")) }}
- name: VOLTBUS_ADDRESSES
  value: {{ range $n, $service := splitList " " (include "voltbus.services" .) }}{{ if $n }},{{ end }}{{ $service }}=https://{{ $service }}.{{ $.root.Values.rest.httpRoute.domain }}{{ end }}
{{- end }}
{{- end }}
{{- end }}
{{- range $name, $value := $settings }}
- name: {{ $name }}
  value: {{ include "voltbus.value" $value | quote }}
{{- end }}
{{- range $name, $_ := $secrets }}
- name: {{ $name }}_FILE
  value: /run/secrets/voltbus/{{ $name }}
{{- end }}
{{- end }}

{{/* The volume of its secrets: a file for each. */}}
{{- define "voltbus.secrets" -}}
projected:
  defaultMode: 288 # 0440
  sources:
{{- range $name, $one := include "voltbus.of" (merge (dict "kind" "secrets") .) | fromYaml }}
    - secret:
        name: {{ $one.name }}
        items: [{ key: {{ $one.key | quote }}, path: {{ $name }} }]
{{- end }}
{{- end }}
