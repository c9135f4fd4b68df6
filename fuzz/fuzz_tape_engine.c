/*
 * Whatever drives an engine, its tape plays back to the same decisions: inputs of fuzz_engine.c,
 * with a recorder between the driver and the engine, and a replay of what it wrote.
 *
 * The driver is that file as it is, with the engine's functions renamed to the recorder's. Holes
 * become zeros: a driver that says HOLE where a box begins makes an engine read what was in memory
 * before. An input that lets an allocation fail is passed over: memory that was refused is no input
 * that is recorded.
 */
#include <stdbool.h>
#include <string.h>

#include "cadmium/tape.h"

#include "base/str.h"
#include "base/strbuf.h"

static struct cad_tape_recorder *the_tape;
static bool begun;

static int taped_lease(struct cad_engine *engine, uint32_t id, size_t want, uint8_t **data,
                       size_t *capacity)
{
    struct cad_tape_lease lease = {.id = id, .want = want};
    int rc = cad_tape_lease(the_tape, engine, &lease);
    *data = lease.data;
    *capacity = lease.capacity;
    return rc;
}

static int taped_hole(struct cad_engine *engine, uint32_t id, size_t n, cad_time at)
{
    while (n > 0) {
        struct cad_tape_lease lease = {.id = id, .want = n};
        int rc = cad_tape_lease(the_tape, engine, &lease);
        if (rc != 0) return rc;
        memset(lease.data, 0, lease.capacity);
        rc = cad_tape_commit(the_tape, engine, id, lease.capacity, at);
        if (rc != 0) return rc;
        n -= lease.capacity;
    }
    return 0;
}

static int taped_create(const struct cad_engine_config *config, struct cad_engine **out)
{
    struct cad_engine_config plain = *config;
    plain.check = false; /* fuzz_engine looks at that */
    plain.report = false; /* of it a tape has nothing: docs/tape.md says what that may change */
    int rc = cad_engine_create(&plain, out);
    if (rc != 0) return rc;
    if (begun) (void)cad_tape_recorder_end(the_tape); /* a tape is of one engine: the first */
    else cad_tape_begin(the_tape, &plain);
    begun = true;
    return 0;
}

#define cad_engine_create taped_create
#define cad_engine_feed(engine, event) cad_tape_feed(the_tape, engine, event)
#define cad_engine_lease taped_lease
#define cad_engine_commit(engine, id, n, at) cad_tape_commit(the_tape, engine, id, n, at)
#define cad_engine_commit_hole taped_hole
#define cad_engine_run(engine, now) cad_tape_run(the_tape, engine, now)
#define cad_engine_poll(engine, action) cad_tape_poll(the_tape, engine, action)
#define cad_engine_pull(engine, slot, sample) cad_tape_pull(the_tape, engine, slot, sample)
#define LLVMFuzzerTestOneInput drive_engine
#include "fuzz_engine.c"
#include "engine_edges.c" /* which feeds an engine, too */
#undef LLVMFuzzerTestOneInput

#define TAPE_LIMIT (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int keep(void *ctx, const uint8_t *p, size_t n)
{
    cad_sb_put(ctx, cad_str_from_buf((cad_buf){p, n}));
    return cad_sb_error(ctx);
}

static void replay(cad_buf tape)
{
    struct cad_tape_options options;
    struct cad_tape_replay *r = NULL;
    struct cad_tape_result result;
    cad_tape_options_init(&options);
    if (cad_tape_replay_create(tape, &options, &r) != 0) abort();
    int rc;
    do {
        rc = cad_tape_replay_step(r);
    } while (rc == 1);
    cad_tape_replay_result(r, &result);
    if (rc != 0 || result.end != CAD_TAPE_WHOLE || result.differs) {
        (void)fprintf(stderr, "end=%s differs=%d turn=%llu of %llu\n",
                      cad_tape_end_name(result.end), result.differs,
                      (unsigned long long)result.differs_turn, (unsigned long long)result.turns);
        abort();
    }
    cad_tape_replay_destroy(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t entropy[16] = {9};
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_tape_config config;
    struct cad_sb tape;
    /* Bytes 2 and 3 say which allocation fails. */
    if (size < 4 || data[2] != 0 || data[3] != 0) return 0;
    cad_sb_init(&tape, &alloc, CAD_MEM_OTHER, TAPE_LIMIT);
    cad_tape_config_init(&config);
    config.write = keep;
    config.ctx = &tape;
    config.entropy = (cad_buf){entropy, sizeof(entropy)};
    if (cad_tape_recorder_create(&config, &the_tape) != 0) abort();
    begun = false;
    (void)drive_engine(data, size);
    if (cad_tape_recorder_end(the_tape) != 0) abort();
    cad_tape_recorder_destroy(&the_tape);
    if (tape.n > 0) replay(cad_buf_from_str(cad_sb_str(&tape)));
    cad_sb_deinit(&tape);
    return 0;
}
