#include "base/crypto.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/secret.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#define KEY_BYTES 32
#define BASE64_CHARS 44
#define HEX_CHARS 64
#define KEY_FILE_MAX ((size_t)4096)
#define OLD_KEY_FILE_MAX ((size_t)64 * 1024)

struct key {
    struct secret *bytes;
    char id[CRYPTO_KEY_ID_SIZE];
};

/* The first key is the current one. */
struct crypto {
    struct key keys[1 + CRYPTO_OLD_KEYS_MAX];
    size_t count;
};

static void contextp(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(TAKE(*context));
}

/* --- keys --- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_hex(struct sv text, unsigned char out_key[KEY_BYTES])
{
    for (size_t i = 0; i < KEY_BYTES; i++) {
        int high = hex_digit(text.p[2 * i]), low = hex_digit(text.p[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        out_key[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static bool is_base64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           c == '+' || c == '/';
}

/* 44 characters of which the last is padding: 32 bytes and nothing more. OpenSSL's
 * decoder takes more than base64, hence the look at each character. */
static bool parse_base64(struct sv text, unsigned char out_key[KEY_BYTES])
{
    unsigned char decoded[BASE64_CHARS / 4 * 3];
    bool good = text.p[BASE64_CHARS - 1] == '=';

    for (size_t i = 0; i < BASE64_CHARS - 1; i++) {
        good = good && is_base64(text.p[i]);
    }
    good = good && EVP_DecodeBlock(decoded, (const unsigned char *)text.p,
                                   BASE64_CHARS) == (int)sizeof(decoded);
    if (good) {
        memcpy(out_key, decoded, KEY_BYTES);
    }
    secret_wipe(decoded, sizeof(decoded));
    return good;
}

static bool parse_key(struct sv text, unsigned char out_key[KEY_BYTES])
{
    return (text.n == HEX_CHARS && parse_hex(text, out_key)) ||
           (text.n == BASE64_CHARS && parse_base64(text, out_key));
}

static void name_key(struct sv key, char out_id[CRYPTO_KEY_ID_SIZE])
{
    AUTO(hash_freep) struct hash *h = hash_new();
    char hex[HASH_HEX_SIZE];

    hash_add(h, SV("tablesync encryption key"));
    hash_add(h, key);
    hash_finish(h, hex);
    memcpy(out_id, hex, CRYPTO_KEY_ID_SIZE - 1);
    out_id[CRYPTO_KEY_ID_SIZE - 1] = '\0';
}

static const struct key *find_key(const struct crypto *crypto, const char *key_id)
{
    for (size_t i = 0; i < crypto->count; i++) {
        if (strcmp(crypto->keys[i].id, key_id) == 0) {
            return &crypto->keys[i];
        }
    }
    return NULL;
}

static bool add_key(struct crypto *crypto, struct sv text)
{
    unsigned char bytes[KEY_BYTES];
    struct key key;

    if (!parse_key(text, bytes)) {
        return false;
    }
    struct sv view = {(const char *)bytes, KEY_BYTES};

    name_key(view, key.id);
    if (find_key(crypto, key.id) == NULL) {
        key.bytes = secret_new(view);
        crypto->keys[crypto->count++] = key;
    }
    secret_wipe(bytes, sizeof(bytes));
    return true;
}

static bool fault_key(const char *file, int64_t line, struct sv text, struct fault *fault)
{
    char where[40] = "";

    if (line > 0) {
        (void)snprintf(where, sizeof(where), "line %lld of ", (long long)line);
    }
    return fault_set(fault, FAULT_SPEC, "EncryptionKeyInvalid",
                     "%sthe encryption key file '%.500s' %s: a key is 32 random bytes as "
                     "44 characters of base64 or as 64 hexadecimal digits, this is %zu "
                     "characters%s; make one with: openssl rand -base64 32",
                     where, file, text.n == 0 ? "holds no key" : "holds no such key",
                     text.n,
                     text.n == HEX_CHARS || text.n == BASE64_CHARS
                         ? ", but not all of them are of that alphabet"
                         : "");
}

static bool load_current(struct crypto *crypto, const char *file, struct fault *fault)
{
    AUTO(buf_deinit_zero) struct buf text = {0};

    buf_init(&text, KEY_FILE_MAX);
    if (!file_read(file, &text, fault)) {
        return fault_wrap(fault, "the encryption key");
    }
    struct sv key = sv_trim(buf_sv(&text));

    return add_key(crypto, key) ? true : fault_key(file, 0, key, fault);
}

