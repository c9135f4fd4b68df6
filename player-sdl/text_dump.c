#include "text_dump.h"

#include <string.h>

#include "base/shown.h"
#include "base/str.h"

#define WORDS_BYTES 16384 /* of one ISD; what is longer is cut */

bool text_dump_init(struct text_dump *dump, FILE *file)
{
    dump->file = file;
    dump->pictures = false;
    dump->failures = 0;
    return subtitles_init(&dump->subtitles, NULL, NULL);
}

void text_dump_deinit(struct text_dump *dump)
{
    subtitles_deinit(&dump->subtitles);
}

static void put_time(FILE *file, cad_time t)
{
    if (t == CAD_TIME_MAX || t == CAD_TIME_NONE) {
        fputs("- ", file);
    } else {
        fprintf(file, "%lld.%09lld ", (long long)(t / CAD_SECOND), (long long)(t % CAD_SECOND));
    }
}

void text_dump_line(FILE *file, cad_time begin, cad_time end, cad_str words)
{
    put_time(file, begin);
    put_time(file, end);
    for (size_t i = 0; i < words.n; i++) {
        char c = words.p[i];
        if (c == '\n' || c == '\\') fputc('\\', file);
        fputc(c == '\n' ? 'n' : c, file);
    }
    fputc('\n', file);
}

void text_dump_at(struct text_dump *dump, bool picture, cad_time pts)
{
    char memory[WORDS_BYTES];
    char safe[WORDS_BYTES];
    struct cad_sb words;
    if (!picture && dump->pictures) return;
    dump->pictures = picture;
    bool changed = subtitles_look(&dump->subtitles, pts, SIZE_MAX);
    /* Nobody waits for a picture here: a document is read as soon as it is there. */
    while (subtitles_is_busy(&dump->subtitles)) {
        if (subtitles_look(&dump->subtitles, pts, SIZE_MAX)) changed = true;
    }
    if (dump->subtitles.failures != dump->failures) subtitles_complain(&dump->subtitles);
    dump->failures = dump->subtitles.failures;
    if (!changed || !dump->subtitles.isd) return;
    cad_sb_init_fixed(&words, memory, sizeof(memory));
    subtitles_words(dump->subtitles.isd, &words);
    if (cad_sb_str(&words).n == 0) return;
    /* Line ends are kept apart: they are the dump's own. */
    size_t n = 0;
    for (cad_str rest = cad_sb_str(&words); rest.n > 0 && n + 1 < sizeof(safe);) {
        ptrdiff_t end = cad_str_find_char(rest, '\n');
        size_t length = end < 0 ? rest.n : (size_t)end;
        n += cad_shown_copyz(safe + n, sizeof(safe) - n, cad_str_sub(rest, 0, length));
        if (end >= 0 && n + 1 < sizeof(safe)) safe[n++] = '\n';
        rest = cad_str_sub(rest, end < 0 ? rest.n : length + 1, rest.n);
    }
    text_dump_line(dump->file, dump->subtitles.begin, dump->subtitles.end, cad_str_make(safe, n));
}
