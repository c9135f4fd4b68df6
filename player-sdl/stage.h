/*
 * stage.h - cadmium-mockd as the stage of a scenario: started or attached to, and told what to do
 * through its control port.
 *
 *     stage_start(&stage, path, hosts)  or  stage_attach(&stage, "http://127.0.0.1:PORT")
 *     stage_post(&stage, "/host/1/close", body)      as often as needed
 *     stage_stop(&stage)                             ends the server if it was started here
 *
 * Calls block, for at most STAGE_PATIENCE each: for the main thread of a test. After a failure
 * stage->error says what is wrong.
 */
#ifndef PLAYER_STAGE_H
#define PLAYER_STAGE_H

#include <sys/types.h>

#include "cadmium/base.h"

#define STAGE_HOSTS_MAX 8
#define STAGE_PATIENCE_S 10

struct stage {
    pid_t pid;                   /* 0: it was there before */
    uint16_t control_port;
    char hosts[STAGE_HOSTS_MAX][64]; /* "127.0.0.1:PORT" */
    uint32_t host_count;
    char error[160];
};

/* path NULL: the program beside this one. CAD_E_IO: it does not start, or does not answer. */
CAD_MUST_CHECK int stage_start(struct stage *stage, const char *path, uint32_t hosts);
CAD_MUST_CHECK int stage_attach(struct stage *stage, const char *control_url);
void stage_stop(struct stage *stage);
/* A command. CAD_E_INVAL: the server refuses it; CAD_E_IO. */
CAD_MUST_CHECK int stage_post(struct stage *stage, const char *path, cad_str body);

#endif
