#include "loop/quarantine.h"

#include "base/siphash.h"

static struct crash_subject subject_of(const struct loop *loop, const char *key)
{
    /* The same in each process, or the records would mean nothing to the next one. */
    static const uint64_t seed[2] = {UINT64_C(0x7461626c6573796e), 0};
    bool is_sync = sv_starts(sv_from(key), SV(LOOP_KEY_SYNC));
    struct crash_subject subject = {.id = siphash(seed, sv_from(key)) | 1};
    size_t kind = is_sync ? strlen(LOOP_KEY_SYNC) : strlen(LOOP_KEY_CONN);

    return kube_store_fingerprint(is_sync ? loop->syncs : loop->conns, key + kind,
                                  &subject.state)
               ? subject
               : (struct crash_subject){.id = 0};
}

struct crash_subject quarantine_enter(const struct loop *loop, const char *key)
{
    return crash_enter(loop->ports.crashes == NULL ? (struct crash_subject){.id = 0}
                                                   : subject_of(loop, key));
}

bool quarantine_admits(const struct loop *loop, const char *key, struct fault *fault)
{
    unsigned crashes = loop->ports.crashes == NULL
                           ? 0
                           : crash_count(loop->ports.crashes, subject_of(loop, key),
                                         clock_wall_ms(loop->ports.clock));

    if (crashes < QUARANTINE_CRASHES) {
        return true;
    }
    return fault_set(fault, FAULT_REFUSED, QUARANTINE_REASON,
                     "the controller crashed %u times while it worked on this resource, "
                     "and leaves it alone so that others go on; what was made before "
                     "keeps flowing. Please report it with the controller's log; change "
                     "the spec, upgrade, or set the annotation tablesync.dev/retry=now "
                     "to have it tried again",
                     crashes);
}

void quarantine_lift(const struct loop *loop, const char *key)
{
    if (loop->ports.crashes != NULL) {
        crash_forget(loop->ports.crashes, subject_of(loop, key).id);
    }
}
