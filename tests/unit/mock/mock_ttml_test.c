/* Goal: subtitles are what mock_ttml.h says of them, as the parser of lib/timedtext reads them: a
 * test that plays a title can work out what must be shown when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cadmium/text.h"

#include "base/mem.h"
#include "base/str.h"
#include "mock/mock_ttml.h"

static struct cad_text *make(const char *lang, cad_time duration)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_text_options options;
    struct cad_text_parser *parser = NULL;
    struct cad_text *text = NULL;
    struct cad_sb sb;
    int rc;
    cad_sb_init(&sb, &alloc, CAD_MEM_OTHER, 1u << 20);
    mock_ttml_write(&sb, lang, duration);
    assert_int_equal(cad_sb_error(&sb), 0);
    cad_text_options_init(&options);
    options.alloc = alloc;
    assert_int_equal(cad_text_parser_create(&options, &parser), 0);
    assert_int_equal(cad_text_parser_feed(parser, cad_buf_from_str(cad_sb_str(&sb)), true), 0);
    do rc = cad_text_parser_finish(parser, 4096, &text);
    while (rc == CAD_E_AGAIN);
    assert_int_equal(rc, 0);
    cad_text_parser_destroy(&parser);
    cad_sb_deinit(&sb);
    return text;
}

/* The text of the first paragraph at a time, breaks as "|"; the looks of its runs to *italic and
 * *yellow. Empty: nothing is shown. */
struct shown {
    char region[16], text[128];
    bool italic, yellow;
    enum cad_text_align align;
};

static void look(const struct cad_text_block *block, struct shown *out)
{
    while (block && block->kind == CAD_TEXT_BLOCK_DIV) block = block->blocks;
    assert_non_null(block);
    assert_int_equal(block->kind, CAD_TEXT_BLOCK_P);
    out->align = block->p.align;
    for (const struct cad_text_run *run = block->p.runs; run; run = run->next) {
        size_t n = strlen(out->text);
        bool text = run->kind == CAD_TEXT_RUN_TEXT;
        cad_str s = text ? run->text : CAD_STR("|");
        (void)snprintf(out->text + n, sizeof out->text - n, "%.*s", (int)s.n, s.p);
        out->italic = out->italic || (text && run->look.font_style == CAD_TEXT_ITALIC);
        out->yellow = out->yellow || (text && run->look.color == 0xffff00ff);
    }
}

static struct shown shown_at(const struct cad_text *text, cad_time t)
{
    struct cad_text_isd *isd = NULL;
    struct shown out = {.text = ""};
    assert_int_equal(cad_text_isd_at(text, t, &isd), 0);
    for (const struct cad_text_region *r = isd->regions; r; r = r->next) {
        if (!r->blocks) continue;
        cad_str_copyz(out.region, sizeof out.region, r->id);
        look(r->blocks, &out);
    }
    cad_text_isd_destroy(&isd);
    return out;
}

/* Cue n is there from its beginning and gone two seconds later, and nothing else. */
static void test_ttml_times(void **state)
{
    (void)state;
    struct cad_text *text = make("en", 61 * CAD_SECOND);
    assert_true(cad_str_eqz(cad_text_lang(text), "en"));
    for (int n = 1; n <= 24; n++) {
        char want[24];
        cad_time begin = (n - 1) * (5 * CAD_SECOND / 2) + CAD_SECOND / 2;
        (void)snprintf(want, sizeof want, "Cue %d: ", n);
        assert_string_equal(shown_at(text, begin - 1).text, "");
        assert_non_null(strstr(shown_at(text, begin).text, want));
        assert_non_null(strstr(shown_at(text, begin + 2 * CAD_SECOND - 1).text, want));
        assert_string_equal(shown_at(text, begin + 2 * CAD_SECOND).text, "");
    }
    cad_text_destroy(&text);
}

static void test_ttml_looks(void **state)
{
    (void)state;
    struct cad_text *text = make("de", 60 * CAD_SECOND);
    assert_true(cad_str_eqz(cad_text_lang(text), "de"));
    for (int n = 1; n <= 24; n++) {
        struct shown s = shown_at(text, (n - 1) * (5 * CAD_SECOND / 2) + CAD_SECOND);
        assert_non_null(strstr(s.text, "Untertitel"));
        assert_int_equal(strchr(s.text, '|') != NULL, n % 3 == 0);
        assert_int_equal(s.italic, n % 4 == 0);
        assert_int_equal(s.yellow, n % 5 == 0);
        assert_string_equal(s.region, n % 7 == 0 ? "top" : "bottom");
        assert_int_equal(s.align, CAD_TEXT_ALIGN_CENTER);
    }
    cad_text_destroy(&text);
}

/* The last cue ends with the title. */
static void test_ttml_ends_with_the_title(void **state)
{
    (void)state;
    struct cad_text *text = make("en", 4 * CAD_SECOND);
    assert_non_null(strstr(shown_at(text, 4 * CAD_SECOND - 1).text, "Cue 2: "));
    assert_string_equal(shown_at(text, 4 * CAD_SECOND).text, "");
    assert_int_equal(cad_text_next_change(text, 4 * CAD_SECOND), CAD_TIME_NONE);
    cad_text_destroy(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ttml_times),
        cmocka_unit_test(test_ttml_looks),
        cmocka_unit_test(test_ttml_ends_with_the_title),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
