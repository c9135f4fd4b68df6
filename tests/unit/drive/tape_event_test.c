/* Goal: every event comes back with every field, whatever stood before it; tapes of older and newer
 * tables are read; nothing that cannot be an event becomes one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/util.h"
#include "drive/tape.h"

static struct cad_sb builder(void)
{
    struct cad_sb sb;
    struct cad_alloc alloc = cad_alloc_system();
    cad_sb_init(&sb, &alloc, CAD_MEM_OTHER, 1 << 20);
    return sb;
}

static const struct cad_cdm_caps *filled_caps(uint32_t u)
{
    static const uint8_t systems[2][CAD_SYSTEM_ID_SIZE] = {{1, 2, 3}, {4, 5, 6}};
    static struct cad_cdm_caps caps;
    caps = (struct cad_cdm_caps){
        .size = sizeof(caps), .schemes = u, .session_types = 1, .init_types = u + 1, .flags = 1,
        .sessions_max = u + 2, .keys_max = u + 3, .subsamples_max = u + 4,
        .init_bytes_max = u + 5, .licence_bytes_max = u + 6, .block_max = u + 7,
        .system_ids = systems, .system_id_count = u % 3, .robustness = CAD_STR("soft"),
        .version = CAD_STR("1")};
    return &caps;
}

static struct cad_cdm_event filled_cdm(int64_t with)
{
    static const struct cad_cdm_key keys[] = {{{7, 8}, CAD_KEY_USABLE, 9},
                                              {{10, 11}, CAD_KEY_EXPIRED, 0}};
    uint32_t u = (uint32_t)with;
    return (struct cad_cdm_event){
        .size = sizeof(struct cad_cdm_event), .type = (enum cad_cdm_event_type)(with % 8),
        .tag = {u, u + 1, u + 2}, .result = (int)-with, .system_code = u + 3,
        .message = CAD_CDM_MESSAGE_RENEWAL, .closed = CAD_CDM_CLOSED_RESET,
        .url = CAD_STR("https://h/licence"), .data = {(const uint8_t *)"secret", 6},
        .keys = keys, .key_count = u % 3, .hdcp = (int32_t)with - 1};
}

/* An event of a type with every field set, and set otherwise with another `with`. */
static struct cad_event filled(enum cad_event_type type, int64_t with)
{
    struct cad_event e;
    memset(&e, 0, sizeof(e));
    e.type = type;
    uint32_t u = (uint32_t)(100 + with);
    bool b = with % 2 == 1;
    cad_time t = with % 3 == 2 ? CAD_TIME_NONE : with * CAD_SECOND;
    static const struct cad_header told[] = {{CAD_STR_INIT("via"), CAD_STR_INIT("1.1 a")},
                                             {CAD_STR_INIT("x-ftl-error"), CAD_STR_INIT("")}};
    switch (type) {
    case CAD_EVENT_COMMAND:
        e.u.command = (struct cad_command){.type = CAD_COMMAND_LOAD, .ticket = u, .position = t,
                                           .rung = (int32_t)-with, .rate_q16 = u};
        e.u.command.title = (struct cad_title){CAD_STR("https://h/a"), CAD_STR("base"),
                                               CAD_STR("id"), t};
        break;
    case CAD_EVENT_HTTP_HEAD:
        e.u.head = (struct cad_http_head){u, 206, with, {with + 1, with + 2}, with + 3, with + 4, t,
                                          CAD_STR("/elsewhere"), CAD_ADDRESS_PRIVATE, 20, told,
                                          (uint32_t)with % 3};
        break;
    case CAD_EVENT_HTTP_END:
        e.u.end = (struct cad_http_end){.id = u, .cls = CAD_HTTP_RESET, .edge_code = -with,
                                        .dns = t, .connect = with, .tls = t,
                                        .first_byte = with, .last_byte = with + 9, .reused = b,
                                        .read_count = 2};
        e.u.end.reads[0] = (struct cad_http_read){with, 5};
        e.u.end.reads[1] = (struct cad_http_read){with + 9, 9 + with};
        break;
    case CAD_EVENT_SINK_CAPS:
        e.u.caps = (struct cad_sink_caps){u, u + 1, u + 2, b, !b, b, !b, b, u + 3, u + 4, u + 5};
        break;
    case CAD_EVENT_SINK_ANCHOR:
        e.u.anchor = (struct cad_sink_anchor){u, -with, with, u + 1, b};
        break;
    case CAD_EVENT_SINK_LEVEL:
        e.u.level = (struct cad_sink_level){u, b, t, !b, UINT64_MAX - u, u};
        break;
    case CAD_EVENT_SINK_FAIL:
        e.u.fail = (struct cad_sink_fail){1, CAD_ERR_MEDIA_DECODE, -with, "a decoder's words"};
        break;
    case CAD_EVENT_NET_CHANGE: e.u.net.online = b; break;
    case CAD_EVENT_WALL_OFFSET:
        e.u.wall.offset_ms = INT64_MAX - with;
        e.u.wall.error_ms = with;
        break;
    case CAD_EVENT_ENTROPY: e.u.entropy.n = (size_t)u; break;
    case CAD_EVENT_CDM_CAPS: e.u.cdm_caps = filled_caps(u); break;
    case CAD_EVENT_CDM:
        e.u.cdm = filled_cdm(with);
        e.u.cdm.time = t;
        break;
    case CAD_EVENT_STORE_DONE: break;
    }
    return e;
}

