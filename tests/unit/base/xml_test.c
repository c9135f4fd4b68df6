/* Goal: elements, resolved names and text come out the same however the bytes are cut; every limit
 * holds; a document type is refused; memory that fails, ours or expat's, ends in CAD_E_NOMEM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "base/xml.h"
#include "support/failing_alloc.h"

#define TRACE_BYTES_MAX (1u << 20)

/* What the handler saw, as text: "<name{ns} a{ns}=v>" "text" "/". */
struct trace {
    struct cad_sb text;
    struct cad_xml *xml;
    int fail_at; /* the element, from 1, whose opening the handler refuses */
    int elements;
};

static int on_open(void *ctx, const struct cad_xml_element *e)
{
    struct trace *t = ctx;
    if (++t->elements == t->fail_at) return CAD_E_UNSUPPORTED;
    cad_sb_printf(&t->text, "<%.*s", CAD_STR_ARG(e->name));
    if (e->ns.n > 0) cad_sb_printf(&t->text, "{%.*s}", CAD_STR_ARG(e->ns));
    for (uint32_t i = 0; i < e->attribute_count; i++) {
        const struct cad_xml_attribute *a = &e->attributes[i];
        cad_sb_printf(&t->text, " %.*s", CAD_STR_ARG(a->name));
        if (a->ns.n > 0) cad_sb_printf(&t->text, "{%.*s}", CAD_STR_ARG(a->ns));
        cad_sb_printf(&t->text, "=%.*s", CAD_STR_ARG(a->value));
    }
    cad_sb_putc(&t->text, '>');
    return 0;
}

static int on_close(void *ctx)
{
    struct trace *t = ctx;
    cad_sb_putc(&t->text, '/');
    return 0;
}

static int on_text(void *ctx, cad_str piece)
{
    struct trace *t = ctx;
    cad_sb_put(&t->text, piece);
    return 0;
}

struct run {
    int rc;
    uint32_t line;
    char message[CAD_XML_MESSAGE_SIZE];
    struct trace trace;
};

/* Feeds slices of so many bytes (0: all at once). */
static struct run parse(cad_str document, size_t slice, const struct cad_xml_limits *limits,
                        int fail_at)
{
    struct run r;
    struct cad_alloc alloc = cad_alloc_system();
    memset(&r, 0, sizeof(r));
    r.trace.fail_at = fail_at;
    cad_sb_init(&r.trace.text, &alloc, CAD_MEM_OTHER, TRACE_BYTES_MAX);
    struct cad_xml_handler handler = {&r.trace, on_open, on_close, on_text};
    assert_int_equal(cad_xml_create(&alloc, limits, &handler, &r.trace.xml), 0);
    if (slice == 0) slice = document.n;
    size_t at = 0;
    do {
        cad_str part = cad_str_sub(document, at, slice);
        at += part.n;
        r.rc = cad_xml_feed(r.trace.xml, cad_buf_from_str(part), at == document.n);
    } while (r.rc == 0 && at < document.n);
    if (r.rc != 0) {
        assert_int_equal(cad_xml_feed(r.trace.xml, (cad_buf){NULL, 0}, true), r.rc);
        r.line = cad_xml_line(r.trace.xml);
        (void)cad_str_copyz(r.message, sizeof(r.message),
                            cad_str_from(cad_xml_message(r.trace.xml)));
    }
    cad_xml_destroy(&r.trace.xml);
    assert_null(r.trace.xml);
    return r;
}

static void assert_trace(const char *document, const char *expected)
{
    cad_str text = cad_str_from(document);
    for (size_t slice = 0; slice <= text.n; slice = slice < 4 ? slice + 1 : slice * 3) {
        struct run r = parse(text, slice, NULL, 0);
        if (r.rc != 0) fail_msg("%s: %s", document, r.message);
        assert_string_equal(cad_sb_z(&r.trace.text), expected);
        cad_sb_deinit(&r.trace.text);
    }
}

static void assert_refused(cad_str text, const struct cad_xml_limits *limits, int rc,
                           uint32_t line)
{
    struct run r = parse(text, 0, limits, 0);
    assert_int_equal(r.rc, rc);
    assert_int_equal(r.line, line);
    assert_true(r.message[0] != '\0');
    cad_sb_deinit(&r.trace.text);
}

