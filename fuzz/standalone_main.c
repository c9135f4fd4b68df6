/* Replays inputs through a fuzz target without libFuzzer.
 *
 * Arguments are files or folders; every regular file (of a folder: every one directly in it, by
 * name) is read whole and given to LLVMFuzzerTestOneInput once.  The program ends with 0 when all
 * were replayed, 1 when one could not be read, 77 when there was none: a corpus that got lost shows
 * as "skipped" and not as "passed".  Crashes and sanitizer reports end it by themselves; the name
 * of the input in hand is printed before it is run.
 */
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    PATH_BYTES_MAX = 4096,
    INPUT_BYTES_MAX = 64 << 20,
    EXIT_SKIPPED = 77,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path, int64_t size) {
    if (size > INPUT_BYTES_MAX) {
        (void)fprintf(stderr, "%s: larger than %d bytes\n", path, INPUT_BYTES_MAX);
        return -1;
    }
    (void)printf("%s\n", path);
    (void)fflush(stdout);
    FILE *file = fopen(path, "rb");
    /* Exactly as large as the input, so that a read past its end is seen. */
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    int result = -1;
    if (file != NULL && data != NULL && fread(data, 1, (size_t)size, file) == (size_t)size) {
        (void)LLVMFuzzerTestOneInput(data, (size_t)size);
        result = 0;
    } else {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
    }
    free(data);
    if (file != NULL) (void)fclose(file);
    return result;
}

static int replay_folder(const char *path, int *replayed) {
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort);
    int result = count < 0 ? -1 : 0;
    for (int i = 0; i < count; i++) {
        char name[PATH_BYTES_MAX];
        struct stat info;
        int n = snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        free(entries[i]);
        if (n < 0 || (size_t)n >= sizeof name) {
            result = -1;
            continue;
        }
        if (stat(name, &info) != 0 || !S_ISREG(info.st_mode)) continue;
        if (replay_file(name, (int64_t)info.st_size) != 0) result = -1;
        (*replayed)++;
    }
    free(entries);
    return result;
}

int main(int argc, char **argv) {
    int replayed = 0;
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        struct stat info;
        if (stat(argv[i], &info) != 0) {
            (void)fprintf(stderr, "%s: not there\n", argv[i]);
        } else if (S_ISDIR(info.st_mode)) {
            failed |= replay_folder(argv[i], &replayed) != 0;
        } else {
            failed |= replay_file(argv[i], (int64_t)info.st_size) != 0;
            replayed++;
        }
    }
    (void)printf("%d inputs replayed\n", replayed);
    if (failed) return EXIT_FAILURE;
    return replayed > 0 ? EXIT_SUCCESS : EXIT_SKIPPED;
}
