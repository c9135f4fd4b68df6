/*
 * text_dump.h - which subtitles were reached, as lines for scripts (--dump-text).
 *
 * A line is "begin end text": seconds of the title with nine decimals, "-" for what stays to the
 * end, and the words, in which a line end is \n and a backslash \\. It is written when a picture
 * (of a title without pictures, a run of sound) at or behind its begin is shown; what shows no
 * words has no line. Everything is called on the sink's thread.
 */
#ifndef PLAYER_TEXT_DUMP_H
#define PLAYER_TEXT_DUMP_H

#include <stdio.h>

#include "subtitles.h"

struct text_dump {
    struct subtitles subtitles;
    FILE *file;             /* borrowed */
    bool pictures;          /* one was shown: sound is not looked at */
    uint32_t failures;      /* that were complained of */
};

/* False: the system gives no lock. */
bool text_dump_init(struct text_dump *dump, FILE *file);
void text_dump_deinit(struct text_dump *dump);
/* Something that begins at pts is shown, or heard. */
void text_dump_at(struct text_dump *dump, bool picture, cad_time pts);
/* One line: for tests. */
void text_dump_line(FILE *file, cad_time begin, cad_time end, cad_str words);

#endif
