#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "drive/clock.h"
#include "drive/player_impl.h"

/* ---- events ---------------------------------------------------------------------------------- */

int cad_player_events_push(struct cad_player *player, const struct cad_app_event *event)
{
    struct player_events *events = &player->events;
    pthread_mutex_lock(&events->mutex);
    int err = cad_ring_push(&events->ring, event);
    events->blocked = err != 0;
    if (!err) pthread_cond_signal(&events->cond);
    pthread_mutex_unlock(&events->mutex);
    return err ? CAD_E_LIMIT : 0;
}

int cad_player_wait_event(struct cad_player *player, struct cad_app_event *out, cad_time timeout)
{
    if (!player || !out) return CAD_E_INVAL;
    struct player_events *events = &player->events;
    struct timespec spec = cad_clock_spec(cad_time_add(cad_clock_now(), timeout));
    bool wake = false;
    pthread_mutex_lock(&events->mutex);
    int err = timeout > 0 ? 0 : 1;
    while (cad_ring_count(&events->ring) == 0 && err == 0) {
        err = pthread_cond_timedwait(&events->cond, &events->mutex, &spec);
    }
    bool got = cad_ring_pop(&events->ring, out);
    if (got && events->blocked) {
        events->blocked = false;
        wake = true;
    }
    pthread_mutex_unlock(&events->mutex);
    if (wake) cad_loop_wake(&player->loop);
    return got ? 0 : CAD_E_AGAIN;
}

void cad_player_stats(struct cad_player *player, struct cad_engine_stats *out)
{
    pthread_mutex_lock(&player->stats_mutex);
    *out = player->stats;
    pthread_mutex_unlock(&player->stats_mutex);
}

cad_time cad_player_now(const struct cad_player *player)
{
    (void)player;
    return cad_clock_now();
}

/* ---- commands -------------------------------------------------------------------------------- */

/* 0 is "no ticket" and is passed over when the counter wraps. */
static uint32_t next_ticket(struct cad_player *player)
{
    uint32_t ticket;
    do {
        ticket = atomic_fetch_add(&player->ticket, 1) + 1;
    } while (ticket == 0);
    return ticket;
}

static int post(struct cad_player *player, struct cad_command *command, uint32_t *ticket)
{
    uint32_t given = next_ticket(player);
    command->ticket = given;
    int err = cad_mailbox_command(&player->mailbox, command);
    if (err) return err;
    if (ticket) *ticket = given;
    cad_loop_wake(&player->loop);
    return 0;
}

static int post_simple(struct cad_player *player, enum cad_command_type type)
{
    if (!player) return CAD_E_INVAL;
    struct cad_command command = {.type = type};
    return post(player, &command, NULL);
}

/* Room for a URL while a command is copied. */
struct title_text {
    char url[CAD_URI_BYTES_MAX + 1];
};

static int title_of_url(struct cad_title *title, const char *url_or_path, struct title_text *text)
{
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, text->url, sizeof text->url);
    int err = cad_player_title_url(cad_str_from(url_or_path), &sb);
    if (!err) title->url = cad_sb_str(&sb);
    return err;
}

static int title_of_service(struct cad_title *title, const char *base, const char *id)
{
    title->base = cad_str_from(base);
    title->id = cad_str_from(id);
    bool fits = title->base.n <= CAD_URI_BYTES_MAX && title->id.n <= CAD_URI_BYTES_MAX;
    return fits ? 0 : CAD_E_LIMIT;
}

int cad_player_load_url(struct cad_player *player, const char *url_or_path, cad_time start,
                        uint32_t *ticket)
{
    if (!player || !url_or_path) return CAD_E_INVAL;
    struct title_text text;
    struct cad_command command = {.type = CAD_COMMAND_LOAD};
    command.title.start = start;
    int err = title_of_url(&command.title, url_or_path, &text);
    return err ? err : post(player, &command, ticket);
}

int cad_player_load_title(struct cad_player *player, const char *base, const char *id,
                          cad_time start, uint32_t *ticket)
{
    if (!player || !base || !id || !*base || !*id) return CAD_E_INVAL;
    struct cad_command command = {.type = CAD_COMMAND_LOAD};
    command.title.start = start;
    int err = title_of_service(&command.title, base, id);
    return err ? err : post(player, &command, ticket);
}

