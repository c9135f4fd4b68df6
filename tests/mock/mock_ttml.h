/*
 * mock_ttml.h - subtitles of a title in the manner of IMSC 1.1: TTML at ten million ticks a second,
 * with cues of two seconds every two and a half through all of it.
 *
 * Cue n, from 1, begins at (n - 1) * 2.5 s + 0.5 s and has its number in it, so that a test can
 * tell what must be shown when. Every third has two lines, every fourth a word in italics, every
 * fifth a speaker in yellow, every seventh stands at the top.
 */
#ifndef MOCK_TTML_H
#define MOCK_TTML_H

#include "base/strbuf.h"
#include "cadmium/base.h"

#define MOCK_TTML_PROFILE "imsc1.1"       /* its name in licensed manifests */
#define MOCK_TTML_TYPE "application/ttml+xml"

/* lang: "en", "de"; any other is told in English words. Failures are the builder's. */
void mock_ttml_write(struct cad_sb *out, const char *lang, cad_time duration);

#endif
