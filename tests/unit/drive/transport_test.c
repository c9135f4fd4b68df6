/* Reads of a body: summed, rising, and still spanning the whole of it when there are too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transport_reads),
        cmocka_unit_test(test_transport_reads_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