int cad_player_prepare(struct cad_player *player, const char *base_or_url, const char *id,
                       uint32_t *ticket)
{
    if (!player || !base_or_url || !*base_or_url) return CAD_E_INVAL;
    struct title_text text;
    struct cad_command command = {.type = CAD_COMMAND_PREPARE};
    command.title.start = CAD_TIME_NONE;
    int err = id && *id ? title_of_service(&command.title, base_or_url, id)
                        : title_of_url(&command.title, base_or_url, &text);
    return err ? err : post(player, &command, ticket);
}

int cad_player_play(struct cad_player *player)
{
    return post_simple(player, CAD_COMMAND_PLAY);
}

int cad_player_pause(struct cad_player *player)
{
    return post_simple(player, CAD_COMMAND_PAUSE);
}

int cad_player_stop(struct cad_player *player)
{
    return post_simple(player, CAD_COMMAND_STOP);
}

int cad_player_seek(struct cad_player *player, cad_time position, uint32_t *ticket)
{
    if (!player || position == CAD_TIME_NONE) return CAD_E_INVAL;
    struct cad_command command = {.type = CAD_COMMAND_SEEK, .position = position};
    return post(player, &command, ticket);
}

int cad_player_pin(struct cad_player *player, int32_t rung)
{
    if (!player || rung < -1) return CAD_E_INVAL;
    struct cad_command command = {.type = CAD_COMMAND_PIN, .rung = rung};
    return post(player, &command, NULL);
}

int cad_player_select_track(struct cad_player *player, const char *id, uint32_t *ticket)
{
    if (!player || !id || strlen(id) >= CAD_TRACK_ID_SIZE) return CAD_E_INVAL;
    struct cad_command command = {.type = CAD_COMMAND_TRACK};
    memcpy(command.track, id, strlen(id) + 1);
    return post(player, &command, ticket);
}

int cad_player_set_rate(struct cad_player *player, uint32_t rate_q16)
{
    if (!player || rate_q16 < 32768 || rate_q16 > 131072) return CAD_E_INVAL;
    struct cad_command command = {.type = CAD_COMMAND_RATE, .rate_q16 = rate_q16};
    return post(player, &command, NULL);
}

uint32_t cad_player_tracks(struct cad_player *player, struct cad_track_info *out, uint32_t max)
{
    if (!player || (!out && max)) return 0;
    pthread_mutex_lock(&player->stats_mutex);
    uint32_t count = player->track_count;
    if (max) memcpy(out, player->tracks, CAD_MIN(count, max) * sizeof *out);
    pthread_mutex_unlock(&player->stats_mutex);
    return count;
}

uint32_t cad_player_rungs(struct cad_player *player, struct cad_rung_info *out, uint32_t max)
{
    if (!player || (!out && max)) return 0;
    pthread_mutex_lock(&player->stats_mutex);
    uint32_t count = player->rung_count;
    if (max) memcpy(out, player->rungs, CAD_MIN(count, max) * sizeof *out);
    pthread_mutex_unlock(&player->stats_mutex);
    return count;
}

/* ---- life ------------------------------------------------------------------------------------ */

void cad_player_config_init(struct cad_player_config *config)
{
    memset(config, 0, sizeof *config);
    config->size = sizeof *config;
    cad_engine_config_init(&config->engine);
}

static int init_events(struct cad_player *player)
{
    struct player_events *events = &player->events;
    int err = cad_ring_init(&events->ring, &player->alloc, CAD_MEM_SESSION,
                            sizeof(struct cad_app_event), CAD_PLAYER_EVENTS_MAX);
    if (err) return err;
    if (pthread_mutex_init(&events->mutex, NULL)) {
        cad_ring_deinit(&events->ring);
        return CAD_E_IO;
    }
    if (cad_cond_init(&events->cond)) {
        pthread_mutex_destroy(&events->mutex);
        cad_ring_deinit(&events->ring);
        return CAD_E_IO;
    }
    player->has_events = true;
    return 0;
}

/* Everything that threads share. What was made before a failure is noted for destroy. */
static int init_shared(struct cad_player *player)
{
    int err = init_events(player);
    if (err) return err;
    if (pthread_mutex_init(&player->stats_mutex, NULL)) return CAD_E_IO;
    player->has_stats = true;
    err = cad_mailbox_init(&player->mailbox, &player->alloc, CAD_PLAYER_COMMANDS_MAX);
    if (err) return err;
    player->has_mailbox = true;
    err = cad_orderbox_init(&player->orderbox);
    if (err) return err;
    player->has_orderbox = true;
    err = cad_loop_init(&player->loop);
    if (err) return err;
    player->has_loop = true;
    for (int i = 0; i < CAD_ENGINE_SLOTS; i++) {
        err = cad_spsc_init(&player->rings[i], &player->alloc, CAD_PLAYER_RING_SAMPLES);
        if (err) return err;
    }
    return 0;
}