static void test_xml_elements_and_text(void **state)
{
    (void)state;
    assert_trace("<a/>", "<a>/");
    assert_trace("<?xml version=\"1.0\"?>\n<a x=\"1\" y='&lt;&#65;&amp;'>t&gt;<b/>u</a>\n",
                 "<a x=1 y=<A&>t><b>/u/");
    assert_trace("<a><![CDATA[<x>&]]><!-- no --><?no pi?></a>", "<a><x>&/");
    assert_trace("\xef\xbb\xbf<a>\xc3\xa9</a>", "<a>\xc3\xa9/");
    assert_trace("<a x=\"1\r\n2\">1\r\n2</a>", "<a x=1 2>1\n2/");
}

static void test_xml_namespaces(void **state)
{
    (void)state;
    assert_trace("<a xmlns=\"u\"><b x=\"1\"/></a>", "<a{u}><b{u} x=1>//");
    assert_trace("<a xmlns=\"\"/>", "<a>/");
    assert_trace("<p:a xmlns:p=\"u\" p:x=\"1\" y=\"2\"><c/></p:a>", "<a{u} x{u}=1 y=2><c>//");
    assert_trace("<a xmlns=\"u\"><b xmlns=\"v\"><c/></b><d/></a>", "<a{u}><b{v}><c{v}>//<d{u}>//");
    assert_trace("<a xmlns=\"u\"><b xmlns=\"\"/></a>", "<a{u}><b>//");
    assert_trace("<a xmlns:p=\"u\"><p:b xmlns:p=\"v\"/><p:b/></a>", "<a><b{v}>/<b{u}>//");
}

/* Published documents use prefixes that they never declared. */
static void test_xml_undeclared_prefixes(void **state)
{
    (void)state;
    assert_trace("<a><cenc:pssh/></a>", "<a><pssh{urn:mpeg:cenc:2013}>//");
    assert_trace("<a xlink:href=\"x\"/>", "<a href{http://www.w3.org/1999/xlink}=x>/");
    assert_trace("<a xmlns:cenc=\"other\"><cenc:b/></a>", "<a><b{other}>//");
    assert_trace("<foo:a bar:x=\"1\"/>", "<a x=1>/");
    assert_trace("<a xml:lang=\"en\"/>", "<a lang{http://www.w3.org/XML/1998/namespace}=en>/");
}

static void test_xml_utf16(void **state)
{
    (void)state;
    static const char text[] = "<a x=\"1\">z</a>";
    char memory[2 * sizeof(text)];
    for (int big = 0; big < 2; big++) {
        size_t n = 0;
        memory[n++] = big ? '\xfe' : '\xff';
        memory[n++] = big ? '\xff' : '\xfe';
        for (size_t i = 0; i + 1 < sizeof(text); i++) {
            memory[n++] = big ? '\0' : text[i];
            memory[n++] = big ? text[i] : '\0';
        }
        for (size_t slice = 0; slice < 3; slice++) {
            struct run r = parse(cad_str_make(memory, n), slice, NULL, 0);
            assert_int_equal(r.rc, 0);
            assert_string_equal(cad_sb_z(&r.trace.text), "<a x=1>z/");
            cad_sb_deinit(&r.trace.text);
        }
    }
}

static void test_xml_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t line;
    } cases[] = {
        {"", 1},
        {"  ", 1},
        {"x", 1},
        {"<a>", 1},
        {"<a></b>", 1},
        {"<a>\n</a><b/>", 2},
        {"<a\n x=\"1\" x=\"2\"/>", 2},
        {"<a>&nope;</a>", 1},
        {"<a>\n\n&#0;</a>", 3},
        {"<a>\xff</a>", 1},
        {"<!DOCTYPE a><a/>", 1},
        {"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", 1},
        {"\n<!DOCTYPE a SYSTEM \"http://h/x\"><a/>", 2},
        {"<?xml version=\"1.0\" encoding=\"nope\"?><a/>", 1},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        assert_refused(cad_str_from(cases[i].text), NULL, CAD_E_DATA, cases[i].line);
    }
    assert_refused(cad_str_make("<a>\0</a>", 8), NULL, CAD_E_DATA, 1);
}

