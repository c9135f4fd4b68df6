/*
 * The feed of timed text: documents come to the callback with their configuration, each once, and a
 * configuration, a flush and the end of text take them back. Nothing that is pulled is kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "media/text_feed.h"
#include "track_data.h"

struct seen {
    uint32_t calls, documents;
    uint32_t epoch;
    char lang[24];
    char text[32];             /* empty: nothing is shown */
    struct cad_ref *kept;      /* the bytes may be kept */
    bool keep;
};

static void on_text(void *ctx, const struct cad_sample *text)
{
    struct seen *seen = ctx;
    seen->calls++;
    seen->epoch = text->epoch;
    assert_int_equal(text->config.type, CAD_MEDIA_TEXT);
    memset(seen->text, 0, sizeof(seen->text));
    memcpy(seen->lang, text->config.lang, sizeof(seen->lang));
    if (text->size == 0) {
        assert_int_equal(text->config.codec, CAD_CODEC_UNKNOWN);
        return;
    }
    assert_int_equal(text->config.codec, CAD_CODEC_TTML);
    assert_true(text->size < sizeof(seen->text));
    memcpy(seen->text, text->data, text->size);
    seen->documents++;
    if (seen->keep) seen->kept = cad_ref_ref(text->ref);
}

struct desk {
    struct sample_source source;
    struct cad_sink_source edge;
    struct cad_text_feed feed;
    struct seen seen;
};

static void desk_open(struct desk *desk)
{
    memset(desk, 0, sizeof(*desk));
    sample_source_init(&desk->source, NULL, NULL);
    desk->edge = sample_source_edge(&desk->source);
    cad_text_feed_init(&desk->feed, on_text, &desk->seen);
    cad_text_feed_reset(&desk->feed, desk->source.epoch);
}

static void desk_close(struct desk *desk)
{
    cad_text_feed_deinit(&desk->feed);
    assert_int_equal(sample_source_held(&desk->source), 0);
    sample_source_deinit(&desk->source);
}

static void step(struct desk *desk)
{
    while (cad_text_feed_step(&desk->feed, &desk->edge)) {}
}

static void test_text_feed_gives_each_document_once(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    step(&desk);
    assert_int_equal(desk.seen.calls, 0);
    sample_source_write(&desk.source, "en", "one");
    step(&desk);
    step(&desk);
    assert_int_equal(desk.seen.calls, 1);
    assert_string_equal(desk.seen.text, "one");
    assert_string_equal(desk.seen.lang, "en");
    sample_source_write(&desk.source, "de", "two");
    step(&desk);
    assert_string_equal(desk.seen.text, "two");
    assert_string_equal(desk.seen.lang, "de");
    sample_source_write(&desk.source, NULL, NULL);
    step(&desk);
    assert_string_equal(desk.seen.text, "");
    uint32_t calls = desk.seen.calls;
    sample_source_write(&desk.source, NULL, NULL); /* nothing new */
    step(&desk);
    assert_int_equal(desk.seen.calls, calls);
    assert_int_equal(desk.seen.documents, 2);
    desk_close(&desk);
}

static void test_text_feed_flush_takes_it_back(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    cad_text_feed_reset(&desk.feed, 1);
    assert_int_equal(desk.seen.calls, 0); /* there was nothing to take back */
    sample_source_seek(&desk.source, 1, 0);
    sample_source_write(&desk.source, "en", "one");
    step(&desk);
    sample_source_write(&desk.source, "fr", "stale");
    cad_text_feed_reset(&desk.feed, 2);
    assert_string_equal(desk.seen.text, "");
    assert_int_equal(desk.seen.epoch, 2);
    step(&desk);
    assert_int_equal(desk.seen.documents, 1);
    assert_int_equal(sample_source_held(&desk.source), 0);
    desk_close(&desk);
}

/* What comes before its flush waits for it, and one that is overtaken is let go. */
static void test_text_feed_early(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    sample_source_seek(&desk.source, 3, 0);
    sample_source_write(&desk.source, "en", "one");
    cad_text_feed_reset(&desk.feed, 2);
    step(&desk);
    assert_int_equal(desk.seen.documents, 0);
    assert_int_equal(desk.source.words_next, 1);
    cad_text_feed_reset(&desk.feed, 3);
    step(&desk);
    assert_string_equal(desk.seen.text, "one");
    sample_source_seek(&desk.source, 4, 0);
    sample_source_write(&desk.source, "de", "two");
    step(&desk);
    cad_text_feed_reset(&desk.feed, 5);
    step(&desk);
    assert_int_equal(desk.seen.documents, 1);
    desk_close(&desk);
}

/* Whoever wants the bytes for longer takes a reference, which outlives the feed. */
static void test_text_feed_bytes_may_be_kept(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    desk.seen.keep = true;
    sample_source_write(&desk.source, "en", "one");
    step(&desk);
    cad_text_feed_deinit(&desk.feed);
    assert_true(sample_source_held(&desk.source) > 0);
    cad_ref_unref(&desk.seen.kept);
    desk_close(&desk);
}

static void test_text_feed_without_callback(void **state)
{
    struct desk desk;
    (void)state;
    desk_open(&desk);
    cad_text_feed_init(&desk.feed, NULL, NULL);
    sample_source_write(&desk.source, "en", "one");
    step(&desk);
    cad_text_feed_reset(&desk.feed, 1);
    assert_int_equal(desk.source.words_next, 0);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_feed_gives_each_document_once),
        cmocka_unit_test(test_text_feed_flush_takes_it_back),
        cmocka_unit_test(test_text_feed_early),
        cmocka_unit_test(test_text_feed_bytes_may_be_kept),
        cmocka_unit_test(test_text_feed_without_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
