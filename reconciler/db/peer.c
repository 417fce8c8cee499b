#include "db/peer.h"

#include "db/classify_rules.h"
#include "db/tls_files.h"
#include "db/tls_trace.h"

#include <string.h>

#define TAG_MAX 120
#define TEXT_CEILING (DB_VALUE_MAX)
#define PEER_ARENA_BYTES ((size_t)4 * 1024 * 1024)

static const char *const engine_names[] = {
    [DB_MYSQL] = "MySQL",
    [DB_RISINGWAVE] = "RisingWave",
    [DB_STARROCKS] = "StarRocks",
};

struct peer *peer_new(const struct db_endpoint *endpoint, enum db_engine engine)
{
    const struct dbconn *conn = endpoint->conn;
    struct arena *arena = arena_new(PEER_ARENA_BYTES);
    struct peer *peer = ARENA_NEW(arena, struct peer);
    struct sv password = secret_reveal(endpoint->password);

    peer->arena = arena;
    peer->engine = engine;
    peer->fence = endpoint->fence;
    peer->host = arena_strdup(arena, conn->host == NULL ? "" : conn->host);
    peer->port = conn->port;
    peer->user = arena_strdup(arena, endpoint->user == NULL ? "" : endpoint->user);
    peer->database = arena_strdup(arena, conn->database == NULL ? "" : conn->database);
    peer->tls_mode = conn->tls_mode;
    peer->tls.ca = arena_strdup(arena, endpoint->tls.ca);
    peer->tls.cert = arena_strdup(arena, endpoint->tls.cert);
    peer->tls.key =
        endpoint->tls.key == NULL ? NULL : secret_new(secret_reveal(endpoint->tls.key));
    peer->scope = arena_strdup(arena, conn->namespace == NULL ? "" : conn->namespace);
    if (password.n > 0) {
        struct secret *own = secret_new(password);

        secret_remember(peer->scope, own);
        peer->password = own;
    }
    peer->label = arena_printf(
        arena, strchr(peer->host, ':') != NULL ? "%s [%s]:%lld" : "%s %s:%lld",
        engine_names[engine], peer->host, (long long)peer->port);
    return peer;
}

void peer_free(struct peer *peer)
{
    if (peer == NULL) {
        return;
    }
    const struct secret *const held[] = {peer->password, peer->tls.key};
    struct arena *arena = peer->arena;

    for (size_t i = 0; i < COUNT_OF(held); i++) {
        struct secret *own = NULL;
        /* The structure holds it read-only; this is the owner giving it back. */
        memcpy(&own, &held[i], sizeof(own));
        secret_free(own);
    }
    arena_free(arena);
}

/* Blanks, line breaks and control bytes become one blank between what they part. */
static void add_byte(struct buf *out, bool *blank, char c)
{
    if ((unsigned char)c <= ' ' || c == 0x7f) {
        *blank = out->n > 0;
        return;
    }
    if (*blank) {
        buf_addc(out, ' ');
        *blank = false;
    }
    buf_addc(out, c);
}

static void add_clean(struct sv text, struct buf *out)
{
    bool blank = false;

    while (text.n > 0) {
        size_t valid = sv_utf8_valid_bytes(text);
        for (size_t i = 0; i < valid; i++) {
            add_byte(out, &blank, text.p[i]);
        }
        if (valid < text.n) {
            add_byte(out, &blank, '?');
            valid++;
        }
        text = sv_sub(text, valid, text.n);
    }
}

char *peer_text(const struct peer *peer, struct sv text, struct arena *arena)
{
    const struct secret *const own[] = {peer->password};
    AUTO(buf_deinit) struct buf others = {0}, known = {0};
    AUTO(buf_deinit) struct buf safe = {0}, reduced = {0}, clean = {0};

    buf_init(&others, TEXT_CEILING);
    buf_init(&known, TEXT_CEILING);
    buf_init(&safe, TEXT_CEILING);
    buf_init(&reduced, TEXT_CEILING);
    buf_init(&clean, TEXT_CEILING);
    /* Half the ceiling: masks may be longer than what they hide. */
    text = sv_sub(text, 0, TEXT_CEILING / 2);
    secret_redact_scope(peer->scope, text, &others);
    /* Its own as well: the scope's memory is bounded. */
    secret_redact(own, peer->password == NULL ? 0 : 1, buf_sv(&others), &known);
    secret_redact_pattern(buf_sv(&known), &safe);
    if (peer->engine == DB_RISINGWAVE) {
        classify_reduce_chain(buf_sv(&safe), &reduced);
    } else {
        buf_add(&reduced, buf_sv(&safe));
    }
    add_clean(buf_sv(&reduced), &clean);

    struct sv whole = buf_sv(&clean);
    struct sv kept = sv_utf8_prefix(whole, PEER_TEXT_MAX - 3);
    if (whole.n <= PEER_TEXT_MAX) {
        return arena_copy(arena, whole);
    }
    return arena_printf(arena, "%.*s...", SV_ARGS(kept));
}

