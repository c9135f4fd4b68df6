/* Goal: what is stored comes back; torn, cut or forged bytes never do, and never hurt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/rand.h"
#include "base/str.h"
#include "support/failing_alloc.h"
#include "telemetry/gzip.h"
#include "telemetry/record.h"

static const char fixed[] = "\"xid\":\"x\",\"mediaId\":\"m\"";

static void write_journal(struct cad_sb *out, uint32_t events)
{
    static struct tel_journal_data d;
    static char body[] = "{\"a\":1}";
    memset(&d, 0, sizeof(d));
    cad_str_copyz(d.xid.p, sizeof(d.xid.p), CAD_STR("x"));
    cad_str_copyz(d.title.p, sizeof(d.title.p), CAD_STR("m"));
    cad_str_copyz(d.fixed, sizeof(d.fixed), CAD_STR(fixed));
    d.fixed_n = strlen(fixed);
    d.seq_next = events;
    d.position_ms = 4711;
    d.started_ms = 17;
    memset(d.stop_id, 0x5a, sizeof(d.stop_id));
    d.event_count = events;
    for (uint32_t i = 0; i < events; i++) {
        struct tel_event *e = &d.events[i];
        *e = (struct tel_event){.type = TEL_EVENT_PAUSE, .seq = i, .attempts = i, .wall_ms = 9};
        e->body = body;
        e->body_n = strlen(body);
    }
    cad_sb_reset(out);
    tel_journal_write(&d, out);
    assert_int_equal(cad_sb_error(out), 0);
}

static void open_sb(struct cad_sb *sb)
{
    struct cad_alloc alloc = cad_alloc_system();
    cad_sb_init(sb, &alloc, CAD_MEM_OTHER, 1u << 20);
}

static int read_journal(cad_buf in)
{
    static struct tel_journal_data d;
    struct cad_alloc alloc = cad_alloc_system();
    memset(&d, 0, sizeof(d));
    int err = tel_journal_read(in, &alloc, &d);
    if (err) assert_int_equal(d.event_count, 0);
    tel_journal_clear(&d, &alloc);
    return err;
}

/* The length and the CRC say that the bytes are as they were meant. */
static void seal(uint8_t *p, size_t n)
{
    cad_put_be32(p + 4, (uint32_t)(n - TEL_HEAD_BYTES));
    cad_put_be32(p + 8, (uint32_t)crc32(0, p + TEL_HEAD_BYTES, (uInt)(n - TEL_HEAD_BYTES)));
}

static void test_record_comes_back(void **state)
{
    (void)state;
    static struct tel_journal_data d;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb sb;
    open_sb(&sb);
    write_journal(&sb, 3);
    memset(&d, 0, sizeof(d));
    assert_int_equal(tel_journal_read(cad_buf_from_str(cad_sb_str(&sb)), &alloc, &d), 0);
    assert_string_equal(d.xid.p, "x");
    assert_int_equal(d.position_ms, 4711);
    assert_int_equal(d.started_ms, 17);
    assert_int_equal(d.fixed_n, strlen(fixed));
    assert_int_equal(d.event_count, 3);
    assert_int_equal(d.events[2].attempts, 2);
    assert_memory_equal(d.events[2].body, "{\"a\":1}", 7);
    tel_journal_clear(&d, &alloc);
    cad_sb_deinit(&sb);
}

static void test_record_refuses_cuts_and_flips(void **state)
{
    (void)state;
    struct cad_sb sb;
    open_sb(&sb);
    write_journal(&sb, 2);
    cad_buf whole = cad_buf_from_str(cad_sb_str(&sb));
    for (size_t n = 0; n < whole.n; n++) {
        uint8_t *copy = malloc(n ? n : 1); /* of its own size, so that a byte too far is seen */
        assert_non_null(copy);
        memcpy(copy, whole.p, n);
        assert_int_equal(read_journal((cad_buf){copy, n}), CAD_E_DATA);
        /* The same cut, with a head that agrees. */
        if (n > TEL_HEAD_BYTES) seal(copy, n);
        assert_int_equal(read_journal((cad_buf){copy, n}), CAD_E_DATA);
        free(copy);
    }
    for (size_t i = 0; i < whole.n; i++) {
        sb.p[i] = (char)(sb.p[i] ^ 1);
        assert_int_equal(read_journal(cad_buf_from_str(cad_sb_str(&sb))), CAD_E_DATA);
        sb.p[i] = (char)(sb.p[i] ^ 1);
    }
    assert_int_equal(read_journal(cad_buf_from_str(cad_sb_str(&sb))), 0);
    cad_sb_deinit(&sb);
}

