/* Goal: dumps equal the golden files byte for byte, and values are written by the common rules. */
#include "manifest_support.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"

/* tests/golden/manifest/NAME.json gives NAME.dump.json (made by cadmium-manifest, then read). */
static void assert_golden(const char *name)
{
    char path[128];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, path, sizeof(path));
    cad_sb_printf(&sb, "%s.json", name);
    cad_str document = test_read_golden(cad_sb_z(&sb));
    cad_sb_reset(&sb);
    cad_sb_printf(&sb, "%s.dump.json", name);
    cad_str expected = test_read_golden(cad_sb_z(&sb));
    struct outcome o = test_parse(document, NULL, 0);
    assert_int_equal(o.rc, 0);
    if (o.dump.n != expected.n || memcmp(o.dump.p, expected.p, expected.n) != 0) {
        fail_msg("%s:\n%.*s", name, (int)o.dump.n, (const char *)o.dump.p);
    }
    outcome_free(&o);
    test_free_text(&document);
    test_free_text(&expected);
}

static void test_dump_golden(void **state)
{
    (void)state;
    assert_golden("example-a");
    assert_golden("example-b");
    assert_golden("two-servers");
    assert_golden("odd-values");
}

static bool dump_has(const struct outcome *o, const char *part)
{
    return cad_str_find(cad_str_from_buf(o->dump), cad_str_from(part)) >= 0;
}

static void assert_dumped(const struct small *parts, const char *part)
{
    struct outcome o = parse_small(parts);
    assert_int_equal(o.rc, 0);
    if (!dump_has(&o, part)) {
        fail_msg("%s not in %.*s", part, (int)o.dump.n, (const char *)o.dump.p);
    }
    outcome_free(&o);
}

static void test_dump_seconds(void **state)
{
    (void)state;
    assert_dumped(&(struct small){.top = "\"duration\":1,"}, "\"duration_s\":0.001,");
    assert_dumped(&(struct small){.top = "\"duration\":60500,"}, "\"duration_s\":60.5,");
    assert_dumped(&(struct small){.top = "\"duration\":9223372036854,"},
                  "\"duration_s\":9223372036.854,");
    assert_dumped(&(struct small){.stream = "\"framerate_value\":30000,\"framerate_scale\":1001,"},
                  "\"frame_rate\":29.97003,");
    assert_dumped(&(struct small){.stream = "\"framerate_value\":1,\"framerate_scale\":2000000,"},
                  "\"frame_rate\":0.000001,");
    assert_dumped(&(struct small){.stream = "\"framerate_value\":1,\"framerate_scale\":2000001,"},
                  "\"frame_rate\":0,");
}

/* Texts are escaped as JSON, URLs as the rules say. */
static void test_dump_texts(void **state)
{
    (void)state;
    assert_dumped(&(struct small){.top = "\"playbackContextId\":\"\\\"\\\\\\n\","},
                  "\"x_context_id\":\"\\\"\\\\\\n\"");
    assert_dumped(&(struct small){.urls = "[{\"cdn_id\":1,"
                                          "\"url\":\"https://h1.test/{a}|%20b?c=[]\"}]"},
                  "\"url\":\"https://h1.test/%7Ba%7D%7C%20b?c=[]\"");
}

static void test_dump_of_a_file(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_presentation *p = NULL;
    cad_buf dump = {NULL, 0};
    assert_int_equal(cad_presentation_from_mp4(&alloc, CAD_STR("https://h/a.mp4"), &p), 0);
    assert_int_equal(cad_presentation_dump(p, &alloc, &dump), 0);
    static const char expected[] =
        "{\"format\":\"mp4\",\"type\":\"vod\",\"x_servers\":[{\"id\":\"h\",\"host\":\"h\"}],"
        "\"periods\":[{\"start_s\":0,\"tracks\":[{\"id\":\"0\",\"type\":\"other\",\"x_rank\":0,"
        "\"x_default\":true,"
        "\"representations\":[{\"id\":\"0\",\"url\":\"https://h/a.mp4\"}]}]}]}\n";
    assert_int_equal(dump.n, strlen(expected));
    assert_memory_equal(dump.p, expected, dump.n);
    cad_alloc_free(&alloc, (void *)(uintptr_t)dump.p, dump.n, CAD_MEM_OTHER);
    assert_int_equal(cad_presentation_dump(NULL, &alloc, &dump), CAD_E_INVAL);
    assert_int_equal(cad_presentation_dump(p, NULL, &dump), CAD_E_INVAL);
    assert_int_equal(cad_presentation_dump(p, &alloc, NULL), CAD_E_INVAL);
    cad_presentation_destroy(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dump_golden),
        cmocka_unit_test(test_dump_seconds),
        cmocka_unit_test(test_dump_texts),
        cmocka_unit_test(test_dump_of_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
