/* Box headers of every form, the search for a top-level box, and the walk inside a container. */
#include "build.h"

#include <stdlib.h>

#include "mp4/box.h"

static struct build b;

static int read_header(struct cad_mp4_box *box)
{
    return cad_mp4_box_read(build_view(&b), box);
}

/* Every prefix shorter than the header asks for more. */
static void check_header(uint32_t type, uint32_t header, uint64_t size)
{
    struct cad_mp4_box box;
    for (size_t n = 0; n < header; n++) {
        uint8_t *copy = build_copy(&b, n);
        assert_int_equal(cad_mp4_box_read((cad_buf){copy, n}, &box), CAD_E_AGAIN);
        free(copy);
    }
    assert_int_equal(read_header(&box), 0);
    assert_int_equal(box.type, type);
    assert_int_equal(box.header, header);
    assert_true(box.size == size);
}

static void test_box_header_forms(void **state)
{
    (void)state;
    build_init(&b);
    build_u32(&b, 8);
    build_data(&b, "free", 4);
    check_header(CAD_FOURCC('f', 'r', 'e', 'e'), 8, 8);

    build_init(&b);
    build_u32(&b, 0);
    build_data(&b, "mdat", 4);
    check_header(CAD_FOURCC('m', 'd', 'a', 't'), 8, UINT64_MAX);

    build_init(&b);
    build_u32(&b, 1);
    build_data(&b, "mdat", 4);
    build_u64(&b, UINT64_C(0x7fffffffffffffff));
    check_header(CAD_FOURCC('m', 'd', 'a', 't'), 16, INT64_MAX);

    build_init(&b);
    build_u32(&b, 24);
    build_data(&b, "uuid", 4);
    build_zeros(&b, 16);
    check_header(CAD_FOURCC('u', 'u', 'i', 'd'), 24, 24);

    build_init(&b);
    build_u32(&b, 1);
    build_data(&b, "uuid", 4);
    build_u64(&b, 32);
    build_zeros(&b, 16);
    check_header(CAD_FOURCC('u', 'u', 'i', 'd'), 32, 32);
}

static void test_box_refuses_sizes_below_the_header(void **state)
{
    (void)state;
    struct cad_mp4_box box;
    for (uint32_t size = 2; size < 8; size++) {
        build_init(&b);
        build_u32(&b, size);
        build_data(&b, "free", 4);
        build_zeros(&b, 64);
        assert_int_equal(read_header(&box), CAD_E_DATA);
    }
    build_init(&b);
    build_u32(&b, 23);
    build_data(&b, "uuid", 4);
    build_zeros(&b, 64);
    assert_int_equal(read_header(&box), CAD_E_DATA);
    const uint64_t larges[] = {0, 1, 15, UINT64_C(1) << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof larges / sizeof larges[0]; i++) {
        build_init(&b);
        build_u32(&b, 1);
        build_data(&b, "free", 4);
        build_u64(&b, larges[i]);
        build_zeros(&b, 64);
        assert_int_equal(read_header(&box), CAD_E_DATA);
    }
}

static void test_find_box_walks_and_goes_on(void **state)
{
    (void)state;
    uint32_t moof = CAD_FOURCC('m', 'o', 'o', 'f');
    build_init(&b);
    build_box(&b, "styp", 4);
    build_box(&b, "free", 0);
    size_t at = b.n;
    build_box(&b, "moof", 20);
    for (size_t n = 0; n < at + 8; n++) {
        uint8_t *copy = build_copy(&b, n);
        uint64_t offset = 0;
        assert_int_equal(cad_mp4_find_box((cad_buf){copy, n}, moof, &offset), CAD_E_AGAIN);
        /* Every answer is a place to go on from with the whole. */
        assert_int_equal(cad_mp4_find_box(build_view(&b), moof, &offset), 0);
        assert_int_equal(offset, at);
        free(copy);
    }
    uint64_t offset = at + 28;
    assert_int_equal(cad_mp4_find_box(build_view(&b), moof, &offset), CAD_E_AGAIN);
    assert_int_equal(offset, at + 28);
    offset = 1000000;
    assert_int_equal(cad_mp4_find_box(build_view(&b), moof, &offset), CAD_E_AGAIN);
    assert_int_equal(offset, 1000000);
}

static void test_find_box_reaches_past_what_is_there(void **state)
{
    (void)state;
    build_init(&b);
    build_u32(&b, 5000);
    build_data(&b, "mdat", 4);
    uint64_t offset = 0;
    assert_int_equal(cad_mp4_find_box(build_view(&b), CAD_FOURCC('m', 'o', 'o', 'v'), &offset),
                     CAD_E_AGAIN);
    assert_int_equal(offset, 5000);
}