static bool load_old(struct crypto *crypto, const char *file, struct fault *fault)
{
    AUTO(buf_deinit_zero) struct buf text = {0};
    int64_t line = 0;

    buf_init(&text, OLD_KEY_FILE_MAX);
    if (!file_read(file, &text, fault)) {
        return fault_wrap(fault, "the old encryption keys");
    }
    for (struct sv rest = buf_sv(&text); rest.n > 0;) {
        struct sv key = sv_trim(sv_cut(&rest, '\n'));

        line++;
        if (key.n == 0 || key.p[0] == '#') {
            continue;
        }
        if (crypto->count > CRYPTO_OLD_KEYS_MAX) {
            return fault_set(fault, FAULT_SPEC, "EncryptionKeyInvalid",
                             "file '%.500s' holds more than %zu old encryption keys: "
                             "remove those that nothing is encrypted with any more",
                             file, CRYPTO_OLD_KEYS_MAX);
        }
        if (!add_key(crypto, key)) {
            return fault_key(file, line, key, fault);
        }
    }
    return true;
}

bool crypto_load(const char *key_file, const char *old_key_file,
                 struct crypto **out_crypto, struct fault *fault)
{
    struct crypto *crypto = HEAP_NEW(struct crypto);

    if (!load_current(crypto, key_file, fault) ||
        (old_key_file != NULL && !load_old(crypto, old_key_file, fault))) {
        crypto_free(crypto);
        return false;
    }
    *out_crypto = crypto;
    return true;
}

void crypto_free(struct crypto *crypto)
{
    if (crypto == NULL) {
        return;
    }
    for (size_t i = 0; i < crypto->count; i++) {
        secret_free(crypto->keys[i].bytes);
    }
    heap_free(crypto);
}

void crypto_freep(struct crypto **crypto)
{
    crypto_free(TAKE(*crypto));
}

const char *crypto_key_id(const struct crypto *crypto)
{
    return crypto->keys[0].id;
}

bool crypto_has_key(const struct crypto *crypto, const char *key_id)
{
    return find_key(crypto, key_id) != NULL;
}

/* --- AES-256-GCM --- */

static const unsigned char *bytes_of(struct sv text)
{
    return (const unsigned char *)(text.p == NULL ? "" : text.p);
}

static EVP_CIPHER_CTX *begin(const struct key *key, const unsigned char *nonce,
                             struct sv associated, bool encrypt)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int n = 0;

    must(context != NULL && associated.n <= INT_MAX);
    /* 96 bits of nonce are what GCM takes by default. */
    must(EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL,
                           bytes_of(secret_reveal(key->bytes)), nonce,
                           encrypt ? 1 : 0) == 1);
    must(EVP_CipherUpdate(context, NULL, &n, bytes_of(associated), (int)associated.n) ==
         1);
    return context;
}

void crypto_seal(const struct crypto *crypto, struct sv plain, struct sv associated,
                 unsigned char out_nonce[CRYPTO_NONCE_BYTES], struct buf *out)
{
    AUTO(contextp) EVP_CIPHER_CTX *context = NULL;
    unsigned char tag[CRYPTO_TAG_BYTES];
    int n = 0, rest = 0;

    must(plain.n < INT_MAX);
    must(RAND_bytes(out_nonce, (int)CRYPTO_NONCE_BYTES) == 1);
    context = begin(&crypto->keys[0], out_nonce, associated, true);
    unsigned char *sealed = heap_new(plain.n + 1);

    must(EVP_CipherUpdate(context, sealed, &n, bytes_of(plain), (int)plain.n) == 1);
    must(EVP_CipherFinal_ex(context, sealed + n, &rest) == 1);
    must((size_t)n == plain.n && rest == 0);
    must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, (int)sizeof(tag), tag) == 1);
    buf_add(out, (struct sv){(const char *)sealed, plain.n});
    buf_add(out, (struct sv){(const char *)tag, sizeof(tag)});
    heap_free(sealed);
}

bool crypto_unseal(const struct crypto *crypto, const char *key_id,
                   const unsigned char nonce[CRYPTO_NONCE_BYTES], struct sv sealed,
                   struct sv associated, struct buf *out)
{
    const struct key *key = find_key(crypto, key_id);
    AUTO(contextp) EVP_CIPHER_CTX *context = NULL;
    unsigned char tag[CRYPTO_TAG_BYTES];
    int n = 0, rest = 0;
    bool good = false;

    if (key == NULL || sealed.n < sizeof(tag) || sealed.n > INT_MAX) {
        return false;
    }
    size_t size = sealed.n - sizeof(tag);
    unsigned char *plain = heap_new(size + 1);

    memcpy(tag, sealed.p + size, sizeof(tag));
    context = begin(key, nonce, associated, false);
    must(EVP_CipherUpdate(context, plain, &n, bytes_of(sealed), (int)size) == 1);
    must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, (int)sizeof(tag), tag) == 1);
    /* Only this call says whether what was decrypted is what was encrypted. */
    good = EVP_CipherFinal_ex(context, plain + n, &rest) == 1;
    if (good) {
        buf_add(out, (struct sv){(const char *)plain, size});
    }
    secret_wipe(plain, size);
    heap_free(plain);
    return good;
}
