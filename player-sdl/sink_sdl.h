/*
 * sink_sdl.h - the sink of the window: pictures to a screen, sound to a device.
 */
#ifndef PLAYER_SINK_SDL_H
#define PLAYER_SINK_SDL_H

#include "screen.h"
#include "sound.h"

/*
 * Obeys the contract of cadmium/sink.h. The screen is borrowed and must outlive the sink. The sound
 * may be NULL; it is the sink's from now on, but stays the caller's on failure: CAD_E_NOMEM or
 * CAD_E_INVAL.
 */
CAD_MUST_CHECK int sink_sdl_create(const struct cad_sink_options *options, struct screen *screen,
                                   struct sound *sound, struct cad_sink **out);

#endif
