#include "db/peer.h"

#include "db/classify_rules.h"

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
    peer->host = arena_strdup(arena, conn->host == NULL ? "" : conn->host);
    peer->port = conn->port;
    peer->user = arena_strdup(arena, endpoint->user == NULL ? "" : endpoint->user);
    peer->database = arena_strdup(arena, conn->database == NULL ? "" : conn->database);
    peer->tls = conn->tls_mode;
    peer->password = password.n == 0 ? NULL : secret_new(password);
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
    const struct secret *password = peer->password;
    struct arena *arena = peer->arena;
    struct secret *own = NULL;

    /* The structure holds it read-only; this is the owner giving it back. */
    memcpy(&own, &password, sizeof(own));
    secret_free(own);
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
    AUTO(buf_deinit) struct buf known = {0}, safe = {0}, reduced = {0}, clean = {0};
    const struct secret *const secrets[] = {peer->password};

    buf_init(&known, TEXT_CEILING);
    buf_init(&safe, TEXT_CEILING);
    buf_init(&reduced, TEXT_CEILING);
    buf_init(&clean, TEXT_CEILING);
    /* Half the ceiling: masks may be longer than what they hide. */
    text = sv_sub(text, 0, TEXT_CEILING / 2);
    secret_redact(secrets, peer->password == NULL ? 0 : 1, text, &known);
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