static void test_find_box_failures(void **state)
{
    (void)state;
    uint32_t moov = CAD_FOURCC('m', 'o', 'o', 'v');
    uint64_t offset = 0;
    build_init(&b);
    build_box(&b, "free", 3);
    build_u32(&b, 7);
    build_data(&b, "free", 4);
    assert_int_equal(cad_mp4_find_box(build_view(&b), moov, &offset), CAD_E_DATA);
    assert_int_equal(offset, 11);

    build_init(&b);
    build_u32(&b, 0);
    build_data(&b, "mdat", 4);
    offset = 0;
    assert_int_equal(cad_mp4_find_box(build_view(&b), moov, &offset), CAD_E_NOTFOUND);
    /* The box that runs to the end may be the one that is looked for. */
    assert_int_equal(
        cad_mp4_find_box(build_view(&b), CAD_FOURCC('m', 'd', 'a', 't'), &offset), 0);
    assert_int_equal(offset, 0);
}

static void test_child_walk(void **state)
{
    (void)state;
    struct cad_mp4_child child;
    cad_buf found;
    size_t at = 0;
    build_init(&b);
    build_box_of(&b, "aaaa", "xyz", 3);
    build_box(&b, "bbbb", 0);
    build_box_of(&b, "aaaa", "later", 5);
    assert_int_equal(cad_mp4_child_next(build_view(&b), &at, &child), 0);
    assert_int_equal(child.type, CAD_FOURCC('a', 'a', 'a', 'a'));
    assert_int_equal(child.offset, 0);
    assert_int_equal(child.size, 11);
    assert_memory_equal(child.body.p, "xyz", 3);
    assert_int_equal(cad_mp4_child_next(build_view(&b), &at, &child), 0);
    assert_int_equal(child.offset, 11);
    assert_int_equal(child.body.n, 0);
    assert_int_equal(cad_mp4_child_next(build_view(&b), &at, &child), 0);
    assert_int_equal(cad_mp4_child_next(build_view(&b), &at, &child), CAD_E_END);
    assert_int_equal(cad_mp4_child_find(build_view(&b), child.type, &found), 0);
    assert_int_equal(found.n, 3);
    uint32_t other = CAD_FOURCC('c', 'c', 'c', 'c');
    assert_int_equal(cad_mp4_child_find(build_view(&b), other, &found), CAD_E_NOTFOUND);
    assert_null(found.p);
}

static void test_child_must_fit(void **state)
{
    (void)state;
    struct cad_mp4_child child;
    cad_buf found;
    const uint32_t sizes[] = {0, 7, 25, UINT32_MAX}; /* of a child with 16 + 8 bytes of room */
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t at = 0;
        build_init(&b);
        build_u32(&b, sizes[i]);
        build_data(&b, "aaaa", 4);
        build_zeros(&b, 16);
        assert_int_equal(cad_mp4_child_next(build_view(&b), &at, &child), CAD_E_DATA);
        assert_int_equal(at, 0);
    }
    /* Up to seven bytes behind the last child cannot be one; the search sees them as well. */
    for (size_t stray = 1; stray < 8; stray++) {
        build_init(&b);
        build_box(&b, "aaaa", 0);
        build_zeros(&b, stray);
        assert_int_equal(
            cad_mp4_child_find(build_view(&b), CAD_FOURCC('a', 'a', 'a', 'a'), &found),
            CAD_E_DATA);
    }
}

static void test_wire_is_sticky(void **state)
{
    (void)state;
    const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    struct cad_mp4_wire wire = cad_mp4_wire_of((cad_buf){bytes, sizeof bytes});
    assert_int_equal(cad_mp4_wire_u8(&wire), 1);
    assert_int_equal(cad_mp4_wire_u16(&wire), 0x0203);
    assert_int_equal(cad_mp4_wire_u24(&wire), 0x040506);
    assert_int_equal(cad_mp4_wire_u32(&wire), 0x0708090a);
    assert_false(wire.failed);
    assert_int_equal(cad_mp4_wire_u16(&wire), 0);
    assert_true(wire.failed);
    assert_int_equal(cad_mp4_wire_u8(&wire), 0);
    wire = cad_mp4_wire_of((cad_buf){bytes, sizeof bytes});
    assert_true(cad_mp4_wire_u64(&wire) == UINT64_C(0x0102030405060708));
    cad_mp4_wire_skip(&wire, 3);
    assert_false(wire.failed);
    cad_mp4_wire_skip(&wire, 1);
    assert_true(wire.failed);
    wire = cad_mp4_wire_of((cad_buf){NULL, 0});
    cad_mp4_wire_skip(&wire, 0);
    assert_false(wire.failed);
    assert_int_equal(cad_mp4_wire_u32(&wire), 0);
    assert_true(wire.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_box_header_forms),
        cmocka_unit_test(test_box_refuses_sizes_below_the_header),
        cmocka_unit_test(test_find_box_walks_and_goes_on),
        cmocka_unit_test(test_find_box_reaches_past_what_is_there),
        cmocka_unit_test(test_find_box_failures),
        cmocka_unit_test(test_child_walk),
        cmocka_unit_test(test_child_must_fit),
        cmocka_unit_test(test_wire_is_sticky),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