static void same_texts(const struct cad_event *a, const struct cad_event *b)
{
    if (a->type == CAD_EVENT_COMMAND) {
        assert_true(cad_str_eq(a->u.command.title.url, b->u.command.title.url));
        assert_true(cad_str_eq(a->u.command.title.base, b->u.command.title.base));
        assert_true(cad_str_eq(a->u.command.title.id, b->u.command.title.id));
    }
    if (a->type == CAD_EVENT_HTTP_HEAD) {
        assert_true(cad_str_eq(a->u.head.location, b->u.head.location));
        assert_int_equal(a->u.head.header_count, b->u.head.header_count);
        for (uint32_t i = 0; i < a->u.head.header_count; i++) {
            assert_true(cad_str_eq(a->u.head.headers[i].name, b->u.head.headers[i].name));
            assert_true(cad_str_eq(a->u.head.headers[i].value, b->u.head.headers[i].value));
        }
    }
    if (a->type == CAD_EVENT_CDM_CAPS) {
        const struct cad_cdm_caps *x = a->u.cdm_caps, *y = b->u.cdm_caps;
        assert_int_equal(x->system_id_count, y->system_id_count);
        assert_memory_equal(x->system_ids, y->system_ids, x->system_id_count * CAD_SYSTEM_ID_SIZE);
        assert_true(cad_str_eq(x->robustness, y->robustness));
        assert_true(cad_str_eq(x->version, y->version));
    }
    if (a->type == CAD_EVENT_CDM) {
        const struct cad_cdm_event *x = &a->u.cdm, *y = &b->u.cdm;
        assert_true(cad_str_eq(x->url, y->url));
        assert_int_equal(x->data.n, y->data.n);
        assert_int_equal(x->key_count, y->key_count);
        for (uint32_t i = 0; i < x->key_count; i++) {
            assert_memory_equal(x->keys[i].kid, y->keys[i].kid, CAD_KEY_ID_SIZE);
            assert_int_equal(x->keys[i].status, y->keys[i].status);
            assert_int_equal(x->keys[i].system_code, y->keys[i].system_code);
        }
    }
}

/* What cannot be compared as bytes is compared as text. */
static void same(struct cad_event a, struct cad_event b)
{
    char text[2][512];
    for (int i = 0; i < 2; i++) {
        struct cad_sb sb;
        cad_sb_init_fixed(&sb, text[i], sizeof(text[i]));
        tape_event_text(i ? &b : &a, &sb);
        assert_int_equal(cad_sb_error(&sb), 0);
    }
    assert_string_equal(text[0], text[1]);
    same_texts(&a, &b);
    if (a.type == CAD_EVENT_SINK_FAIL) assert_string_equal(a.u.fail.message, b.u.fail.message);
    if (a.type != CAD_EVENT_HTTP_END) return;
    assert_int_equal(a.u.end.read_count, b.u.end.read_count);
    assert_memory_equal(a.u.end.reads, b.u.end.reads, sizeof(a.u.end.reads));
}

