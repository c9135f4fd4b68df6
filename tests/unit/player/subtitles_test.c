/*
 * Documents of timed text: read in slices, shown by time, taken back and brought again as a sink
 * does after a seek, and refused with a reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/ref.h"
#include "base/str.h"
#include "base/util.h"
#include "subtitles.h"
#include "text_dump.h"

#define HEAD                                                                                       \
    "<tt xmlns=\"http://www.w3.org/ns/ttml\" xmlns:tts=\"http://www.w3.org/ns/ttml#styling\">"
#define OUTPUT "subtitles-test-output.txt"

struct bench {
    struct cad_pool *pool;
    struct subtitles subtitles;
    int notified;
};

static void count(void *ctx)
{
    struct bench *b = ctx;
    b->notified++;
}

static void begin(struct bench *b)
{
    const struct cad_alloc alloc = cad_alloc_system();
    memset(b, 0, sizeof(*b));
    assert_int_equal(cad_pool_create(&alloc, 0, &b->pool), 0);
    assert_true(subtitles_init(&b->subtitles, count, b));
}

static void end(struct bench *b)
{
    subtitles_deinit(&b->subtitles);
    assert_int_equal(cad_pool_used_bytes(b->pool), 0); /* every reference was given back */
    cad_pool_destroy(&b->pool);
}

static struct cad_sample document(struct bench *b, const char *text, cad_time pts,
                                  cad_time duration)
{
    struct cad_sample sample = {.pts = pts, .duration = duration, .size = strlen(text)};
    assert_int_equal(cad_pool_get(b->pool, sample.size, &sample.ref), 0);
    memcpy(cad_ref_data(sample.ref), text, sample.size);
    sample.data = cad_ref_data(sample.ref);
    return sample;
}

/* Brought once; the sink's own reference goes. */
static void put(struct bench *b, const char *text, cad_time pts, cad_time duration)
{
    struct cad_sample sample = document(b, text, pts, duration);
    subtitles_put(&b->subtitles, &sample);
    cad_ref_unref(&sample.ref);
}

static void take_back(struct bench *b)
{
    struct cad_sample nothing = {.size = 0};
    subtitles_put(&b->subtitles, &nothing);
}

static const char *words(struct bench *b)
{
    static char text[512];
    struct cad_sb out;
    cad_sb_init_fixed(&out, text, sizeof(text));
    subtitles_words(b->subtitles.isd, &out);
    return cad_sb_z(&out);
}

/* Looks until all is read; whether something changed. */
static bool look(struct bench *b, cad_time t)
{
    bool changed = subtitles_look(&b->subtitles, t, SUBTITLES_WORK);
    while (subtitles_is_busy(&b->subtitles)) {
        if (subtitles_look(&b->subtitles, t, SUBTITLES_WORK)) changed = true;
    }
    return changed;
}

static const char two_cues[] =
    HEAD "<body><div><p begin=\"1s\" end=\"2s\">one</p><p begin=\"3s\" end=\"4s\">two<br/>lines"
         "</p></div></body></tt>";
static const char other[] = HEAD "<body><div><p begin=\"0s\" end=\"9s\">zwei</p></div></body></tt>";

static void test_subtitles_are_shown_by_time(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    assert_false(look(&b, 0));
    put(&b, two_cues, 10 * CAD_SECOND, 0);
    assert_int_equal(b.notified, 1);
    assert_false(look(&b, 9 * CAD_SECOND)); /* before the document */
    look(&b, 10 * CAD_SECOND);
    assert_string_equal(words(&b), "");
    assert_true(look(&b, 11 * CAD_SECOND));
    assert_string_equal(words(&b), "one");
    assert_int_equal(b.subtitles.begin, 11 * CAD_SECOND);
    assert_int_equal(b.subtitles.end, 12 * CAD_SECOND);
    assert_false(look(&b, 12 * CAD_SECOND - 1));
    assert_true(look(&b, 12 * CAD_SECOND));
    assert_string_equal(words(&b), "");
    assert_true(look(&b, 13500 * CAD_MS));
    assert_string_equal(words(&b), "two\nlines");
    assert_true(look(&b, 11 * CAD_SECOND)); /* back */
    assert_string_equal(words(&b), "one");
    end(&b);
}

