/* Goal: of a media body a tape keeps everything but payload, however the body is cut to pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/util.h"
#include "cadmium/tape.h"
#include "drive/tape_boxes.h"

#define BODY_MAX 512

struct body {
    uint8_t bytes[BODY_MAX];
    bool keep[BODY_MAX];
    size_t n;
};

/* A box with `payload` bytes; large: a 64-bit size. */
static void add(struct body *b, const char *type, size_t payload, bool large)
{
    size_t head = large ? 16 : 8;
    bool keep = strcmp(type, "mdat") != 0 && strcmp(type, "free") != 0;
    uint8_t *p = b->bytes + b->n;
    cad_put_be32(p, large ? 1 : (uint32_t)(head + payload));
    memcpy(p + 4, type, 4);
    if (large) cad_put_be64(p + 8, head + payload);
    memset(p + head, 0x55, payload);
    for (size_t i = 0; i < head + payload; i++) b->keep[b->n + i] = keep || i < head;
    b->n += head + payload;
}

static void fill(struct body *b)
{
    memset(b, 0, sizeof(*b));
    add(b, "styp", 12, false);
    add(b, "moof", 70, false);
    add(b, "mdat", 100, false);
    add(b, "free", 9, false);
    add(b, "emsg", 0, false);
    add(b, "moof", 30, true);
    add(b, "mdat", 60, true);
    add(b, "mdat", 0, false);
    add(b, "sidx", 20, false);
}

/* Bytes [from, to) in pieces of `piece`. */
static void go(struct tape_boxes *boxes, const struct body *b, size_t from, size_t to, size_t piece)
{
    while (from < to) {
        size_t n = CAD_MIN(piece, to - from);
        bool keep;
        size_t span = tape_boxes_next(boxes, b->bytes + from, n, &keep);
        assert_in_range(span, 1, n);
        for (size_t i = 0; i < span; i++) assert_int_equal(b->keep[from + i], keep);
        from += span;
    }
}

static void test_tape_boxes_in_pieces_of_any_size(void **state)
{
    CAD_UNUSED(state);
    static struct body b;
    fill(&b);
    for (size_t piece = 1; piece <= b.n; piece++) {
        struct tape_boxes boxes;
        tape_boxes_init(&boxes);
        go(&boxes, &b, 0, b.n, piece);
        assert_true(tape_boxes_fresh(&boxes));
    }
}

static void test_tape_boxes_go_on_where_another_broke_off(void **state)
{
    CAD_UNUSED(state);
    static struct body b;
    fill(&b);
    for (size_t at = 0; at <= b.n; at++) {
        struct tape_boxes first, second;
        tape_boxes_init(&first);
        go(&first, &b, 0, at, 7);
        second = first;
        go(&second, &b, at, b.n, 11);
        assert_true(tape_boxes_fresh(&second));
    }
}

static void test_tape_boxes_with_payload_that_has_a_length_only(void **state)
{
    CAD_UNUSED(state);
    static struct body b;
    memset(&b, 0, sizeof(b));
    add(&b, "mdat", 100, false);
    add(&b, "moof", 8, false);
    struct tape_boxes boxes;
    tape_boxes_init(&boxes);
    go(&boxes, &b, 0, 8, 8);
    bool keep;
    assert_int_equal(tape_boxes_next(&boxes, NULL, 100, &keep), 100);
    assert_false(keep);
    go(&boxes, &b, 108, b.n, 3);
    assert_true(tape_boxes_fresh(&boxes));
    /* A hole where a header should be: nothing is known any more. */
    (void)tape_boxes_next(&boxes, NULL, 4, &keep);
    assert_int_equal(boxes.state, TAPE_BOXES_UNKNOWN);
}

static void test_tape_boxes_know_what_is_none(void **state)
{
    CAD_UNUSED(state);
    static const char *const bad[] = {
        "\0\0\0\7moof", "\0\0\0\x10\1\2\3\4", "\x10\0\0\0moof", "<!DOCTYPE html>"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        struct tape_boxes boxes;
        bool keep;
        tape_boxes_init(&boxes);
        assert_int_equal(tape_boxes_next(&boxes, (const uint8_t *)bad[i], 8, &keep), 8);
        assert_true(keep);
        assert_int_equal(boxes.state, TAPE_BOXES_UNKNOWN);
        assert_int_equal(boxes.text, i == 3);
        /* Kept up to the limit, and not beyond. */
        static const uint8_t zeros[4096];
        for (size_t n = 0; n < CAD_TAPE_UNKNOWN_MAX; n += sizeof(zeros)) {
            assert_int_equal(tape_boxes_next(&boxes, zeros, sizeof(zeros), &keep), sizeof(zeros));
            assert_true(keep);
        }
        assert_int_equal(tape_boxes_next(&boxes, zeros, 5, &keep), 5);
        assert_false(keep);
    }
}

static void test_tape_boxes_are_told_from_payload(void **state)
{
    CAD_UNUSED(state);
    static struct body b;
    fill(&b);
    assert_true(tape_boxes_begin(b.bytes, b.n));
    assert_false(tape_boxes_begin(b.bytes, 7));
    assert_false(tape_boxes_begin(b.bytes + 1, b.n - 1));
    assert_false(tape_boxes_begin((const uint8_t *)"\0\0\0\7moof", 8));
    assert_true(tape_boxes_begin((const uint8_t *)"\0\0\0\1mdat", 8));
    assert_false(tape_boxes_begin((const uint8_t *)"\0\0\0\x10traf", 8)); /* is in a moof */
}

static void test_tape_boxes_to_the_end(void **state)
{
    CAD_UNUSED(state);
    struct tape_boxes boxes;
    bool keep;
    tape_boxes_init(&boxes);
    (void)tape_boxes_next(&boxes, (const uint8_t *)"\0\0\0\0mdat", 8, &keep);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tape_boxes_next(&boxes, NULL, 1u << 30, &keep), 1u << 30);
        assert_false(keep);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tape_boxes_in_pieces_of_any_size),
        cmocka_unit_test(test_tape_boxes_go_on_where_another_broke_off),
        cmocka_unit_test(test_tape_boxes_with_payload_that_has_a_length_only),
        cmocka_unit_test(test_tape_boxes_know_what_is_none),
        cmocka_unit_test(test_tape_boxes_are_told_from_payload),
        cmocka_unit_test(test_tape_boxes_to_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
