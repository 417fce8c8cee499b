/*
 * log_key: which resource a log line is about, with controller-runtime's keys
 * (pkg/internal/controller/controller.go): controller, controllerGroup, controllerKind,
 * TableSync {name, namespace}, namespace, name.
 */
#ifndef LOOP_LOG_KEY_H
#define LOOP_LOG_KEY_H

#include "base/log.h"

/* k: a queue key, "TableSync/ns/name". */
#define LG_KEY(k) LG_MEMBERS(log_key, (k))
/* k: "ns/name" of a DatabaseConnection. */
#define LG_CONN(k) LG_MEMBERS(log_key_conn, (k))

void log_key(struct buf *line, const char *key);
void log_key_conn(struct buf *line, const char *key);
/* "tablesync" or "databaseconnection": the label `controller` of metrics. */
const char *log_key_controller(const char *key);

#endif