static void test_tape_events_come_back(void **state)
{
    CAD_UNUSED(state);
    static struct tape_past out, in;
    struct cad_sb sb = builder(), scratch = builder();
    memset(&out, 0, sizeof(out));
    memset(&in, 0, sizeof(in));
    for (int64_t with = 0; with < 12; with++) {
        for (int type = 0; type < (int)TAPE_EVENTS; type++) {
            struct cad_event event = filled((enum cad_event_type)type, with), back;
            cad_sb_reset(&sb);
            assert_int_equal(tape_event_put(&out, &event, &scratch, &sb), 0);
            struct tape_reader r = {(const uint8_t *)sb.p, sb.n, false};
            assert_int_equal(tape_event_get(&in, event.type, &r, &back), 0);
            assert_int_equal(r.n, 0);
            same(event, back);
            /* Of what a CDM sends and is sent, only the length goes on a tape. */
            if (type == CAD_EVENT_CDM) {
                assert_int_equal(cad_str_find(cad_sb_str(&sb), CAD_STR("secret")), -1);
            }
        }
    }
    cad_sb_deinit(&sb);
    cad_sb_deinit(&scratch);
}

static void test_tape_events_as_text(void **state)
{
    CAD_UNUSED(state);
    char text[256];
    struct cad_sb sb;
    struct cad_event event = {.type = CAD_EVENT_HTTP_END};
    event.u.end = (struct cad_http_end){.id = 7, .cls = CAD_HTTP_TOO_LARGE, .edge_code = 63,
                                        .dns = CAD_TIME_NONE, .connect = CAD_TIME_NONE,
                                        .tls = CAD_TIME_NONE, .first_byte = 5, .last_byte = 6};
    cad_sb_init_fixed(&sb, text, sizeof(text));
    tape_event_text(&event, &sb);
    assert_string_equal(cad_sb_z(&sb), "end id=7 class=too-large edge_code=63 first_byte=5 "
                                       "last_byte=6 reused=0 reads=0");
}

static void test_tape_events_that_do_not_change_are_small(void **state)
{
    CAD_UNUSED(state);
    static struct tape_past out;
    struct cad_sb sb = builder(), scratch = builder();
    memset(&out, 0, sizeof(out));
    struct cad_event event = filled(CAD_EVENT_SINK_ANCHOR, 4);
    assert_int_equal(tape_event_put(&out, &event, &scratch, &sb), 0);
    cad_sb_reset(&sb);
    assert_int_equal(tape_event_put(&out, &event, &scratch, &sb), 0);
    assert_int_equal(sb.n, 3);
    cad_sb_deinit(&sb);
    cad_sb_deinit(&scratch);
}

static void test_tape_tracks_are_told(void **state)
{
    CAD_UNUSED(state);
    static struct tape_past out, in;
    struct cad_sb sb = builder(), scratch = builder();
    struct cad_event back, event = {.type = CAD_EVENT_COMMAND};
    event.u.command.type = CAD_COMMAND_TRACK;
    memcpy(event.u.command.track, "A:en:2", 7);
    memset(&out, 0, sizeof(out));
    memset(&in, 0, sizeof(in));
    assert_int_equal(tape_event_put(&out, &event, &scratch, &sb), 0);
    struct tape_reader r = {(const uint8_t *)sb.p, sb.n, false};
    assert_int_equal(tape_event_get(&in, CAD_EVENT_COMMAND, &r, &back), 0);
    assert_int_equal(back.u.command.type, CAD_COMMAND_TRACK);
    assert_string_equal(back.u.command.track, "A:en:2");
    cad_sb_deinit(&sb);
    cad_sb_deinit(&scratch);
}

/* size, rows, bits of changed rows, differences; all below 128. */
static int get(enum cad_event_type type, const uint8_t *bytes, size_t n, struct cad_event *out)
{
    static struct tape_past past;
    memset(&past, 0, sizeof(past));
    struct tape_reader r = {bytes, n, false};
    return tape_event_get(&past, type, &r, out);
}

static void test_tape_events_of_other_tables(void **state)
{
    CAD_UNUSED(state);
    struct cad_event e;
    /* One row only: rate and the rest are what they are in nothing. */
    static const uint8_t older[] = {3, 1, 1, 14};
    assert_int_equal(get(CAD_EVENT_SINK_ANCHOR, older, sizeof(older), &e), 0);
    assert_int_equal(e.u.anchor.epoch, 7);
    assert_int_equal(e.u.anchor.rate_q16, 0);
    /* Seven rows, of which two are not known here, and bytes behind them. */
    static const uint8_t newer[] = {7, 7, 0x61, 14, 4, 6, 99, 99};
    assert_int_equal(get(CAD_EVENT_SINK_ANCHOR, newer, sizeof(newer), &e), 0);
    assert_int_equal(e.u.anchor.epoch, 7);
}

