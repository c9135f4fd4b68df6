/* Tokens and signatures: what one signer signs only it accepts, and only unchanged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/md.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/str.h"
#include "mock/mock_sign.h"

static const struct mock_signed parts = {
    CAD_STR_INIT("/"), CAD_STR_INIT("1"), CAD_STR_INIT("1"), CAD_STR_INIT("1700000600"),
    CAD_STR_INIT("AQAAAAAADbwEAAAAAAAAAAAAAAAA"),
};

static struct mock_signer *make_signer(uint64_t seed)
{
    struct mock_signer *signer = test_calloc(1, sizeof *signer);
    assert_int_equal(mock_signer_init(signer, seed), 0);
    return signer;
}

static void drop_signer(struct mock_signer *signer)
{
    mock_signer_deinit(signer);
    test_free(signer);
}

static void test_token_round_trip(void **state)
{
    (void)state;
    const struct mock_token token = {900100, 3, 65535, UINT64_C(0xfedcba9876543210)};
    char text[MOCK_TOKEN_CHARS];
    struct mock_token back = {0};
    mock_token_write(&token, text);
    assert_int_equal(mock_token_read(cad_str_make(text, sizeof text), &back), 0);
    assert_int_equal(back.title, token.title);
    assert_int_equal(back.asset, token.asset);
    assert_int_equal(back.generation, token.generation);
    assert_int_equal(back.session, token.session);
}

static void test_token_refuses_what_is_none(void **state)
{
    (void)state;
    const struct mock_token token = {1, 2, 3, 4};
    char text[MOCK_TOKEN_CHARS + 1];
    struct mock_token back;
    mock_token_write(&token, text);
    for (size_t n = 0; n < MOCK_TOKEN_CHARS; n++) {
        assert_int_equal(mock_token_read(cad_str_make(text, n), &back), CAD_E_DATA);
    }
    text[MOCK_TOKEN_CHARS] = 'A';
    assert_int_equal(mock_token_read(cad_str_make(text, sizeof text), &back), CAD_E_DATA);
    text[5] = '%';
    assert_int_equal(mock_token_read(cad_str_make(text, MOCK_TOKEN_CHARS), &back), CAD_E_DATA);
    memset(text, 'A', sizeof text); /* version 0 */
    assert_int_equal(mock_token_read(cad_str_make(text, MOCK_TOKEN_CHARS), &back), CAD_E_DATA);
}

/* The same HMAC by mbedTLS's one-call interface, with the key worked out apart. */
static void test_sign_is_hmac_sha256(void **state)
{
    (void)state;
    struct mock_signer *signer = make_signer(7);
    char ours[MOCK_SIGNATURE_CHARS], theirs[MOCK_SIGNATURE_CHARS];
    static const char label[] = "cadmium mock origin url key";
    static const char message[] = "/\n1\n1\n1700000600\nAQAAAAAADbwEAAAAAAAAAAAAAAAA";
    uint8_t material[sizeof label + 7], key[32], mac[32];
    size_t n = 0;
    memcpy(material, label, sizeof label - 1);
    cad_put_be64(material + sizeof label - 1, 7);
    const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
    assert_int_equal(mbedtls_md(sha256, material, sizeof material, key), 0);
    assert_int_equal(mbedtls_md_hmac(sha256, key, sizeof key, (const uint8_t *)message,
                                     sizeof message - 1, mac), 0);
    assert_int_equal(cad_base64_encode((cad_buf){mac, sizeof mac},
                                       CAD_BASE64_URL | CAD_BASE64_NO_PAD, theirs, sizeof theirs,
                                       &n), 0);
    assert_int_equal(n, sizeof theirs);
    for (int round = 0; round < 2; round++) { /* computed, then remembered */
        assert_int_equal(mock_sign(signer, &parts, ours), 0);
        assert_memory_equal(ours, theirs, sizeof ours);
    }
    drop_signer(signer);
}

