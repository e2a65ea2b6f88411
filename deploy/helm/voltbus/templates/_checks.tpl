{{/* What of one process cannot run, refused with a line that says what to set. */}}

{{/* How it logs in at Kafka. .settings, .secrets: its own and those of all. */}}
{{- define "voltbus.check.kafka" -}}
{{- $given := keys .settings .secrets -}}
{{- $protocol := default "PLAINTEXT" .settings.VOLTBUS_KAFKA_SECURITY_PROTOCOL -}}
{{- $mechanism := default "SCRAM-SHA-512" .settings.VOLTBUS_KAFKA_SASL_MECHANISM -}}
{{- $needed := list -}}
{{- if and (hasPrefix "SASL_" $protocol) (eq $mechanism "OAUTHBEARER") -}}
{{- $needed = list "VOLTBUS_KAFKA_OAUTH_TOKEN_URL" "VOLTBUS_KAFKA_OAUTH_CLIENT_ID" "VOLTBUS_KAFKA_OAUTH_CLIENT_SECRET" -}}
{{- else if hasPrefix "SASL_" $protocol -}}
{{- $needed = list "VOLTBUS_KAFKA_SASL_USERNAME" "VOLTBUS_KAFKA_SASL_PASSWORD" -}}
{{- end -}}
{{- range $needed -}}
{{- if not (has . $given) -}}
{{- fail (printf "%s: %s with %s needs %s" $.process $protocol $mechanism .) -}}
{{- end -}}
{{- end -}}
{{- if ne (has "VOLTBUS_KAFKA_SSL_CERTIFICATE" $given) (has "VOLTBUS_KAFKA_SSL_KEY" $given) -}}
{{- fail (printf "%s: VOLTBUS_KAFKA_SSL_CERTIFICATE and VOLTBUS_KAFKA_SSL_KEY: set both or none" .process) -}}
{{- end -}}
{{- $strimzi := .root.Values.strimzi -}}
{{- $scram := eq $strimzi.users.authentication "scram-sha-512" -}}
{{- if and $strimzi.login (or (eq $protocol "PLAINTEXT") (ne (hasPrefix "SASL_" $protocol) $scram)) -}}
{{- fail (printf "%s: with strimzi.login leave out VOLTBUS_KAFKA_SECURITY_PROTOCOL: users of %s cannot log in by %s" .process $strimzi.users.authentication $protocol) -}}
{{- end -}}
{{- if and (has "VOLTBUS_KAFKA_SASL_PASSWORD" $given) (not (hasPrefix "SASL_" $protocol)) -}}
{{- fail (printf "%s: nobody logs in with VOLTBUS_KAFKA_SASL_PASSWORD by %s: set VOLTBUS_KAFKA_SECURITY_PROTOCOL to SASL_SSL" .process $protocol) -}}
{{- end -}}
{{- if (index .root.Values .process).autoscaling | default dict | dig "enabled" false -}}
{{- $keda := .root.Values.keda -}}
{{- $able := or (eq $protocol "PLAINTEXT") $keda.authenticationRef (and (eq $protocol "SSL") (hasKey $keda.metadata "tls")) -}}
{{- if not (or $able (eq .process "gateway")) -}}
{{- fail (printf "%s.autoscaling: KEDA must log in at Kafka as well: name a TriggerAuthentication of yours in keda.authenticationRef" .process) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* What is secret and stands where everybody reads it. */}}
{{- define "voltbus.check.readable" -}}
{{- range $name, $value := .settings -}}
{{- if or (regexMatch "://[^/?#@]*:[^/?#@]+@|[?&]password=" (toString $value)) (contains "PRIVATE KEY" (toString $value)) -}}
{{- fail (printf "%s: a secret is in settings.%s, where everybody reads it: put it into a Secret, and name that in secrets" $.process $name) -}}
{{- end -}}
{{- end -}}
{{- range (include "voltbus.pod.values" . | fromYaml).env -}}
{{- if hasPrefix "VOLTBUS_" .name -}}
{{- fail (printf "%s: pod.env has %s: put it into settings or secrets, where it is checked" $.process .name) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Requests above their limits, which Kubernetes takes in no pod. */}}
{{- define "voltbus.check.resources" -}}
{{- $resources := (index .root.Values .process).resources -}}
{{- $limits := default dict $resources.limits -}}
{{- range $name, $request := default dict $resources.requests -}}
{{- if hasKey $limits $name -}}
{{- $limit := get $limits $name -}}
{{- if gt (include "voltbus.quantity" $request | float64) (include "voltbus.quantity" $limit | float64) -}}
{{- fail (printf "%s.resources: the request of %s, %v, is above its limit, %v" $.process $name $request $limit) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* A quantity of Kubernetes (500m, 1.5, 256Mi, 1e9) as a number. */}}
{{- define "voltbus.quantity" -}}
{{- $factors := dict "m" 1e-3 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 -}}
{{- $text := toString . -}}
{{- $suffix := regexFind "(m|[kMGTPE]|[KMGTP]i)$" $text -}}
{{- mulf (trimSuffix $suffix $text | float64) (get $factors $suffix | default 1) -}}
{{- end }}

{{/* A budget by which no node could ever be emptied. .of: values of the process, .least: how few of it there are. */}}
{{- define "voltbus.check.disruption" -}}
{{- with .of.disruption.minAvailable -}}
{{- if or (eq (toString .) "100%") (and (not (kindIs "string" .)) (ge (int .) (int $.least)) (gt (int $.least) 0)) -}}
{{- fail (printf "%s.disruption.minAvailable: %v of %d: no node with one of them could be emptied" $.process . (int $.least)) -}}
{{- end -}}
{{- end -}}
{{- end }}