static void test_tape_events_refuse_what_cannot_be(void **state)
{
    CAD_UNUSED(state);
    struct cad_event e;
    static const uint8_t negative[] = {3, 1, 1, 1};        /* epoch -1 */
    static const uint8_t class_99[] = {5, 9, 2, 0xc6, 1};  /* an enum that is none */
    static const uint8_t rows_64[] = {3, 64, 1, 2};
    static const uint8_t reads_17[] = {3, 0, 0, 17};
    static const uint8_t twice[] = {4, 5, 16, 4, 0};       /* underrun 2 */
    assert_int_equal(get(CAD_EVENT_SINK_ANCHOR, negative, sizeof(negative), &e), CAD_E_DATA);
    assert_int_equal(get(CAD_EVENT_HTTP_END, class_99, sizeof(class_99), &e), CAD_E_DATA);
    assert_int_equal(get(CAD_EVENT_SINK_ANCHOR, rows_64, sizeof(rows_64), &e), CAD_E_DATA);
    assert_int_equal(get(CAD_EVENT_HTTP_END, reads_17, sizeof(reads_17), &e), CAD_E_DATA);
    assert_int_equal(get(CAD_EVENT_SINK_ANCHOR, twice, sizeof(twice), &e), CAD_E_DATA);
    assert_int_equal(get((enum cad_event_type)TAPE_EVENTS, twice, sizeof(twice), &e), CAD_E_DATA);
}

static void test_tape_events_cut_at_every_byte(void **state)
{
    CAD_UNUSED(state);
    static struct tape_past out;
    struct cad_sb sb = builder(), scratch = builder();
    for (int type = 0; type < (int)TAPE_EVENTS; type++) {
        struct cad_event event = filled((enum cad_event_type)type, 3), back;
        memset(&out, 0, sizeof(out));
        cad_sb_reset(&sb);
        assert_int_equal(tape_event_put(&out, &event, &scratch, &sb), 0);
        for (size_t n = 0; n < sb.n; n++) {
            assert_int_equal(get(event.type, (const uint8_t *)sb.p, n, &back), CAD_E_DATA);
        }
    }
    struct cad_event none = {.type = (enum cad_event_type)TAPE_EVENTS};
    assert_int_equal(tape_event_put(&out, &none, &scratch, &sb), CAD_E_UNSUPPORTED);
    cad_sb_deinit(&sb);
    cad_sb_deinit(&scratch);
}

/* A struct that has grown has a new field: a row of its table in tape_event.c, or of the header's
 * in tape_header.c, and then its new size here. */
static void test_tape_tables_have_every_field(void **state)
{
    CAD_UNUSED(state);
    static const struct {
        const char *name;
        size_t size, known;
    } structs[] = {
        {"cad_engine_config",
         sizeof(struct cad_engine_config) - sizeof(struct cad_telemetry_config), 448},
        {"cad_ftl_config", sizeof(struct cad_ftl_config), 120},
        {"cad_cdm_event", sizeof(struct cad_cdm_event), 128},
        {"cad_cdm_caps", sizeof(struct cad_cdm_caps), 104},
        {"cad_abr_config", sizeof(struct cad_abr_config), 72},
        {"cad_command", sizeof(struct cad_command), 144},
        {"cad_http_head", sizeof(struct cad_http_head), 96},
        {"cad_http_end", sizeof(struct cad_http_end), 328},
        {"cad_sink_caps", sizeof(struct cad_sink_caps), 32},
        {"cad_sink_anchor", sizeof(struct cad_sink_anchor), 32},
        {"cad_sink_level", sizeof(struct cad_sink_level), 40},
        {"cad_sink_fail", sizeof(struct cad_sink_fail), 176},
    };
    if (sizeof(void *) != 8) skip();
    for (size_t i = 0; i < CAD_ARRAY_LEN(structs); i++) {
        if (structs[i].size != structs[i].known) {
            fail_msg("%s has %u bytes: which field is new, and is it on the tape?",
                     structs[i].name, (unsigned)structs[i].size);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tape_events_come_back),
        cmocka_unit_test(test_tape_events_as_text),
        cmocka_unit_test(test_tape_events_that_do_not_change_are_small),
        cmocka_unit_test(test_tape_tracks_are_told),
        cmocka_unit_test(test_tape_events_of_other_tables),
        cmocka_unit_test(test_tape_events_refuse_what_cannot_be),
        cmocka_unit_test(test_tape_events_cut_at_every_byte),
        cmocka_unit_test(test_tape_tables_have_every_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
