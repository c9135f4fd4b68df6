/*
 * What Clear Key reads: the first byte says what the rest is (init data of each type, a licence).
 *
 * Beside crashes it looks for answers that contradict each other: what is refused leaves no key
 * behind, what is accepted is within its limits, and a request that is written reads back as the
 * same key ids.
 */
#include <string.h>

#include "drm/licence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(cond) ((cond) ? (void)0 : __builtin_trap())

static void try_licence(cad_buf b)
{
    struct cad_key_row rows[CAD_LICENCE_KEYS_MAX];
    static const struct cad_key_row zero;
    uint32_t n = 9;
    memset(rows, 0, sizeof rows);
    int rc = cad_licence_read(b, rows, &n);
    CHECK(rc == 0 || rc == CAD_E_DATA || rc == CAD_E_LIMIT);
    CHECK(rc == 0 ? n >= 1 && n <= CAD_LICENCE_KEYS_MAX : n == 0);
    for (size_t i = n; i < CAD_LICENCE_KEYS_MAX; i++) {
        CHECK(memcmp(&rows[i], &zero, sizeof zero) == 0);
    }
    for (uint32_t i = 0; i < n; i++) {
        CHECK(rows[i].status == CAD_KEY_USABLE);
        for (uint32_t k = 0; k < i; k++) CHECK(memcmp(rows[i].kid, rows[k].kid, 16) != 0);
    }
}

static void try_init(enum cad_init_type type, cad_buf b)
{
    struct cad_kid_list list = {.n = 0};
    struct cad_kid_list back = {.n = 0};
    char text[CAD_REQUEST_BYTES_MAX];
    struct cad_sb sb;
    int rc = cad_licence_init_kids(type, b, &list);
    CHECK(list.n <= CAD_LICENCE_KEYS_MAX);
    if (rc != 0) return;
    CHECK(list.n > 0);
    cad_sb_init_fixed(&sb, text, sizeof text);
    cad_licence_request(&sb, &list);
    CHECK(cad_sb_error(&sb) == 0);
    cad_str s = cad_sb_str(&sb);
    cad_buf request = {(const uint8_t *)s.p, s.n};
    CHECK(cad_licence_init_kids(CAD_INIT_KEYIDS, request, &back) == 0);
    CHECK(back.n == list.n);
    CHECK(memcmp(back.kids, list.kids, list.n * sizeof list.kids[0]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    cad_buf rest = {data + 1, size - 1};
    switch (data[0]) {
    case 'c': try_init(CAD_INIT_CENC, rest); break;
    case 'k': try_init(CAD_INIT_KEYIDS, rest); break;
    case 'w': try_init(CAD_INIT_WEBM, rest); break;
    default: try_licence(rest); break;
    }
    return 0;
}
