/*
 * screen.h - the place where the sink's thread leaves a picture and the main thread takes it.
 *
 * One picture fits. A newer one pushes it away, and whoever puts it learns that.
 */
#ifndef PLAYER_SCREEN_H
#define PLAYER_SCREEN_H

#include <pthread.h>

#include "cadmium/decode.h"

struct screen {
    pthread_mutex_t mutex;
    struct cad_frame frame;
    bool fresh;                 /* frame waits */
    void (*notify)(void *ctx);  /* a picture waits; any thread; or NULL */
    void *ctx;
};

/* False: the system gives no lock. */
bool screen_init(struct screen *screen, void (*notify)(void *ctx), void *ctx);
void screen_deinit(struct screen *screen);
/* Takes the frame, leaving it zeroed. 1: another one was pushed away; 0: none was. */
uint32_t screen_put(struct screen *screen, struct cad_frame *frame);
/* True: *out is the caller's. */
bool screen_take(struct screen *screen, struct cad_frame *out);

#endif