/* As after a seek: nothing, then the same bytes, which are not read again. */
static void test_subtitles_are_not_read_twice(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    struct cad_sample sample = document(&b, two_cues, 0, 0);
    subtitles_put(&b.subtitles, &sample);
    assert_true(look(&b, 1500 * CAD_MS));
    const struct cad_text *text = b.subtitles.documents[0].text;
    assert_non_null(text);
    take_back(&b);
    assert_true(look(&b, 1500 * CAD_MS));
    assert_null(b.subtitles.isd);
    assert_false(look(&b, 3500 * CAD_MS));
    subtitles_put(&b.subtitles, &sample);
    assert_true(look(&b, 3500 * CAD_MS));
    assert_string_equal(words(&b), "two\nlines");
    assert_ptr_equal(b.subtitles.documents[0].text, text);
    assert_null(b.subtitles.documents[1].ref);
    cad_ref_unref(&sample.ref);
    end(&b);
}

/* Both between two looks. */
static void test_subtitles_of_another_language_replace(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    put(&b, two_cues, 0, 0);
    assert_true(look(&b, 1500 * CAD_MS));
    take_back(&b);
    put(&b, other, 0, 0);
    assert_true(look(&b, 1500 * CAD_MS));
    assert_string_equal(words(&b), "zwei");
    /* One that comes without the other having been taken back wins as well. */
    put(&b, two_cues, 0, 0);
    assert_true(look(&b, 1500 * CAD_MS));
    assert_string_equal(words(&b), "one");
    take_back(&b);
    assert_true(look(&b, 1500 * CAD_MS));
    assert_string_equal(words(&b), "");
    end(&b);
}

/* The next period's document is there before the first one's is over. */
static void test_subtitles_follow_each_other(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    put(&b, other, 0, 5 * CAD_SECOND);
    put(&b, two_cues, 5 * CAD_SECOND, 5 * CAD_SECOND);
    assert_true(look(&b, 5 * CAD_SECOND - 1));
    assert_string_equal(words(&b), "zwei");
    assert_int_equal(b.subtitles.end, 5 * CAD_SECOND); /* cut by the document's own */
    assert_true(look(&b, 6 * CAD_SECOND));
    assert_string_equal(words(&b), "one");
    assert_true(look(&b, 10 * CAD_SECOND));
    assert_null(b.subtitles.isd);
    for (int i = 0; i < 3 * SUBTITLES_MAX; i++) {
        put(&b, other, 20 * CAD_SECOND + i, 0);
        if (i % 5 == 0) look(&b, 0);
    }
    assert_true(look(&b, 21 * CAD_SECOND));
    assert_string_equal(words(&b), "zwei");
    end(&b);
}

/* 4000 cues, 1 KiB a look: shown when they are read, and never more at once. */
static void test_subtitles_are_read_in_slices(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    size_t cap = 4000 * 64 + 512;
    char *text = malloc(cap);
    assert_non_null(text);
    size_t n = (size_t)snprintf(text, cap, "%s<body><div>", HEAD);
    for (int i = 0; i < 4000; i++) {
        n += (size_t)snprintf(text + n, cap - n, "<p begin=\"%ds\" end=\"%ds\">cue %d</p>", i,
                              i + 1, i);
    }
    snprintf(text + n, cap - n, "</div></body></tt>");
    put(&b, text, 0, 0);
    int looks = 0;
    while (!subtitles_look(&b.subtitles, 3999500 * CAD_MS, 1024)) {
        assert_true(b.subtitles.documents[0].fed <= (size_t)(looks + 1) * 1024);
        looks++;
        assert_true(looks < 1000);
    }
    assert_true((size_t)looks >= strlen(text) / 1024);
    assert_string_equal(words(&b), "cue 3999");
    free(text);
    end(&b);
}

