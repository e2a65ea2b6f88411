{{/* Names and labels. "root" is the context of the chart, "process" the name of a process. */}}

{{- define "voltbus.services" -}}auth transactions smartcharging firmware{{- end }}

{{/*
At most 36 characters: a StatefulSet whose name is longer than 52 gets no pods, since labels are made of it. One that is cut has a
hash of the whole, so that it is no other's.
*/}}
{{- define "voltbus.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $whole := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- ternary $whole (printf "%s-%s" (trunc 27 $whole | trimSuffix "-") (sha256sum $whole | trunc 8)) (le (len $whole) 36) -}}
{{- end -}}
{{- end }}

{{- define "voltbus.name" -}}
{{ include "voltbus.fullname" .root }}-{{ .process }}
{{- end }}

{{/* What a Service, a StatefulSet or a policy selects: it never changes. Of one process, or of all. */}}
{{- define "voltbus.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .process }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "voltbus.labels" -}}
{{ include "voltbus.selector" . }}
app.kubernetes.io/part-of: voltbus
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "voltbus.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end -}}
{{- end -}}
{{- end }}

{{/* files/system.yaml: processes, ports, topics. */}}
{{- define "voltbus.system" -}}
{{ .Files.Get "files/system.yaml" }}
{{- end }}
