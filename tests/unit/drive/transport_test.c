/*
 * Reads of a body: summed, rising, and still spanning the whole of it when there are too many. And
 * which header lines are told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/util.h"
#include "drive/transport.h"

static void check_reads(const struct cad_transport_delivery *d)
{
    struct cad_http_end end;
    memset(&end, 0, sizeof end);
    cad_transport_tell_reads(d, &end);
    assert_in_range(end.read_count, 1, CAD_HTTP_READS_MAX);
    for (uint32_t i = 1; i < end.read_count; i++) {
        assert_true(end.reads[i].at > end.reads[i - 1].at);
        assert_true(end.reads[i].bytes > end.reads[i - 1].bytes);
    }
    assert_int_equal(end.reads[end.read_count - 1].bytes, d->received);
}

static void test_transport_reads(void **state)
{
    CAD_UNUSED(state);
    for (int count = 1; count < 200; count++) {
        struct cad_transport_delivery d = {.id = 1};
        for (int i = 1; i <= count; i++) {
            d.received += 10;
            cad_transport_note_read(&d, i);
        }
        check_reads(&d);
        assert_int_equal(d.reads[d.read_count - 1].at, count);
        if (count > CAD_HTTP_READS_MAX) assert_true(d.read_count >= CAD_HTTP_READS_MAX / 2);
        /* Each read that is left is a true one: 10 bytes a tick. */
        for (uint32_t i = 0; i < d.read_count; i++) {
            assert_int_equal(d.reads[i].bytes, 10 * d.reads[i].at);
        }
    }
}

/* What comes at one instant is one read. */
static void test_transport_reads_together(void **state)
{
    CAD_UNUSED(state);
    struct cad_transport_delivery d = {.id = 1};
    for (int i = 0; i < 100; i++) {
        d.received += 1;
        cad_transport_note_read(&d, 5 + i / 50);
    }
    assert_int_equal(d.read_count, 2);
    assert_int_equal(d.reads[0].bytes, 50);
    assert_int_equal(d.reads[1].bytes, 100);
    check_reads(&d);
}

/* Every name of the list is told, whatever its case; more than there is room for never happens. */
static void test_transport_tells_headers(void **state)
{
    CAD_UNUSED(state);
    struct cad_transport_told told = {.count = 0};
    cad_str names = CAD_STR(CAD_HTTP_HEADERS_TOLD);
    cad_str name;
    uint32_t n = 0;
    char big[1000];
    memset(big, 'v', sizeof big);
    while (cad_str_split(&names, ' ', &name)) {
        cad_transport_tell_header(&told, name, (cad_str){big, sizeof big - n});
        cad_transport_tell_header(&told, name, CAD_STR("again"));
        assert_int_equal(told.count, ++n);
        assert_true(cad_str_eq(told.headers[n - 1].name, name));
        assert_int_equal(told.headers[n - 1].value.n, CAD_TRANSPORT_TOLD_BYTES);
    }
    assert_true(n >= 6 && n <= CAD_HTTP_HEADERS_MAX);
    cad_transport_tell_header(&told, CAD_STR("authorization"), CAD_STR("secret"));
    cad_transport_tell_header(&told, CAD_STR(""), CAD_STR("x"));
    cad_transport_tell_header(&told, CAD_STR("via x-ftl-error"), CAD_STR("x"));
    assert_int_equal(told.count, n);
    told.count = 0;
    cad_transport_tell_header(&told, CAD_STR("VIA"), (cad_str){NULL, 0});
    assert_true(cad_str_eqz(told.headers[0].name, "via"));
    assert_int_equal(told.headers[0].value.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transport_reads),
        cmocka_unit_test(test_transport_reads_together),
        cmocka_unit_test(test_transport_tells_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
