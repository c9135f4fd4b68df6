/* Goal: when any allocation fails, expat's own among them, a parse ends in CAD_E_NOMEM and nothing
 * else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/xml.h"
#include "unit/base/failing_malloc.h"

static int on_open(void *ctx, const struct cad_xml_element *element)
{
    (void)element;
    ++*(uint32_t *)ctx;
    return 0;
}

static int on_close(void *ctx)
{
    (void)ctx;
    return 0;
}

static int on_text(void *ctx, cad_str piece)
{
    (void)ctx;
    (void)piece;
    return 0;
}

/* Long names and values, so that expat's buffers grow more than once. */
static const char document[] =
    "<?xml version=\"1.0\"?><root xmlns=\"u\" attribute-one=\"0123456789\" two=\"&lt;\">"
    "<child-with-a-rather-long-name a=\"1\" b=\"2\" c=\"3\" d=\"4\" e=\"5\" f=\"6\" g=\"7\" "
    "h=\"0123456789012345678901234567890123456789012345678901234567890123456789\"/>"
    "<p:x xmlns:p=\"v\">text<![CDATA[more]]></p:x></root>";

static int parse(size_t slice, uint32_t *elements)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_xml *xml = NULL;
    struct cad_xml_handler handler = {elements, on_open, on_close, on_text};
    cad_str text = CAD_STR(document);
    int rc = cad_xml_create(&alloc, NULL, &handler, &xml);
    for (size_t at = 0; rc == 0 && at < text.n;) {
        cad_str part = cad_str_sub(text, at, slice);
        at += part.n;
        rc = cad_xml_feed(xml, cad_buf_from_str(part), at == text.n);
    }
    cad_xml_destroy(&xml);
    return rc;
}

static void test_xml_every_allocation_fails(void **state)
{
    (void)state;
    static const size_t slices[] = {7, sizeof(document)};
    for (size_t i = 0; i < 2; i++) {
        uint64_t at = 1;
        for (;; at++) {
            uint32_t elements = 0;
            failing_malloc_arm(at);
            int rc = parse(slices[i], &elements);
            uint64_t failed = failing_malloc_disarm();
            if (failed == 0) {
                assert_int_equal(rc, 0);
                assert_int_equal(elements, 3);
                break;
            }
            assert_int_equal(rc, CAD_E_NOMEM);
        }
        /* Two of ours at least, and expat makes several. */
        assert_true(at > 6);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xml_every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
