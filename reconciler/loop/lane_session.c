/* Sessions of a lane: idle ones, new ones, and who may have one (circuit.c). */
#include "base/heap.h"
#include "loop/circuit.h"

enum turn { TURN_IDLE = 1, TURN_OPEN, TURN_NONE };

/* An idle session, the permission to open one, or the fault that says why there is none.
 */
static enum turn take_turn(struct lane *lane, const struct visitor *who,
                           bool idle_will_do, struct session *out_session,
                           bool *out_probes, struct fault *fault)
{
    enum turn turn = TURN_NONE;
    struct news news = {0};
    struct hung hung;

    circuit_look(lane->all, &hung);
    (void)pthread_mutex_lock(&lane->lock);
    if (circuit_admit(lane, who, &hung, &news, fault) != CIRCUIT_ENTER) {
        turn = TURN_NONE;
    } else if (idle_will_do && lane->idle_count > 0) {
        *out_session = lane->idle[--lane->idle_count];
        out_session->reused = true;
        out_session->door->idled = true;
        out_session->door->key = who->key;
        circuit_stay(lane, out_session->door);
        turn = TURN_IDLE;
    } else {
        out_session->epoch = lane->epoch;
        *out_probes = lane->down_count > 0;
        lane->trying = lane->trying || !lane->proven || lane->down_count > 0;
        turn = TURN_OPEN;
    }
    /* There may be room for more than this one. */
    circuit_serve(lane, &hung, &news);
    (void)pthread_mutex_unlock(&lane->lock);
    lane_tell(lane, &news);
    return turn;
}

/* The login ended: who made it stays with its session (NULL: there is none). */
static void note_opened(struct lane *lane, int64_t epoch, const char *key,
                        struct door *door, const struct fault *fault)
{
    struct news news = {0};
    struct hung hung;

    circuit_look(lane->all, &hung);
    (void)pthread_mutex_lock(&lane->lock);
    if (lane->epoch == epoch) {
        circuit_opened(lane, fault, &news);
    }
    if (door != NULL) {
        circuit_stay(lane, door);
    } else {
        circuit_leave(lane, NULL, key);
    }
    circuit_serve(lane, &hung, &news);
    (void)pthread_mutex_unlock(&lane->lock);
    lane_tell(lane, &news);
}

static bool open_now(struct lane *lane, const struct db_endpoint *endpoint,
                     struct cancel *cancel, struct session *session, struct fault *fault)
{
    struct db_factory *factory = lane->factory;

    switch (session->type) {
    case DBCONN_MYSQL:
        return factory->ops->open_source(factory, endpoint, cancel, &session->source,
                                         fault);
    case DBCONN_RISINGWAVE:
        return factory->ops->open_stream(factory, endpoint, cancel, &session->stream,
                                         fault);
    case DBCONN_STARROCKS:
        return factory->ops->open_target(factory, endpoint, cancel, &session->target,
                                         fault);
    case DBCONN_TYPE_MAX:
        break;
    }
    must(false);
    return false;
}

static bool log_in(struct lane *lane, const struct db_endpoint *endpoint, const char *key,
                   bool probes, struct cancel *cancel, struct session *session,
                   struct fault *fault)
{
    struct cancel child;
    struct call call;
    bool opened = false;

    cancel_init_child(&child, cancel, DB_CONNECT_TIMEOUT_MS);
    call_begin(&call, lane, key, false);
    opened = open_now(lane, endpoint, &child, session, fault);
    call_drop(&call);
    if (opened) {
        struct door *door = door_new(session);

        door->key = key;
        door->probes = probes;
    }
    note_opened(lane, session->epoch, key, session->door, opened ? NULL : fault);
    return opened;
}

static bool open_session(struct lane *lane, const struct db_endpoint *endpoint,
                         const char *key, bool idle_will_do, struct cancel *cancel,
                         struct session *out_session, struct fault *fault)
{
    struct session session = {.lane = lane, .type = endpoint->conn->type};
    const struct visitor who = {key, lane_urgent(lane, key)};
    bool probes = false, opened = true;

    switch (take_turn(lane, &who, idle_will_do, &session, &probes, fault)) {
    case TURN_NONE:
        return false;
    case TURN_OPEN:
        opened = log_in(lane, endpoint, key, probes, cancel, &session, fault);
        break;
    case TURN_IDLE:
        break;
    }
    if (opened) {
        session.door->urgent = who.urgent;
        *out_session = session;
    }
    return opened;
}

bool session_open(struct lane *lane, const struct db_endpoint *endpoint, const char *key,
                  struct cancel *cancel, struct session *out_session, struct fault *fault)
{
    return open_session(lane, endpoint, key, true, cancel, out_session, fault);
}

bool session_open_new(struct lane *lane, const struct db_endpoint *endpoint,
                      const char *key, struct cancel *cancel, struct session *out_session,
                      struct fault *fault)
{
    return open_session(lane, endpoint, key, false, cancel, out_session, fault);
}

void session_commit(struct session *session, bool on)
{
    if (session->door != NULL) {
        session->door->committed = on;
    }
}

bool session_was_stale(const struct session *session)
{
    return session->door != NULL && session->door->stale;
}

static bool breaks_session(const struct fault *fault)
{
    return fault != NULL &&
           (fault->class == FAULT_UNAVAILABLE || fault->class == FAULT_CANCELLED ||
            fault->class == FAULT_BUG);
}

void lane_close_idle(struct session *session)
{
    if (session->source != NULL) {
        session->source->ops->close(session->source);
    }
    if (session->stream != NULL) {
        session->stream->ops->close(session->stream);
    }
    if (session->target != NULL) {
        session->target->ops->close(session->target);
    }
}

size_t lane_take_idle(struct lane *lane, struct session out_idle[LANE_IDLE_MAX])
{
    size_t count = lane->idle_count;

    if (count > 0) {
        memcpy(out_idle, lane->idle, count * sizeof(out_idle[0]));
    }
    lane->idle_count = 0;
    return count;
}

void session_close(struct session *session, const struct fault *fault)
{
    struct lane *lane = session->lane;
    struct session idle[LANE_IDLE_MAX];
    struct news news = {0};
    struct hung hung;
    size_t count = 0;
    bool kept = false;

    if (session->door == NULL) { /* empty, or none of the lane's */
        lane_close_idle(session);
        memset(session, 0, sizeof(*session));
        return;
    }
    circuit_look(lane->all, &hung);
    (void)pthread_mutex_lock(&lane->lock);
    circuit_leave(lane, session->door, NULL);
    if (breaks_session(fault)) {
        /* What broke this one (a restart, a time limit) has broken the idle ones too. */
        count = lane_take_idle(lane, idle);
    } else if (session->epoch == lane->epoch && lane->idle_count < LANE_IDLE_MAX) {
        lane->idle[lane->idle_count++] = *session;
        kept = true;
    }
    circuit_serve(lane, &hung, &news);
    (void)pthread_mutex_unlock(&lane->lock);
    if (!kept) {
        lane_close_idle(session);
    }
    for (size_t i = 0; i < count; i++) {
        lane_close_idle(&idle[i]);
    }
    memset(session, 0, sizeof(*session));
    lane_tell(lane, &news);
}
