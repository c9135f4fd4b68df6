/*
 * cdm_keys.c - a CDM alone, without an engine: from init data to keys.
 *
 *     example-cdm_keys '{"kids":["AAAAAAAAAAAAAAAAAAAAAQ"]}'
 *     example-cdm_keys '{"kids":["AAAAAAAAAAAAAAAAAAAAAQ"]}' \
 *         '{"keys":[{"kty":"oct","kid":"AAAAAAAAAAAAAAAAAAAAAQ","k":"AAAAAAAAAAAAAAAAAAAAAg"}]}'
 *
 * The first prints what would be posted to a licence service, the second also takes a service's
 * answer. Clear Key posts its events inside of the calls; a CDM with threads of its own posts from
 * them, and its host hands the events over to the thread that makes the calls.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cadmium/cdm.h"

/* What the last call came to. */
struct desk {
    int done; /* result of its DONE */
};

static cad_buf buf_of(const char *text)
{
    cad_buf b = {(const uint8_t *)text, strlen(text)};
    return b;
}

static void print_keys(const struct cad_cdm_event *e)
{
    for (uint32_t i = 0; i < e->key_count; i++) {
        printf("key ");
        for (int k = 0; k < CAD_KEY_ID_SIZE; k++) printf("%02x", e->keys[i].kid[k]);
        printf(" %s\n", cad_key_status_name(e->keys[i].status));
    }
}

static int post(void *ctx, const struct cad_cdm_event *events)
{
    struct desk *desk = ctx;
    for (const struct cad_cdm_event *e = events; e; e = e->next) {
        printf("%s session=%u\n", cad_cdm_event_name(e->type), e->tag.session);
        switch (e->type) {
        case CAD_CDM_EVENT_MESSAGE:
            printf("  %.*s\n", (int)e->data.n, (const char *)e->data.p);
            break;
        case CAD_CDM_EVENT_KEYS: print_keys(e); break;
        case CAD_CDM_EVENT_DONE: desk->done = e->result; break;
        default: break;
        }
    }
    return 0;
}

static cad_time now(void *ctx)
{
    struct timespec t;
    (void)ctx;
    timespec_get(&t, TIME_UTC); /* a true host's is monotonic: for an example only */
    return t.tv_sec * CAD_SECOND + t.tv_nsec;
}

static int no_random(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx, (void)out, (void)n;
    return CAD_E_AGAIN; /* Clear Key draws nothing */
}

/* 0: the call was taken, and what it asked for was done. */
static int outcome(const struct desk *desk, const char *call, int rc)
{
    if (rc == 0) rc = desk->done;
    if (rc) fprintf(stderr, "%s: %s\n", call, cad_result_name(rc));
    return rc;
}

int main(int argc, char **argv)
{
    const struct cad_cdm_ops *ops = cad_cdm_clearkey();
    struct desk desk = {0};
    struct cad_cdm_host host = {.size = sizeof host, .alloc = cad_alloc_system(), .ctx = &desk,
                                .post = post, .now = now, .wall = now, .random = no_random};
    struct cad_cdm_tag tag = {.session = 1, .epoch = 1, .op = 1};
    struct cad_cdm *cdm = NULL;
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: %s INIT-DATA [LICENCE]\n", argv[0]);
        return 2;
    }
    cad_str system = {"org.w3.clearkey", strlen("org.w3.clearkey")};
    if (ops->create(&host, system, &cdm)) return 1;
    int rc = outcome(&desk, "open", ops->open(cdm, &tag, CAD_SESSION_TEMPORARY));
    tag.op++;
    if (!rc) {
        int taken = ops->request(cdm, &tag, CAD_INIT_KEYIDS, buf_of(argv[1]));
        rc = outcome(&desk, "request", taken);
    }
    tag.op++;
    if (!rc && argc == 3) rc = outcome(&desk, "update", ops->update(cdm, &tag, buf_of(argv[2])));
    /* From here on ops->decrypt works, on any decode thread. */
    ops->destroy(cdm);
    return rc != 0;
}
