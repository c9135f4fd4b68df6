/*
 * cadmium.h - all that an application needs of libcadmium, in one #include.
 *
 * player.h is the application's face. What it brings along: sink.h to bring one's own decoders and
 * devices, cdm.h to bring one's own keeper of keys, abr.h to bring one's own rule for the choice of
 * a rung, store.h to keep things where one likes, text.h, draw.h and font.h to show subtitles,
 * manifest.h for what there is to play, engine.h for those with a loop of their own, tape.h to
 * record a session, error.h for what went wrong; telemetry.h and steer.h are of use without a
 * player. The headers of the optional libraries stay apart: decode.h and font_freetype.h
 * (libcadmium-media), sim.h (libcadmium-sim).
 */
#ifndef CADMIUM_CADMIUM_H
#define CADMIUM_CADMIUM_H

#include "cadmium/abr.h"
#include "cadmium/actions.h"
#include "cadmium/base.h"
#include "cadmium/cdm.h"
#include "cadmium/draw.h"
#include "cadmium/engine.h"
#include "cadmium/error.h"
#include "cadmium/events.h"
#include "cadmium/font.h"
#include "cadmium/manifest.h"
#include "cadmium/player.h"
#include "cadmium/sink.h"
#include "cadmium/steer.h"
#include "cadmium/store.h"
#include "cadmium/tape.h"
#include "cadmium/telemetry.h"
#include "cadmium/text.h"
#include "cadmium/types.h"
#include "cadmium/unlock.h"

#endif
