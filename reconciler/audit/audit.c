#include "audit/care.h"
#include "audit/disk.h"
#include "audit/mend.h"
#include "audit/query.h"

#include <string.h>

#define PATH_BYTES_MAX 4095

bool audit_open(const struct audit_options *options, const struct clock *clock,
                struct audit **out_audit, struct fault *fault)
{
    struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    AUTO(audit_closep) struct audit *a = ARENA_NEW(arena, struct audit);

    *a = (struct audit){
        .arena = arena, .clock = clock, .options = *options, .db = NULL, .writer_fd = -1};
    a->path = arena_strdup(arena, options->path);
    a->care = care_new(arena);
    must(pthread_mutex_init(&a->lock, NULL) == 0);
    if (a->path == NULL || a->path[0] == '\0') {
        return fault_set(fault, FAULT_UNAVAILABLE, "AuditUnavailable",
                         "no file is named for the audit database");
    }
    if (strlen(a->path) > PATH_BYTES_MAX) {
        return fault_set(fault, FAULT_UNAVAILABLE, "AuditUnavailable",
                         "the path of the audit database is longer than %d bytes",
                         PATH_BYTES_MAX);
    }
    if (options->tolerant && options->later) {
        care_wait(a);
    } else if (options->tolerant) {
        mend_open(a);
    } else if (!disk_open(a, fault)) {
        return false;
    }
    *out_audit = TAKE(a);
    return true;
}

void audit_begin(struct audit *audit)
{
    must(pthread_mutex_lock(&audit->lock) == 0);
    if (care_end_wait(audit)) {
        mend_open(audit);
    }
    must(pthread_mutex_unlock(&audit->lock) == 0);
}

bool audit_open_reader(struct audit *audit, struct audit **out_reader,
                       struct fault *fault)
{
    const struct audit_options options = {.path = audit->path, .read_only = true};
    struct audit_state state = {0};

    audit_state(audit, &state);
    if (state.waits) {
        return fault_set(fault, FAULT_UNAVAILABLE, "AuditWaits",
                         "this controller has not begun its audit log: it waits for the "
                         "Lease, so ask the one that holds it");
    }
    return audit_open(&options, audit->clock, out_reader, fault);
}

void audit_close(struct audit *audit)
{
    if (audit == NULL) {
        return;
    }
    disk_close(audit, disk_was_replaced(audit));
    must(pthread_mutex_destroy(&audit->lock) == 0);
    care_deinit(audit->care);
    arena_free(audit->arena);
}

void audit_closep(struct audit **audit)
{
    audit_close(TAKE(*audit));
}
