#include "screen.h"

#include <string.h>

bool screen_init(struct screen *screen, void (*notify)(void *ctx), void *ctx)
{
    memset(screen, 0, sizeof(*screen));
    screen->notify = notify;
    screen->ctx = ctx;
    return pthread_mutex_init(&screen->mutex, NULL) == 0;
}

void screen_deinit(struct screen *screen)
{
    cad_frame_unref(&screen->frame);
    pthread_mutex_destroy(&screen->mutex);
}

uint32_t screen_put(struct screen *screen, struct cad_frame *frame)
{
    pthread_mutex_lock(&screen->mutex);
    struct cad_frame old = screen->frame;
    bool displaced = screen->fresh;
    screen->frame = *frame;
    screen->fresh = true;
    pthread_mutex_unlock(&screen->mutex);
    memset(frame, 0, sizeof(*frame));
    cad_frame_unref(&old);
    if (screen->notify) screen->notify(screen->ctx);
    return displaced ? 1 : 0;
}

bool screen_take(struct screen *screen, struct cad_frame *out)
{
    pthread_mutex_lock(&screen->mutex);
    bool fresh = screen->fresh;
    if (fresh) {
        *out = screen->frame;
        memset(&screen->frame, 0, sizeof(screen->frame));
        screen->fresh = false;
    }
    pthread_mutex_unlock(&screen->mutex);
    return fresh;
}
