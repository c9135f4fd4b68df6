#include "mock/mock_sign.h"

#include <string.h>

#include <mbedtls/sha256.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/str.h"
#include "base/strbuf.h"

#define TOKEN_BYTES 21
#define TOKEN_VERSION 1
#define MAC_BYTES 32

void mock_token_write(const struct mock_token *token, char out[MOCK_TOKEN_CHARS])
{
    uint8_t bytes[TOKEN_BYTES];
    bytes[0] = TOKEN_VERSION;
    cad_put_be64(bytes + 1, token->title);
    cad_put_be16(bytes + 9, token->asset);
    cad_put_be16(bytes + 11, token->generation);
    cad_put_be64(bytes + 13, token->session);
    size_t n = 0;
    int rc = cad_base64_encode((cad_buf){bytes, sizeof bytes}, CAD_BASE64_URL | CAD_BASE64_NO_PAD,
                               out, MOCK_TOKEN_CHARS, &n);
    if (rc < 0 || n != MOCK_TOKEN_CHARS) memset(out, '-', MOCK_TOKEN_CHARS);
}

int mock_token_read(cad_str text, struct mock_token *out)
{
    uint8_t bytes[TOKEN_BYTES];
    size_t n = 0;
    if (text.n != MOCK_TOKEN_CHARS) return CAD_E_DATA;
    int rc = cad_base64_decode(text, CAD_BASE64_URL, bytes, sizeof bytes, &n);
    if (rc < 0 || n != sizeof bytes || bytes[0] != TOKEN_VERSION) return CAD_E_DATA;
    out->title = cad_be64(bytes + 1);
    out->asset = cad_be16(bytes + 9);
    out->generation = cad_be16(bytes + 11);
    out->session = cad_be64(bytes + 13);
    return 0;
}

int mock_signer_init(struct mock_signer *signer, uint64_t seed)
{
    static const char label[] = "cadmium mock origin url key";
    uint8_t material[sizeof label - 1 + 8];
    uint8_t key[MAC_BYTES];
    memset(signer, 0, sizeof *signer);
    mbedtls_md_init(&signer->hmac);
    memcpy(material, label, sizeof label - 1);
    cad_put_be64(material + sizeof label - 1, seed);
    if (mbedtls_sha256_ret(material, sizeof material, key, 0) != 0) return CAD_E_IO;
    const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
    if (!sha256) return CAD_E_IO;
    if (mbedtls_md_setup(&signer->hmac, sha256, 1) != 0) return CAD_E_NOMEM;
    if (mbedtls_md_hmac_starts(&signer->hmac, key, sizeof key) != 0) {
        mock_signer_deinit(signer);
        return CAD_E_IO;
    }
    return 0;
}

void mock_signer_deinit(struct mock_signer *signer)
{
    mbedtls_md_free(&signer->hmac);
    memset(signer->memo, 0, sizeof signer->memo);
}

/* The parts with a line end between them: none of them can contain one. */
static int message_of(const struct mock_signed *parts, char out[MOCK_MESSAGE_MAX], size_t *n)
{
    const cad_str list[] = {parts->path, parts->o, parts->v, parts->e, parts->t};
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, out, MOCK_MESSAGE_MAX);
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (i > 0) cad_sb_putc(&sb, '\n');
        cad_sb_put(&sb, list[i]);
    }
    *n = sb.n;
    return cad_sb_error(&sb);
}

static int compute(struct mock_signer *signer, cad_str message, char out[MOCK_SIGNATURE_CHARS])
{
    uint8_t mac[MAC_BYTES];
    size_t n = 0;
    if (mbedtls_md_hmac_reset(&signer->hmac) != 0) return CAD_E_IO;
    if (mbedtls_md_hmac_update(&signer->hmac, (const uint8_t *)message.p, message.n) != 0) {
        return CAD_E_IO;
    }
    if (mbedtls_md_hmac_finish(&signer->hmac, mac) != 0) return CAD_E_IO;
    return cad_base64_encode((cad_buf){mac, sizeof mac}, CAD_BASE64_URL | CAD_BASE64_NO_PAD, out,
                             MOCK_SIGNATURE_CHARS, &n);
}

/* The slot that holds the message's signature, computed if it was not there. */
static int recall(struct mock_signer *signer, const struct mock_signed *parts,
                  const struct mock_memo **out)
{
    char message[MOCK_MESSAGE_MAX];
    size_t n = 0;
    int rc = message_of(parts, message, &n);
    if (rc < 0) return rc;
    struct mock_memo *memo = &signer->memo[cad_hash64(message, n, 0) & (MOCK_MEMO_SLOTS - 1)];
    if (memo->n != n || memcmp(memo->message, message, n) != 0) {
        memo->n = 0;
        rc = compute(signer, cad_str_make(message, n), memo->signature);
        if (rc < 0) return rc;
        memcpy(memo->message, message, n);
        memo->n = n;
    }
    *out = memo;
    return 0;
}

int mock_sign(struct mock_signer *signer, const struct mock_signed *parts,
              char out[MOCK_SIGNATURE_CHARS])
{
    const struct mock_memo *memo = NULL;
    int rc = recall(signer, parts, &memo);
    if (rc < 0) return rc;
    memcpy(out, memo->signature, MOCK_SIGNATURE_CHARS);
    return 0;
}

bool mock_verify(struct mock_signer *signer, const struct mock_signed *parts, cad_str signature)
{
    const struct mock_memo *memo = NULL;
    if (signature.n != MOCK_SIGNATURE_CHARS || recall(signer, parts, &memo) < 0) return false;
    unsigned difference = 0;
    for (size_t i = 0; i < MOCK_SIGNATURE_CHARS; i++) {
        difference |= (unsigned)(uint8_t)signature.p[i] ^ (unsigned)(uint8_t)memo->signature[i];
    }
    return difference == 0;
}