/* Without the full stops the servers end with: the code follows. */
static struct sv without_stop(struct sv text)
{
    while (text.n > 0 && (text.p[text.n - 1] == '.' || text.p[text.n - 1] == ' ')) {
        text.n--;
    }
    return text;
}

bool peer_fault(const struct peer *peer, const struct peer_answer *answer,
                bool *out_broken, struct fault *fault)
{
    AUTO(arena_freep) struct arena *arena = arena_new(TEXT_CEILING);
    const char *text = peer_text(peer, answer->text, arena);
    struct db_verdict verdict = db_classify(peer->engine, answer->code, sv_from(text));
    struct sv said = without_stop(sv_from(text));
    bool coded = answer->code[0] != '\0';
    bool asked = said.n > 0 && !coded && strchr("?!", said.p[said.n - 1]) != NULL;

    if (said.n == 0) {
        said = SV("no reason given");
    }
    (void)fault_set(fault, verdict.class, verdict.reason, "%s, %s: %.*s%s%s%s%s%s%s",
                    peer->label, answer->what, SV_ARGS(said), coded ? " (" : "",
                    answer->code, coded ? ")" : "", asked ? "" : ".",
                    verdict.advice == NULL ? "" : " ",
                    verdict.advice == NULL ? "" : verdict.advice);
    if (out_broken != NULL && verdict.session_broken) {
        *out_broken = true;
    }
    return fault_code(fault, "%s", answer->code);
}

/* Neither an answer nor an alert: the line went dead. */
static bool hung_up(struct sv text)
{
    static const char *const words[] = {
        "EOF detected",    "reset by peer", "Broken pipe",
        "Lost connection", "has gone away", "closed the connection unexpectedly"};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (sv_find_nocase(text, sv_from(words[i])) != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

/*
 * With TLS 1.3 the server looks at our certificate when we take the handshake for done:
 * its alert may come too late for a library that is writing by then.
 */
static const char *unsaid(const struct peer *peer, struct sv text)
{
    if (peer->tls.cert == NULL || !tls_trace_met() || !hung_up(text)) {
        return NULL;
    }
    return "it hung up right after the TLS handshake, as a server does that refuses the "
           "client's certificate";
}

bool peer_login_fault(const struct peer *peer, const struct peer_answer *answer,
                      bool *out_broken, struct fault *fault)
{
    const char *verdict = tls_mode_verifies(peer->tls_mode) ? tls_trace_verdict() : NULL;
    const char *more = tls_trace_error();
    struct peer_answer full = *answer;
    bool by_library = answer->code[0] == '\0' || answer->code[0] == '2';

    if (more == NULL) {
        more = unsaid(peer, answer->text);
    }
    if (verdict != NULL) {
        full.text =
            sv_from(arena_printf(peer->arena, "certificate verify failed: %s", verdict));
    } else if (by_library && more != NULL && !sv_contains(answer->text, sv_from(more))) {
        full.text = sv_from(
            arena_printf(peer->arena, "%.*s: %s", SV_ARGS(sv_trim(answer->text)), more));
    }
    return peer_fault(peer, &full, out_broken, fault);
}

bool peer_wrap(const struct peer *peer, struct fault *fault)
{
    return fault_wrap(fault, "%s", peer->label);
}

char *peer_tag(const char *tag, struct arena *arena)
{
    char *out = arena_copy(arena, sv_sub(sv_from(tag), 0, TAG_MAX));

    for (char *p = out; *p != '\0'; p++) {
        bool fits = (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
                    (*p >= 'A' && *p <= 'Z') || strchr("-_./:= ", *p) != NULL;
        if (!fits) {
            *p = '_';
        }
    }
    return out;
}
