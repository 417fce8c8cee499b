{{/* Chart's name, as a label. */}}
{{- define "tablesync.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* First part of every name. A release that is called as the chart gives the names of manifests/. The longest name made
     of it is that of a pod's volume claim and of the controller revision: hence 40 characters. */}}
{{- define "tablesync.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else -}}
{{- $name := include "tablesync.name" . -}}
{{- $long := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- $long | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What never changes over a release's life: selectors and volume claims cannot. */}}
{{- define "tablesync.selectorLabels" -}}
app.kubernetes.io/name: {{ include "tablesync.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tablesync.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "tablesync.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: tablesync
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "tablesync.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (include "tablesync.fullname" .) -}}
{{- end -}}

{{- define "tablesync.leaderElectionId" -}}
{{- .Values.leaderElection.id | default (printf "%s-controller" (include "tablesync.fullname" .)) -}}
{{- end -}}

{{- define "tablesync.image" -}}
{{- $image := .Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.tag }}:{{ $image.tag }}{{ else if not $image.digest }}:{{ .Chart.AppVersion }}{{ end -}}
{{- with $image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{- define "tablesync.encryptionSecretName" -}}
{{- .Values.encryption.existingSecret | default (printf "%s-encryption" (include "tablesync.fullname" .)) -}}
{{- end -}}

{{- define "tablesync.secretKey" -}}
{{- if .Values.encryption.existingSecret }}{{ .Values.encryption.secretKey }}{{ else }}key{{ end -}}
{{- end -}}

{{/* subjects of a binding. */}}
{{- define "tablesync.subjects" -}}
- kind: ServiceAccount
  name: {{ include "tablesync.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{/* What the pods and the test's pod have in common: where they run and how. */}}
{{- define "tablesync.placement" -}}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- if .Values.hostNetwork }}
hostNetwork: true
{{- end }}
{{- with .Values.dnsPolicy | default (.Values.hostNetwork | ternary "ClusterFirstWithHostNet" "") }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