static void test_verify_every_changed_character(void **state)
{
    (void)state;
    struct mock_signer *signer = make_signer(7);
    char text[MOCK_SIGNATURE_CHARS + 1];
    assert_int_equal(mock_sign(signer, &parts, text), 0);
    assert_true(mock_verify(signer, &parts, cad_str_make(text, MOCK_SIGNATURE_CHARS)));
    for (size_t i = 0; i < MOCK_SIGNATURE_CHARS; i++) {
        text[i] = (char)(text[i] ^ 1);
        assert_false(mock_verify(signer, &parts, cad_str_make(text, MOCK_SIGNATURE_CHARS)));
        text[i] = (char)(text[i] ^ 1);
    }
    assert_false(mock_verify(signer, &parts, cad_str_make(text, MOCK_SIGNATURE_CHARS - 1)));
    text[MOCK_SIGNATURE_CHARS] = '=';
    assert_false(mock_verify(signer, &parts, cad_str_make(text, MOCK_SIGNATURE_CHARS + 1)));
    assert_true(mock_verify(signer, &parts, cad_str_make(text, MOCK_SIGNATURE_CHARS)));
    drop_signer(signer);
}

static void test_verify_every_changed_part(void **state)
{
    (void)state;
    struct mock_signer *signer = make_signer(7);
    char text[MOCK_SIGNATURE_CHARS];
    assert_int_equal(mock_sign(signer, &parts, text), 0);
    struct mock_signed changed[6];
    for (size_t i = 0; i < 6; i++) changed[i] = parts;
    changed[0].path = CAD_STR("/a");
    changed[1].o = CAD_STR("2");
    changed[2].v = CAD_STR("2");
    changed[3].e = CAD_STR("1700000601");
    changed[4].t = CAD_STR("AQAAAAAADbwEAAAAAAAAAAAAAAAB");
    changed[5].o = CAD_STR(""); /* a byte moved from one part to the next */
    changed[5].v = CAD_STR("11");
    for (size_t i = 0; i < 6; i++) {
        assert_false(mock_verify(signer, &changed[i], cad_str_make(text, sizeof text)));
    }
    drop_signer(signer);
}

static void test_seeds_differ(void **state)
{
    (void)state;
    struct mock_signer *one = make_signer(1), *two = make_signer(2);
    char text[MOCK_SIGNATURE_CHARS];
    assert_int_equal(mock_sign(one, &parts, text), 0);
    assert_false(mock_verify(two, &parts, cad_str_make(text, sizeof text)));
    drop_signer(one);
    drop_signer(two);
}

/* More messages than the signer remembers: each is still right. */
static void test_memo_overflows(void **state)
{
    (void)state;
    struct mock_signer *signer = make_signer(7), *fresh;
    char kept[MOCK_SIGNATURE_CHARS], again[MOCK_SIGNATURE_CHARS];
    for (unsigned i = 0; i < 4 * MOCK_MEMO_SLOTS; i++) {
        const char digits[] = {(char)('0' + i / 100), (char)('0' + i / 10 % 10),
                               (char)('0' + i % 10)};
        struct mock_signed one = parts;
        one.e = cad_str_make(digits, sizeof digits);
        assert_int_equal(mock_sign(signer, &one, kept), 0);
        fresh = i % 50 == 0 ? make_signer(7) : NULL;
        if (!fresh) continue;
        assert_int_equal(mock_sign(fresh, &one, again), 0);
        assert_memory_equal(kept, again, sizeof kept);
        drop_signer(fresh);
    }
    drop_signer(signer);
}

static void test_sign_has_a_limit(void **state)
{
    (void)state;
    struct mock_signer *signer = make_signer(7);
    char longest[MOCK_MESSAGE_MAX], text[MOCK_SIGNATURE_CHARS];
    memset(longest, 'a', sizeof longest);
    struct mock_signed one = parts;
    size_t others = one.o.n + one.v.n + one.e.n + one.t.n + 4;
    one.path = cad_str_make(longest, MOCK_MESSAGE_MAX - 1 - others);
    assert_int_equal(mock_sign(signer, &one, text), 0);
    assert_true(mock_verify(signer, &one, cad_str_make(text, sizeof text)));
    one.path.n++;
    assert_int_equal(mock_sign(signer, &one, text), CAD_E_LIMIT);
    assert_false(mock_verify(signer, &one, cad_str_make(text, sizeof text)));
    drop_signer(signer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token_round_trip),
        cmocka_unit_test(test_token_refuses_what_is_none),
        cmocka_unit_test(test_sign_is_hmac_sha256),
        cmocka_unit_test(test_verify_every_changed_character),
        cmocka_unit_test(test_verify_every_changed_part),
        cmocka_unit_test(test_seeds_differ),
        cmocka_unit_test(test_memo_overflows),
        cmocka_unit_test(test_sign_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