static int copy_text(struct cad_player *player, struct player_text *text, const char *z)
{
    if (!z) return 0;
    text->size = strlen(z) + 1;
    text->z = cad_alloc_new(&player->alloc, text->size, CAD_MEM_SESSION);
    if (!text->z) return CAD_E_NOMEM;
    memcpy(text->z, z, text->size);
    return 0;
}

/* A proxy's URL may hold a password. */
static void free_text(const struct cad_alloc *alloc, struct player_text *text)
{
    if (!text->z) return;
    explicit_bzero(text->z, text->size);
    cad_alloc_free(alloc, text->z, text->size, CAD_MEM_SESSION);
}

static int copy_config(struct cad_player *player, const struct cad_player_config *config)
{
    player->alloc = config->engine.alloc;
    player->log = config->engine.log;
    player->wakeup = config->wakeup;
    player->wakeup_ctx = config->wakeup_ctx;
    player->tape = config->tape;
    player->offline = config->offline;
    int err = copy_text(player, &player->ca_file, config->ca_file);
    if (!err) err = copy_text(player, &player->proxy, config->proxy);
    if (!err) err = copy_text(player, &player->key_log, config->key_log);
    return err;
}

int cad_player_create(const struct cad_player_config *config, struct cad_player **out)
{
    if (!config || !out || config->size != sizeof *config || !config->engine.alloc.fn) {
        return CAD_E_INVAL;
    }
    struct cad_player *player =
        cad_alloc_new(&config->engine.alloc, sizeof *player, CAD_MEM_SESSION);
    if (!player) return CAD_E_NOMEM;
    int err = copy_config(player, config);
    if (!err) err = init_shared(player);
    if (!err) err = cad_engine_create(&config->engine, &player->drive.engine);
    if (!err) err = cad_pair_init(player, &config->engine);
    if (!err) err = cad_player_drive_init(player);
    if (!err) err = cad_player_edges_init(player, config);
    /* Last: the recorder of a player that could not be made serves the next one. */
    if (!err) cad_tape_begin(player->tape, &config->engine);
    if (!err && pthread_create(&player->thread, NULL, cad_player_drive_main, player)) {
        err = CAD_E_IO;
    }
    if (err) {
        player->alloc = config->engine.alloc;
        if (config->store.ops) player->store.ops = NULL; /* it stays the application's */
        cad_player_destroy(&player);
        return err;
    }
    player->has_thread = true;
    *out = player;
    return 0;
}

void cad_player_destroy(struct cad_player **player)
{
    if (!player || !*player) return;
    struct cad_player *p = *player;
    *player = NULL;
    if (p->has_thread) {
        atomic_store(&p->stop, true);
        cad_loop_wake(&p->loop);
        pthread_join(p->thread, NULL);
    }
    cad_player_drive_deinit(p);
    /* The rings hold references into the engine's buffers. */
    for (int i = 0; i < CAD_ENGINE_SLOTS; i++) cad_spsc_deinit(&p->rings[i]);
    cad_engine_destroy(&p->drive.engine);
    cad_pair_deinit(p);
    cad_player_edges_deinit(p);
    if (p->has_loop) cad_loop_deinit(&p->loop);
    if (p->has_orderbox) cad_orderbox_deinit(&p->orderbox);
    if (p->has_mailbox) cad_mailbox_deinit(&p->mailbox);
    if (p->has_stats) pthread_mutex_destroy(&p->stats_mutex);
    if (p->has_events) {
        pthread_cond_destroy(&p->events.cond);
        pthread_mutex_destroy(&p->events.mutex);
        cad_ring_deinit(&p->events.ring);
    }
    struct cad_alloc alloc = p->alloc;
    free_text(&alloc, &p->ca_file);
    free_text(&alloc, &p->proxy);
    free_text(&alloc, &p->key_log);
    cad_alloc_free(&alloc, p, sizeof *p, CAD_MEM_SESSION);
}
