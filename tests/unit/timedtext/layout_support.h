/*
 * layout_support.h - documents laid out with the fake font, on a root container of 640 x 320, and
 * what came of it as text to compare with.
 */
#ifndef CAD_TESTS_LAYOUT_SUPPORT_H
#define CAD_TESTS_LAYOUT_SUPPORT_H

#include "text_support.h"

#include "cadmium/draw.h"

#include "support/fake_font.h"

/* A body in a region of 200 x 100 at 100, 100; letters are 10 x 20. */
#define REGION(attributes, body)                                                                   \
    TT("tts:extent='640px 320px'",                                                                 \
       "<layout><region xml:id='r' tts:origin='100px 100px' tts:extent='200px 100px' " attributes  \
       "/></layout>",                                                                              \
       "<body region='r' tts:fontSize='20px'><div>" body "</div></body>")

struct laid {
    struct fake_font font;
    struct cad_text *text;
    struct cad_text_isd *isd;
    struct cad_text_draw_options options; /* with the font and the size */
    struct cad_text_picture *picture;
};

/* Parses and sets the options; then layout is called, unless what it answers is of interest. */
void laid_prepare(struct laid *laid, const char *document);
void laid_make(struct laid *laid, const char *document);
void laid_free(struct laid *laid);

/* "text x,y wxh|..." */
void words_are(const struct laid *laid, const char *expected);
/* "x,y wxh rrggbbaa|...", in the order of painting, with "*" behind those that have coverage. */
void images_are(const struct laid *laid, const char *expected);
/* Both of a document in REGION. */
void words_of(const char *document, const char *expected);
void images_of(const char *document, const char *expected);

#endif