static void test_record_survives_forgery(void **state)
{
    (void)state;
    struct cad_rng rng;
    struct cad_sb sb;
    cad_rng_init(&rng, 3);
    open_sb(&sb);
    for (int i = 0; i < 20000; i++) {
        write_journal(&sb, 2);
        uint64_t flips = 1 + cad_rng_below(&rng, 4);
        for (uint64_t k = 0; k < flips; k++) {
            size_t at = (size_t)cad_rng_below(&rng, sb.n);
            sb.p[at] = (char)cad_rng_u64(&rng);
        }
        memcpy(sb.p, "CEV1", 4);
        seal((uint8_t *)sb.p, sb.n);
        int err = read_journal(cad_buf_from_str(cad_sb_str(&sb)));
        assert_true(err == 0 || err == CAD_E_DATA);
    }
    cad_sb_deinit(&sb);
}

static void test_record_limits_events(void **state)
{
    (void)state;
    struct cad_sb sb;
    open_sb(&sb);
    write_journal(&sb, CAD_TELEMETRY_EVENTS_MAX);
    assert_int_equal(read_journal(cad_buf_from_str(cad_sb_str(&sb))), 0);
    /* The count stands behind the fixed members; one more event than there may be. */
    size_t at = TEL_HEAD_BYTES + 2 + 4 + 3 * 8 + 16 + (4 + 1) + (4 + 1) + 4 + 4 + strlen(fixed);
    assert_int_equal((uint8_t)sb.p[at], CAD_TELEMETRY_EVENTS_MAX);
    sb.p[at]++;
    seal((uint8_t *)sb.p, sb.n);
    assert_int_equal(read_journal(cad_buf_from_str(cad_sb_str(&sb))), CAD_E_DATA);
    cad_sb_deinit(&sb);
}

static void test_record_survives_failing_memory(void **state)
{
    (void)state;
    static struct tel_journal_data d;
    struct cad_sb sb;
    open_sb(&sb);
    write_journal(&sb, 5);
    for (uint64_t at = 1;; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        memset(&d, 0, sizeof(d));
        int err = tel_journal_read(cad_buf_from_str(cad_sb_str(&sb)), &alloc, &d);
        assert_true(err == 0 || err == CAD_E_NOMEM);
        tel_journal_clear(&d, &alloc);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        if (!f.failed) break;
    }
    cad_sb_deinit(&sb);
}

static void test_record_batch_comes_back(void **state)
{
    (void)state;
    struct cad_sb sb;
    struct tel_batch_data d = {.entries = 3, .attempts = 2, .gzip = true}, back;
    open_sb(&sb);
    memset(d.reqid, 7, sizeof(d.reqid));
    d.body = cad_buf_from_str(CAD_STR("body"));
    tel_batch_write(&d, &sb);
    cad_buf whole = cad_buf_from_str(cad_sb_str(&sb));
    assert_int_equal(tel_batch_read(whole, &back), 0);
    assert_int_equal(back.entries, 3);
    assert_int_equal(back.attempts, 2);
    assert_true(back.gzip);
    assert_memory_equal(back.reqid, d.reqid, sizeof(d.reqid));
    assert_memory_equal(back.body.p, "body", 4);
    for (size_t n = 0; n < whole.n; n++) {
        assert_int_equal(tel_batch_read((cad_buf){whole.p, n}, &back), CAD_E_DATA);
    }
    cad_sb_deinit(&sb);
}

static void test_gzip_gives_the_same_bytes(void **state)
{
    (void)state;
    struct cad_sb a, b;
    char text[5000], back[6000];
    struct cad_rng rng;
    cad_rng_init(&rng, 1);
    for (size_t i = 0; i < sizeof(text); i++) text[i] = (char)('a' + cad_rng_below(&rng, 6));
    cad_buf in = {(const uint8_t *)text, sizeof(text)};
    struct cad_alloc system = cad_alloc_system();
    open_sb(&a);
    open_sb(&b);
    assert_int_equal(tel_gzip(in, &system, &a), 0);
    assert_int_equal(tel_gzip(in, &system, &b), 0);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.p, b.p, a.n);
    /* No name, no time, no system: RFC 1952 2.3. */
    static const uint8_t head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};
    assert_memory_equal(a.p, head, sizeof(head));
    z_stream z;
    memset(&z, 0, sizeof(z));
    assert_int_equal(inflateInit2(&z, 31), Z_OK);
    z.next_in = (Bytef *)a.p;
    z.avail_in = (uInt)a.n;
    z.next_out = (Bytef *)back;
    z.avail_out = sizeof(back);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, sizeof(text));
    assert_memory_equal(back, text, sizeof(text));
    inflateEnd(&z);
    for (uint64_t at = 1;; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        cad_sb_reset(&a);
        int err = tel_gzip(in, &alloc, &a);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        if (!f.failed) break;
        assert_int_equal(err, CAD_E_NOMEM);
    }
    cad_sb_deinit(&a);
    cad_sb_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_comes_back),
        cmocka_unit_test(test_record_refuses_cuts_and_flips),
        cmocka_unit_test(test_record_survives_forgery),
        cmocka_unit_test(test_record_limits_events),
        cmocka_unit_test(test_record_survives_failing_memory),
        cmocka_unit_test(test_record_batch_comes_back),
        cmocka_unit_test(test_gzip_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
