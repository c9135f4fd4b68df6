/*
 * The replayer with hostile tapes, and the redactor with hostile bodies.
 *
 * The first byte chooses:
 *   0  the rest is a whole tape
 *   1  the rest is records behind a good header: each one's body is preceded by its kind, its time
 *      and two bytes of length; CRCs are made here, so that what is behind them is reached
 *   2  the rest is a control body, redacted in memory of its own size
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/tape.h"
#include "drive/tape_names.h"

#define STEPS_MAX 2000
#define TAPE_LIMIT (1u << 20)
#define BUDGET (INT64_C(256) << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(cad_buf tape)
{
    struct cad_tape_options options;
    struct cad_tape_replay *r = NULL;
    struct cad_tape_result result;
    struct cad_budget budget;
    struct cad_alloc system = cad_alloc_system();
    cad_budget_init(&budget, &system, BUDGET);
    cad_tape_options_init(&options);
    options.alloc = cad_budget_alloc(&budget);
    options.check = true;
    if (cad_tape_replay_create(tape, &options, &r) != 0) return;
    int rc = 1;
    for (int i = 0; rc == 1 && i < STEPS_MAX; i++) rc = cad_tape_replay_step(r);
    cad_tape_replay_result(r, &result);
    if (result.offset > tape.n) abort();
    cad_tape_replay_destroy(&r);
    if (cad_budget_used(&budget) != 0) abort();
}

/* A good header, then records whose bodies come from outside. */
static void replay_records(cad_buf in)
{
    struct cad_sb tape, part;
    struct cad_alloc system = cad_alloc_system();
    struct cad_engine_config config;
    cad_sb_init(&tape, &system, CAD_MEM_OTHER, TAPE_LIMIT);
    cad_sb_init(&part, &system, CAD_MEM_OTHER, TAPE_LIMIT);
    cad_engine_config_init(&config);
    struct cad_sb head;
    cad_sb_init(&head, &system, CAD_MEM_OTHER, TAPE_LIMIT);
    if (tape_header_write(&config, CAD_STR(""), false, &head) != 0) abort();
    tape_put_u64(&part, head.n);
    cad_sb_put(&part, cad_sb_str(&head));
    tape_put_crc(&part);
    cad_sb_putz(&tape, CAD_TAPE_MAGIC);
    cad_sb_put(&tape, cad_sb_str(&part));
    while (in.n >= 4) {
        size_t n = CAD_MIN((size_t)in.p[2] << 8 | in.p[3], in.n - 4);
        tape_put_record(&part, (enum tape_kind)(in.p[0] % 6), (uint64_t)in.p[1] * 10000000u,
                        (cad_buf){in.p + 4, n});
        cad_sb_put(&tape, cad_sb_str(&part));
        in = (cad_buf){in.p + 4 + n, in.n - 4 - n};
    }
    if (cad_sb_error(&tape) == 0) replay(cad_buf_from_str(cad_sb_str(&tape)));
    cad_sb_deinit(&head);
    cad_sb_deinit(&part);
    cad_sb_deinit(&tape);
}

static void redact(cad_buf in)
{
    static const uint8_t entropy[16] = {7};
    struct cad_alloc system = cad_alloc_system();
    struct tape_names names;
    tape_names_init(&names, &system, (cad_buf){entropy, sizeof(entropy)});
    if (tape_names_learn_json(&names, cad_str_from_buf(in)) != 0) abort();
    char *exact = malloc(in.n + 1);
    if (!exact) abort();
    if (in.n) memcpy(exact, in.p, in.n);
    char *tight = realloc(exact, in.n ? in.n : 1);
    if (!tight) abort();
    if (tape_names_body(&names, tight, in.n) != 0) abort();
    tape_names_text(&names, tight, in.n);
    free(tight);
    tape_names_deinit(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > TAPE_LIMIT / 2) return 0;
    cad_buf rest = {data + 1, size - 1};
    switch (data[0] % 3) {
    case 0: replay(rest); break;
    case 1: replay_records(rest); break;
    default: redact(rest); break;
    }
    return 0;
}