static void test_xml_every_truncation(void **state)
{
    (void)state;
    cad_str text = CAD_STR("<?xml version=\"1.0\"?><a xmlns:p=\"u\" p:x=\"1\">t<p:b/>"
                           "<![CDATA[c]]></a>");
    for (size_t n = 0; n < text.n; n++) {
        struct run r = parse(cad_str_sub(text, 0, n), 0, NULL, 0);
        assert_int_equal(r.rc, CAD_E_DATA);
        cad_sb_deinit(&r.trace.text);
    }
}

static void test_xml_handler_ends_it(void **state)
{
    (void)state;
    struct run r = parse(CAD_STR("<a>\n<b/>\n<c/></a>"), 0, NULL, 3);
    assert_int_equal(r.rc, CAD_E_UNSUPPORTED);
    assert_int_equal(r.line, 3);
    assert_string_equal(r.message, "");
    assert_string_equal(cad_sb_z(&r.trace.text), "<a>\n<b>/\n");
    cad_sb_deinit(&r.trace.text);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void assert_limit(const char *fits, const char *over, struct cad_xml_limits limits)
{
    for (size_t slice = 0; slice < 3; slice++) {
        struct run r = parse(cad_str_from(fits), slice, &limits, 0);
        if (r.rc != 0) fail_msg("%s: %s", fits, r.message);
        cad_sb_deinit(&r.trace.text);
        r = parse(cad_str_from(over), slice, &limits, 0);
        assert_int_equal(r.rc, CAD_E_LIMIT);
        cad_sb_deinit(&r.trace.text);
    }
}

static void test_xml_limits(void **state)
{
    (void)state;
    assert_limit("<a><b/></a>", "<a><b><c/></b></a>", (struct cad_xml_limits){.depth = 2});
    assert_limit("<a x='1' y='2'/>", "<a x='1' y='2' z='3'/>",
                 (struct cad_xml_limits){.attributes = 2});
    assert_limit("<a xmlns='u' y='2'/>", "<a xmlns='u' y='2' z='3'/>",
                 (struct cad_xml_limits){.attributes = 2});
    assert_limit("<abcd/>", "<abcde/>", (struct cad_xml_limits){.name_bytes = 4});
    assert_limit("<a bcde='1'/>", "<a bcdef='1'/>", (struct cad_xml_limits){.name_bytes = 4});
    assert_limit("<a b='1234'/>", "<a b='12345'/>", (struct cad_xml_limits){.value_bytes = 4});
    assert_limit("<a b='345'/>", "<a b='3456'/>", (struct cad_xml_limits){.token_bytes = 12});
    assert_limit("<a><!--56--></a>", "<a><!--56789012345--></a>",
                 (struct cad_xml_limits){.token_bytes = 12});
    assert_limit("<a><?p 567890?></a>", "<a><?p 56789012345?></a>",
                 (struct cad_xml_limits){.token_bytes = 12});
    assert_limit("<a><b/><b/></a>", "<a><b/><b/><b/></a>",
                 (struct cad_xml_limits){.elements = 3});
    assert_limit("<a>12<b/>3</a>", "<a>12<b/>34</a>", (struct cad_xml_limits){.text_bytes = 3});
    assert_limit("<a>12</a>", "<a>123</a>", (struct cad_xml_limits){.total_bytes = 9});
    assert_limit("<a xmlns='u'><b xmlns='v'/><b xmlns='v'/></a>",
                 "<a xmlns='u'><b xmlns='v'><c xmlns='w'/></b></a>",
                 (struct cad_xml_limits){.namespaces = 2});
}

/* The text of all declarations in force is limited, whatever their number. */
static void test_xml_namespace_bytes(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb text;
    struct cad_xml_limits limits = {.value_bytes = 60000};
    for (uint32_t n = 1; n <= 2; n++) {
        cad_sb_init(&text, &alloc, CAD_MEM_OTHER, 1u << 20);
        cad_sb_putz(&text, "<a");
        for (uint32_t i = 0; i < n; i++) {
            cad_sb_printf(&text, " xmlns:p%u='", i);
            for (uint32_t k = 0; k < 50000; k++) cad_sb_putc(&text, 'u');
            cad_sb_putc(&text, '\'');
        }
        cad_sb_putz(&text, "/>");
        struct run r = parse(cad_sb_str(&text), 0, &limits, 0);
        assert_int_equal(r.rc, n == 1 ? 0 : CAD_E_LIMIT);
        cad_sb_deinit(&r.trace.text);
        cad_sb_deinit(&text);
    }
}

/* An attribute that never ends is refused as soon as it is too long, not when it is whole. */
static void test_xml_pending_token(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct trace t = {0};
    struct cad_xml_limits limits = {.token_bytes = 1000};
    struct cad_xml_handler handler = {&t, on_open, on_close, NULL};
    cad_sb_init(&t.text, &alloc, CAD_MEM_OTHER, TRACE_BYTES_MAX);
    assert_int_equal(cad_xml_create(&alloc, &limits, &handler, &t.xml), 0);
    int rc = cad_xml_feed(t.xml, cad_buf_from_str(CAD_STR("<a x='")), false);
    size_t fed = 6;
    while (rc == 0) {
        rc = cad_xml_feed(t.xml, cad_buf_from_str(CAD_STR("0123456789")), false);
        fed += 10;
    }
    assert_int_equal(rc, CAD_E_LIMIT);
    assert_in_range(fed, 1001, 2030);
    cad_xml_destroy(&t.xml);
    cad_sb_deinit(&t.text);
}

static void test_xml_arguments(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_xml *xml = NULL;
    struct cad_xml_handler handler = {NULL, on_open, on_close, NULL};
    struct cad_xml_handler empty = {NULL, NULL, on_close, NULL};
    assert_int_equal(cad_xml_create(NULL, NULL, &handler, &xml), CAD_E_INVAL);
    assert_int_equal(cad_xml_create(&alloc, NULL, NULL, &xml), CAD_E_INVAL);
    assert_int_equal(cad_xml_create(&alloc, NULL, &empty, &xml), CAD_E_INVAL);
    assert_int_equal(cad_xml_create(&alloc, NULL, &handler, NULL), CAD_E_INVAL);
    assert_int_equal(cad_xml_feed(NULL, (cad_buf){NULL, 0}, true), CAD_E_INVAL);
    assert_int_equal(cad_xml_line(NULL), 0);
    assert_string_equal(cad_xml_message(NULL), "");
    cad_xml_destroy(&xml);
    cad_xml_destroy(NULL);
}

static void test_xml_no_memory(void **state)
{
    (void)state;
    cad_str text = CAD_STR("<a xmlns='u'><b xmlns='v'>t</b></a>");
    for (uint64_t at = 1;; at++) {
        struct cad_failing f;
        struct cad_alloc system = cad_alloc_system();
        struct trace t = {0};
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        struct cad_xml_handler handler = {&t, on_open, on_close, on_text};
        cad_sb_init(&t.text, &system, CAD_MEM_OTHER, TRACE_BYTES_MAX);
        int rc = cad_xml_create(&alloc, NULL, &handler, &t.xml);
        if (rc == 0) rc = cad_xml_feed(t.xml, cad_buf_from_str(text), true);
        assert_int_equal(rc, f.failed > 0 ? CAD_E_NOMEM : 0);
        cad_xml_destroy(&t.xml);
        cad_sb_deinit(&t.text);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        if (f.failed == 0) break;
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xml_elements_and_text),
        cmocka_unit_test(test_xml_namespaces),
        cmocka_unit_test(test_xml_undeclared_prefixes),
        cmocka_unit_test(test_xml_utf16),
        cmocka_unit_test(test_xml_malformed),
        cmocka_unit_test(test_xml_every_truncation),
        cmocka_unit_test(test_xml_handler_ends_it),
        cmocka_unit_test(test_xml_limits),
        cmocka_unit_test(test_xml_namespace_bytes),
        cmocka_unit_test(test_xml_pending_token),
        cmocka_unit_test(test_xml_arguments),
        cmocka_unit_test(test_xml_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
