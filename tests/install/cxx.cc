// Goal: a C++ program can include every public header and make and end an engine and a player.
#include <cadmium/cadmium.h>
#include <cadmium/decode.h>
#include <cadmium/sim.h>

#include <cstdio>
#include <cstring>

int main()
{
    cad_engine_config engine_config;
    cad_engine_config_init(&engine_config);
    cad_engine *engine = nullptr;
    if (cad_engine_create(&engine_config, &engine) != CAD_OK) return 1;
    const int more = cad_engine_run(engine, CAD_SECOND);
    cad_engine_destroy(&engine);
    if (more < 0 || engine != nullptr) return 2;

    cad_player_config player_config;
    cad_player_config_init(&player_config);
    player_config.offline = true;
    cad_player *player = nullptr;
    if (cad_player_create(&player_config, &player) != CAD_OK) return 3;
    const cad_time now = cad_player_now(player);
    cad_player_destroy(&player);
    if (now <= 0 || player != nullptr) return 4;

    const char *version = cad_version();
    std::printf("C++ with libcadmium %s\n", version);
    char header[32];
    std::snprintf(header, sizeof header, "%d.%d.%d", CAD_VERSION_MAJOR, CAD_VERSION_MINOR,
                  CAD_VERSION_PATCH);
    return std::strcmp(header, version) == 0 ? 0 : 5;
}
