{{/* The rules of manifests/rbac.yaml: tests/integration/test_chart.py compares them. */}}
{{- define "tablesync.rules.controller" -}}
# Patching is for the finalizers and for removing the retry annotation; get is for `tablesync
# plan` and `check` in the pod.
- apiGroups: [tablesync.dev]
  resources: [databaseconnections, tablesyncs]
  verbs: [get, list, watch, patch]
- apiGroups: [tablesync.dev]
  resources: [databaseconnections/status, tablesyncs/status]
  verbs: [patch]
{{ include "tablesync.rules.events" . }}
{{- end -}}

{{- define "tablesync.rules.events" -}}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{/* Only the Secrets that connections name are read, one by one; RBAC cannot say so. */}}
{{- define "tablesync.rules.secrets" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch]
{{- end -}}
