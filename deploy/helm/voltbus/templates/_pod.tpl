{{/* Pods: what those of all processes have in common. */}}

{{/* The values `pod` of a process, as YAML: those of all, and its own over them. */}}
{{- define "voltbus.pod.values" -}}
{{- mergeOverwrite (deepCopy .root.Values.pod) (default (dict) (index .root.Values .process "pod")) | toYaml -}}
{{- end }}

{{- define "voltbus.pod.metadata" -}}
{{- $pod := include "voltbus.pod.values" . | fromYaml -}}
{{- with $pod.annotations -}}
annotations:
  {{- toYaml . | nindent 2 }}
{{ end -}}
labels:
  {{- include "voltbus.selector" . | nindent 2 }}
  {{- with $pod.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/*
The spec of a pod with one container. arguments: its command. ports: name → number. grace: seconds until it is killed.
account: its service account. spread: whether there are several that are kept apart.
*/}}
{{- define "voltbus.pod.spec" -}}
{{- $pod := include "voltbus.pod.values" . | fromYaml -}}
{{- $values := .root.Values -}}
serviceAccountName: {{ .account }}
automountServiceAccountToken: false
# Otherwise Kubernetes sets variables such as VOLTBUS_AUTH_PORT=tcp://… for the Services of this release.
enableServiceLinks: false
{{- with $values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  {{- range $field, $id := $values.podSecurityContext }}
  {{- if not (kindIs "invalid" $id) }}
  {{ $field }}: {{ include "voltbus.value" $id }}
  {{- end }}
  {{- end }}
  seccompProfile: { type: RuntimeDefault }
terminationGracePeriodSeconds: {{ .grace }}
{{- with $pod.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $pod.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pod.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pod.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .spread }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "voltbus.selector" $ | nindent 8 }}
    matchLabelKeys: [{{ if eq $.process "gateway" }}pod-template-hash{{ else }}controller-revision-hash{{ end }}]
  {{- end }}
  {{- with $pod.topologySpreadConstraints }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
containers:
  - name: {{ .process }}
    image: {{ include "voltbus.image" .root }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    command: [python, -m, {{ .module }}]
    env:
      {{- include "voltbus.environment" . | nindent 6 }}
      {{- with $pod.env }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- if .ports }}
    ports:
      {{- range $name, $port := .ports }}
      - { name: {{ $name }}, containerPort: {{ include "voltbus.value" $port }} }
      {{- end }}
    # The process answers at once. Whatever it waits for, no restart would bring it.
    startupProbe:
      httpGet: { path: /healthz, port: http }
      periodSeconds: 2
      failureThreshold: 60
    livenessProbe:
      httpGet: { path: /healthz, port: http }
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    readinessProbe:
      httpGet: { path: /readyz, port: http }
      periodSeconds: 5
      timeoutSeconds: 4
      failureThreshold: 2
    {{- with $values.preStopSeconds }}
    lifecycle:
      preStop: { sleep: { seconds: {{ include "voltbus.value" . }} } }
    {{- end }}
    {{- end }}
    resources:
      {{- toYaml (index $values .process "resources") | nindent 6 }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: { drop: [ALL] }
    volumeMounts:
      - { name: secrets, mountPath: /run/secrets/voltbus, readOnly: true }
      - { name: tmp, mountPath: /tmp }
      {{- with $pod.volumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: secrets
    {{- include "voltbus.secrets" . | nindent 4 }}
  - name: tmp
    emptyDir: { sizeLimit: 64Mi }
  {{- with $pod.volumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/*
How many of a process there are (.of has its values): where a scaler decides, as many as run now (.live is its workload on the cluster),
for Kubernetes takes a number that is left out for 1 where it was set before.
*/}}
{{- define "voltbus.replicas" -}}
{{- if not .of.autoscaling.enabled }}{{ include "voltbus.value" .of.replicas }}
{{- else if .live }}{{ include "voltbus.value" .live.spec.replicas }}
{{- end -}}
{{- end }}
