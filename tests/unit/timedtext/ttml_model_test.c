/* Goal: boundaries come out sorted and single whatever the steps; a search never loses a child. */
#include "text_support.h"

#include "base/mem.h"
#include "timedtext/ttml_model.h"

#define NOTES 300u

static void sorted_in_steps(uint32_t work)
{
    struct cad_text text = {.alloc = cad_alloc_system()};
    struct ttml_sort sort;
    uint32_t steps = 1;
    for (uint32_t i = 0; i < NOTES; i++) {
        cad_time begin = (i * 7919u) % 101u;
        cad_time end = i % 5 == 0 ? CAD_TIME_MAX : begin + i % 3;
        assert_int_equal(ttml_model_note(&text, begin, end), 0);
    }
    ttml_sort_init(&sort, &text);
    while (!ttml_sort_step(&sort, &text, work)) steps++;
    assert_true(work >= 2 * NOTES || steps > 1);
    assert_int_equal(text.boundary_count, 103);
    for (size_t i = 0; i < text.boundary_count; i++) {
        assert_int_equal(text.boundaries[i], (cad_time)i);
    }
    cad_alloc_free(&text.alloc, text.boundaries, text.boundary_max * sizeof(cad_time),
                   CAD_MEM_OTHER);
}

static void test_model_sorts_in_steps(void **state)
{
    (void)state;
    sorted_in_steps(1);
    sorted_in_steps(17);
    sorted_in_steps(UINT32_MAX);
}

static void test_model_search_against_a_walk(void **state)
{
    struct ttml_node nodes[64] = {{0}};
    struct ttml_node parent = {.kind = TTML_DIV};
    struct cad_text text = {.alloc = cad_alloc_system()};
    (void)state;
    cad_arena_init(&text.arena, &text.alloc, CAD_MEM_OTHER, 1024, 0);
    for (uint32_t i = 0; i < 64; i++) {
        nodes[i].begin = (i * 37u) % 50u + i;
        nodes[i].end = nodes[i].begin + (i * 13u) % 9u;
        if (i < 63) nodes[i].next = &nodes[i + 1];
    }
    assert_int_equal(ttml_model_children(&text, &parent, nodes, 64), 0);
    for (cad_time t = -1; t < 130; t++) {
        uint32_t from = 0;
        uint32_t to = 0;
        ttml_model_search(&parent, t, &from, &to);
        assert_true(from <= 64 && to <= 64);
        for (uint32_t i = 0; i < 64; i++) {
            bool active = t >= nodes[i].begin && t < nodes[i].end;
            assert_true(!active || (i >= from && i < to));
        }
    }
    cad_arena_deinit(&text.arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_sorts_in_steps),
        cmocka_unit_test(test_model_search_against_a_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
