/*
 * player_device.c - what the device around a player does to it: its network goes and comes, it
 * falls asleep and wakes.
 */
#include <errno.h>

#include "base/util.h"
#include "drive/clock.h"
#include "drive/player_impl.h"

#define SLEEP_SLICE (10 * CAD_MS) /* a sleeping player notices its end this soon */

int cad_player_set_online(struct cad_player *player, bool online)
{
    if (!player) return CAD_E_INVAL;
    atomic_store(&player->network, online ? PLAYER_NETWORK_ON : PLAYER_NETWORK_OFF);
    cad_loop_wake(&player->loop);
    return 0;
}

void cad_player_suspend(struct cad_player *player, cad_time until)
{
    atomic_store(&player->asleep_until, until);
    cad_loop_wake(&player->loop);
}

bool cad_player_network_changed(struct cad_player *player, bool *online)
{
    int network = atomic_exchange(&player->network, PLAYER_NETWORK_SAME);
    *online = network == PLAYER_NETWORK_ON;
    return network != PLAYER_NETWORK_SAME;
}

void cad_player_sleep(struct cad_player *player)
{
    cad_time now;
    while (!atomic_load(&player->stop) &&
           (now = cad_clock_now()) < atomic_load(&player->asleep_until)) {
        cad_time left = atomic_load(&player->asleep_until) - now;
        struct timespec spec = {.tv_nsec = (long)CAD_MIN(left, SLEEP_SLICE)};
        if (nanosleep(&spec, NULL) && errno != EINTR) return;
    }
}
