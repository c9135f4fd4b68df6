/* Goal: what the device says about its network reaches the drive thread once, the last word
 * counting; a player that sleeps wakes at its time, or at once when it is stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drive/clock.h"
#include "drive/player_impl.h"

static struct cad_player player;

static int set_up(void **state)
{
    (void)state;
    memset(&player, 0, sizeof(player));
    return cad_loop_init(&player.loop);
}

static int tear_down(void **state)
{
    (void)state;
    cad_loop_deinit(&player.loop);
    return 0;
}

static void test_player_device_tells_its_network_once(void **state)
{
    (void)state;
    bool online = true;
    assert_false(cad_player_network_changed(&player, &online));
    assert_int_equal(cad_player_set_online(&player, false), 0);
    assert_true(cad_player_network_changed(&player, &online));
    assert_false(online);
    assert_false(cad_player_network_changed(&player, &online));
    assert_int_equal(cad_player_set_online(&player, false), 0);
    assert_int_equal(cad_player_set_online(&player, true), 0);
    assert_true(cad_player_network_changed(&player, &online));
    assert_true(online);
    assert_false(cad_player_network_changed(&player, &online));
    assert_int_equal(cad_player_set_online(NULL, true), CAD_E_INVAL);
}

static void test_player_device_sleeps_until_its_time(void **state)
{
    (void)state;
    cad_time until = cad_clock_now() + 15 * CAD_MS;
    cad_player_suspend(&player, until);
    cad_player_sleep(&player);
    assert_true(cad_clock_now() >= until);
    cad_time before = cad_clock_now();
    cad_player_sleep(&player); /* that time has passed: no sleep */
    cad_player_suspend(&player, cad_clock_now() + 3600 * CAD_SECOND);
    atomic_store(&player.stop, true);
    cad_player_sleep(&player);
    assert_true(cad_clock_now() - before < 60 * CAD_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_player_device_tells_its_network_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_player_device_sleeps_until_its_time, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