static void test_subtitles_that_are_broken_are_refused_once(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    put(&b, HEAD "\n<body><p>", 0, 0);
    assert_false(look(&b, 0));
    assert_int_equal(b.subtitles.failures, 1);
    assert_true(b.subtitles.error.message[0] != '\0');
    for (int i = 0; i < 3; i++) assert_false(look(&b, i));
    assert_int_equal(b.subtitles.failures, 1);
    put(&b, other, 0, 0);
    assert_true(look(&b, 0));
    end(&b);
}

/* Ruby's annotations and what is not to be seen are no words. */
static void test_subtitles_words_are_those_that_are_read(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    assert_string_equal(words(&b), "");
    put(&b, HEAD "<body><div><div><p>a<span>b</span></p></div><p tts:visibility=\"hidden\">no</p>"
                 "<p>c <span tts:visibility=\"hidden\">d</span>e</p></div>"
                 "<div><p><span tts:ruby=\"container\"><span tts:ruby=\"base\">f</span>"
                 "<span tts:ruby=\"text\">g</span></span></p></div></body></tt>", 0, 0);
    assert_true(look(&b, 0));
    assert_string_equal(words(&b), "ab\nc e\nf");
    end(&b);
}

static const char *dumped(void)
{
    static char text[1024];
    FILE *file = fopen(OUTPUT, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    remove(OUTPUT);
    return text;
}

/* What is reached has a line, when it is reached: sound counts only while there is no picture. */
static void test_dump_tells_what_is_reached(void **state)
{
    (void)state;
    struct bench b;
    struct text_dump dump;
    FILE *file = fopen(OUTPUT, "w");
    assert_non_null(file);
    begin(&b);
    assert_true(text_dump_init(&dump, file));
    struct cad_sample sample = document(&b, two_cues, 0, 0);
    subtitles_put(&dump.subtitles, &sample);
    cad_ref_unref(&sample.ref);
    text_dump_at(&dump, false, 0);
    text_dump_at(&dump, false, 1100 * CAD_MS);
    text_dump_at(&dump, true, 1000 * CAD_MS);
    text_dump_at(&dump, true, 1960 * CAD_MS);
    text_dump_at(&dump, false, 3100 * CAD_MS); /* heard before it is seen */
    text_dump_at(&dump, true, 2000 * CAD_MS);
    text_dump_at(&dump, true, 3000 * CAD_MS);
    text_dump_at(&dump, true, 1000 * CAD_MS); /* back */
    text_dump_deinit(&dump);
    fclose(file);
    assert_string_equal(dumped(), "1.000000000 2.000000000 one\n"
                                  "3.000000000 4.000000000 two\\nlines\n"
                                  "1.000000000 2.000000000 one\n");
    end(&b);
}

static void test_dump_lines_are_one_line_each(void **state)
{
    (void)state;
    FILE *file = fopen(OUTPUT, "w");
    assert_non_null(file);
    text_dump_line(file, 1, CAD_TIME_MAX, CAD_STR("a\\n\nb"));
    text_dump_line(file, CAD_TIME_NONE, 61 * CAD_SECOND + 1, CAD_STR("c"));
    fclose(file);
    assert_string_equal(dumped(), "0.000000001 - a\\\\n\\nb\n- 61.000000001 c\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subtitles_are_shown_by_time),
        cmocka_unit_test(test_subtitles_are_not_read_twice),
        cmocka_unit_test(test_subtitles_of_another_language_replace),
        cmocka_unit_test(test_subtitles_follow_each_other),
        cmocka_unit_test(test_subtitles_are_read_in_slices),
        cmocka_unit_test(test_subtitles_that_are_broken_are_refused_once),
        cmocka_unit_test(test_subtitles_words_are_those_that_are_read),
        cmocka_unit_test(test_dump_tells_what_is_reached),
        cmocka_unit_test(test_dump_lines_are_one_line_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
