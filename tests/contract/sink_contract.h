/*
 * sink_contract.h - the contract of cadmium/sink.h as tests over any implementation.
 *
 * An implementation says how it is made and what kind it is, and runs the suite:
 *
 *     static int create(struct cad_sink **out) { ... }
 *     static const struct sink_kind kind = {.name = "x", .create = create, ...};
 *     int main(void) { return sink_contract_run(&kind); }
 */
#ifndef CAD_TESTS_SINK_CONTRACT_H
#define CAD_TESTS_SINK_CONTRACT_H

#include "cadmium/sink.h"

struct sink_kind {
    const char *name;
    int (*create)(struct cad_sink **out);
    bool decodes;       /* needs real media; reports codecs and streams it cannot decode */
    bool real_time;     /* devices run by themselves: `now` is CLOCK_MONOTONIC and tests wait */
    cad_time tolerance; /* by which media time may differ from rate x monotonic time */
    uint32_t depth;     /* access units a slot that it may hold, decoder included */
    /* Language of the text that is shown; empty: none. NULL: it takes no text. */
    const char *(*text)(const struct cad_sink *sink);
};

/* The exit status of the suite; 77 where it was skipped for want of media. */
int sink_contract_run(const struct sink_kind *kind);

#endif
