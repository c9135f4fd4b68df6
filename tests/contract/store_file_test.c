/*
 * Goal: the file store keeps the contract, is not led out of its folder, sees damage, and after a
 * kill at any point has for every key the last value it answered for, or a newer one, whole.
 */
#include "store_contract.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/rand.h"
#include "base/str.h"
#include "drive/store.h"

#define KILLS 60
#define KEYS 4
#define VALUE 20000 /* bytes: several pages */

struct folder { char path[64]; };

static pid_t owner; /* children use the folders of their parent */

static struct folder here(int step)
{
    struct folder f;
    snprintf(f.path, sizeof(f.path), "/tmp/store-test-%ld-%d", (long)owner, step);
    return f;
}

static void empty(const char *path)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
}

static int create(int64_t bytes_max, const struct cad_alloc *alloc, struct cad_store *out)
{
    empty(here(0).path);
    return cad_store_file_create(here(0).path, bytes_max, alloc, out);
}

static int again(int64_t bytes_max, const struct cad_alloc *alloc, struct cad_store *out)
{
    return cad_store_file_create(here(0).path, bytes_max, alloc, out);
}

static struct cad_store open_here(int step)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_store s = {0};
    assert_int_equal(cad_store_file_create(here(step).path, 0, &alloc, &s), 0);
    return s;
}

static void write_file(int step, const char *name, const void *p, size_t n)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", here(step).path, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(p, 1, n, file), n);
    fclose(file);
}

static void test_store_file_sees_damage(void **state)
{
    (void)state;
    struct cad_store s = open_here(1);
    cad_buf v;
    assert_int_equal(store_put(&s, "a", (cad_buf){(const uint8_t *)"value", 5}, 0), 0);
    static const char torn[] = "CSV1\0\0\0\5xxxxvalu";
    write_file(1, "a.v", torn, sizeof(torn) - 1);
    assert_int_equal(store_get(&s, "a", &v), CAD_E_DATA);
    static const char wrong[] = "CSV1\0\0\0\5xxxxvalue";
    write_file(1, "a.v", wrong, sizeof(wrong) - 1);
    assert_int_equal(store_get(&s, "a", &v), CAD_E_DATA);
    write_file(1, "a.v", "", 0);
    assert_int_equal(store_get(&s, "a", &v), CAD_E_DATA);
    assert_int_equal(store_del(&s, "a"), 0);
    s.ops->destroy(s.self);
    empty(here(1).path);
}

static void test_store_file_follows_no_links(void **state)
{
    (void)state;
    struct cad_store s = open_here(2);
    char path[128];
    cad_buf v;
    write_file(2, "outside", "secret", 6);
    snprintf(path, sizeof(path), "%s/a.v", here(2).path);
    assert_int_equal(symlink("outside", path), 0);
    assert_int_equal(store_get(&s, "a", &v), CAD_E_DATA);
    /* A put replaces the link and leaves alone what it pointed to. */
    assert_int_equal(store_put(&s, "a", (cad_buf){(const uint8_t *)"mine", 4}, 0), 0);
    assert_int_equal(store_get(&s, "a", &v), 0);
    snprintf(path, sizeof(path), "%s/outside", here(2).path);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 6);
    snprintf(path, sizeof(path), "%s/new.tmp", here(2).path);
    assert_int_equal(symlink("outside", path), 0);
    assert_int_equal(store_put(&s, "b", (cad_buf){(const uint8_t *)"mine", 4}, 0), CAD_E_IO);
    snprintf(path, sizeof(path), "%s/outside", here(2).path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 6);
    s.ops->destroy(s.self);
    empty(here(2).path);
}

static void test_store_file_is_alone(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_store s = open_here(3), other = {0};
    assert_int_equal(cad_store_file_create(here(3).path, 0, &alloc, &other), CAD_E_IO);
    s.ops->destroy(s.self);
    assert_int_equal(cad_store_file_create(here(3).path, 0, &alloc, &other), 0);
    other.ops->destroy(other.self);
    assert_int_equal(cad_store_file_create("/proc/no/such", 0, &alloc, &other), CAD_E_IO);
    empty(here(3).path);
}

/* ---- kills --------------------------------------------------------------------------------- */

/* A value says which one it is all along. */
static void fill(uint8_t *p, uint32_t n)
{
    for (size_t i = 0; i < VALUE; i += 4) cad_put_be32(p + i, n);
}

static void child(int step, int fd, uint32_t n)
{
    static uint8_t value[VALUE];
    struct cad_store s = open_here(step);
    for (;; n++) {
        char key[8];
        snprintf(key, sizeof(key), "k-%u", n % KEYS);
        fill(value, n);
        uint32_t flags = n % 3 ? 0 : CAD_STORE_DURABLE;
        if (store_put(&s, key, (cad_buf){value, sizeof(value)}, flags) != 0) _exit(1);
        if (write(fd, &n, sizeof(n)) != sizeof(n)) _exit(1);
    }
}

/* Runs a child for a while, kills it, and returns the number of the last value it had answered. */
static uint32_t run_and_kill(int step, uint32_t n, useconds_t us)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        child(step, fds[1], n);
    }
    close(fds[1]);
    uint32_t last = 0, got;
    assert_int_equal(read(fds[0], &last, sizeof(last)), sizeof(last)); /* it runs */
    usleep(us);
    kill(pid, SIGKILL);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    while (read(fds[0], &got, sizeof(got)) == sizeof(got)) last = got;
    close(fds[0]);
    return last;
}

static void check_after_kill(int step, uint32_t last)
{
    struct cad_store s = open_here(step);
    char path[128];
    snprintf(path, sizeof(path), "%s/new.tmp", here(step).path);
    assert_int_not_equal(access(path, F_OK), 0);
    for (uint32_t k = 0; k < KEYS && k < last; k++) {
        char key[8];
        cad_buf v;
        snprintf(key, sizeof(key), "k-%u", (last - k) % KEYS);
        assert_int_equal(store_get(&s, key, &v), 0);
        assert_int_equal(v.n, VALUE);
        uint32_t n = cad_be32(v.p);
        /* What was answered, or the one that was on its way when the end came. */
        assert_true(n == last - k || (k == KEYS - 1 && n == last + 1));
        for (size_t i = 0; i < VALUE; i += 4) assert_int_equal(cad_be32(v.p + i), n);
    }
    s.ops->destroy(s.self);
}

static void test_store_file_survives_kills(void **state)
{
    (void)state;
    struct cad_rng rng;
    cad_rng_init(&rng, 4);
    uint32_t last = 0;
    empty(here(4).path);
    for (int i = 0; i < KILLS; i++) {
        last = run_and_kill(4, last + 1, (useconds_t)cad_rng_below(&rng, 12000));
        check_after_kill(4, last);
    }
    print_message("%d kills, %u values\n", KILLS, last);
    empty(here(4).path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_file_sees_damage),
        cmocka_unit_test(test_store_file_follows_no_links),
        cmocka_unit_test(test_store_file_is_alone),
        cmocka_unit_test(test_store_file_survives_kills),
    };
    owner = getpid();
    int failed = store_contract_run(
        &(struct store_kind){.name = "file", .create = create, .again = again});
    failed += cmocka_run_group_tests_name("file store alone", tests, NULL, NULL);
    empty(here(0).path);
    return failed;
}
