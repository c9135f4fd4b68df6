#include "sim_title.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static uint32_t segment_bytes[] = {70000, 180000, 370000, 740000, 80000,  195000,
                                   380000, 760000, 75000, 190000, 375000, 750000};

const uint8_t sim_title_kid[CAD_KEY_ID_SIZE] = {0xaa, 0x55, 3, 4, 5, 6, 7, 8};

static void init(struct sim_title *t, cad_time duration, cad_time url_life, bool is_protected)
{
    static const char text[2][16] = {"en", "de"};
    static const char *const hosts[] = {"cdn1", "cdn2"};
    struct cad_alloc alloc = cad_alloc_system();
    *t = (struct sim_title){.ladder = {.segment_duration = 2 * CAD_SECOND, .rung_count = 4,
                                       .segment_count = 3,
                                       .rate_bps = {300000, 750000, 1500000, 3000000},
                                       .segment_bytes = segment_bytes}};
    struct cad_synth_config config;
    cad_synth_config_init(&config);
    config.ladder = &t->ladder;
    config.duration = duration;
    config.scheme = is_protected ? CAD_SCHEME_CBCS : CAD_SCHEME_CLEAR;
    memcpy(config.kid, sim_title_kid, sizeof(config.kid));
    if (cad_synth_create(&alloc, &config, &t->synth)) abort();
    struct cad_scenario_title title = {.id = CAD_STR("900100"), .synth = t->synth, .hosts = hosts,
                                       .host_count = 2, .url_life = url_life, .seed = 1,
                                       .scheme = config.scheme};
    memcpy(title.kid, sim_title_kid, sizeof(title.kid));
    if (is_protected) {
        title.text = text;
        title.text_count = 2;
    }
    if (mock_synth_create(&title, &t->origin)) abort();
}

void sim_title_init(struct sim_title *t, cad_time duration, cad_time url_life)
{
    init(t, duration, url_life, false);
}

void sim_title_init_protected(struct sim_title *t, cad_time duration)
{
    init(t, duration, 3600 * CAD_SECOND, true);
}

void sim_title_deinit(struct sim_title *t)
{
    mock_synth_destroy(&t->origin);
    cad_synth_destroy(&t->synth);
}

int sim_title_attach(struct sim_title *t, struct cad_sim *sim, const struct cad_trace *trace)
{
    uint32_t link;
    cad_sim_set_origin(sim, mock_synth_ops(), t->origin);
    int err = cad_sim_add_link(sim, trace, &link);
    if (!err) err = cad_sim_add_host(sim, "cdn1", link);
    if (!err) err = cad_sim_add_host(sim, "cdn2", link);
    return err;
}

int sim_title_play(struct cad_sim *sim)
{
    struct cad_command load = {
        .type = CAD_COMMAND_LOAD, .ticket = 7,
        .title = {.base = CAD_STR("http://cdn1"), .id = CAD_STR("900100"),
                  .start = CAD_TIME_NONE}};
    struct cad_command play = {.type = CAD_COMMAND_PLAY};
    int err = cad_sim_command(sim, &load);
    return err ? err : cad_sim_command(sim, &play);
}
