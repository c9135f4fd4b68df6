/* What former processes left in the store: listed once, read back one value at a time. */
#include <string.h>

#include "base/checked.h"
#include "base/str.h"
#include "base/util.h"

#include "telemetry/internal.h"

void tel_keys_init(struct tel_keys *k, const char *prefix)
{
    memset(k, 0, sizeof(*k));
    k->prefix = prefix;
    k->list_after = CAD_TIME_NONE;
}

/* The first playback has the network and the disk to itself. */
static bool leftovers_wait(const struct cad_telemetry *t)
{
    if (!t->playing) return false;
    cad_time first = t->play.first_frame;
    return first == CAD_TIME_NONE || t->now < cad_time_add(first, TEL_LEFTOVER_WAIT);
}

static bool is_own(const struct cad_telemetry *t, const struct tel_keys *k, const char *key)
{
    return k == &t->log_keys ? tel_send_has_key(t, key) : tel_journal_has_key(t, key);
}

static bool has_room(const struct cad_telemetry *t, const struct tel_keys *k)
{
    return k == &t->log_keys ? tel_send_has_room(t) : tel_journal_has_room(t);
}

/* "lb-<seconds>-...": too old, or more than are kept behind it. */
static bool out_of_date(const struct cad_telemetry *t, const struct tel_keys *k)
{
    if (k != &t->log_keys) return false;
    if (k->count - k->next > TEL_LOGS_STORED_MAX) return true;
    cad_str rest = cad_str_sub(cad_str_from(k->keys[k->next]), 3, SIZE_MAX), seconds;
    int64_t at, now = tel_wall_ms(t, t->now) / 1000;
    if (!cad_str_split(&rest, '-', &seconds) || cad_str_to_i64(seconds, &at) != 0) return true;
    return now > 0 && cad_sub_sat_i64(now, at) > TEL_LOG_KEEP_S;
}

static int keys_poll(struct cad_telemetry *t, struct tel_keys *k, struct cad_telemetry_order *order)
{
    if (k->list_id || k->busy_id) return CAD_E_AGAIN;
    if (!k->listed) {
        if (t->now < k->list_after) return CAD_E_AGAIN;
        k->list_id = tel_next_id(t);
        *order = (struct cad_telemetry_order){.type = CAD_TELEMETRY_STORE_LIST, .id = k->list_id,
            .key = cad_str_from(k->prefix)};
        return 0;
    }
    while (k->next < k->count && is_own(t, k, k->keys[k->next])) k->next++;
    if (k->next >= k->count) return CAD_E_AGAIN;
    if (!k->deleting && out_of_date(t, k)) {
        k->deleting = true;
        t->stats.batches_lost++;
    }
    if (!k->deleting && (leftovers_wait(t) || !has_room(t, k) || t->now < k->list_after)) {
        return CAD_E_AGAIN;
    }
    k->busy_id = tel_next_id(t);
    *order = (struct cad_telemetry_order){
        .type = k->deleting ? CAD_TELEMETRY_STORE_DELETE : CAD_TELEMETRY_STORE_GET,
        .id = k->busy_id, .key = cad_str_from(k->keys[k->next])};
    return 0;
}

int tel_keys_poll(struct cad_telemetry *t, struct cad_telemetry_order *order)
{
    if (!tel_has_store(t)) return CAD_E_AGAIN;
    if (keys_poll(t, &t->journal_keys, order) == 0) return 0;
    return keys_poll(t, &t->log_keys, order);
}

/* Another one to look at later; when the table is full it waits for the next process. */
void tel_keys_add(struct tel_keys *k, const char *key)
{
    if (k->busy_id == 0 && k->next > 0) {
        memmove(k->keys[0], k->keys[k->next], (k->count - k->next) * sizeof(k->keys[0]));
        k->count -= k->next;
        k->next = 0;
    }
    if (k->count == CAD_TELEMETRY_KEYS_MAX) return;
    cad_str_copyz(k->keys[k->count++], TEL_KEY_SIZE, cad_str_from(key));
}

static struct tel_keys *keys_of(struct cad_telemetry *t, uint32_t id)
{
    if (t->journal_keys.list_id == id || t->journal_keys.busy_id == id) return &t->journal_keys;
    if (t->log_keys.list_id == id || t->log_keys.busy_id == id) return &t->log_keys;
    return NULL;
}

int tel_keys_listed(struct cad_telemetry *t, uint32_t id, int result, const cad_str *keys,
                    size_t count)
{
    struct tel_keys *k = keys_of(t, id);
    if (!k || k->list_id != id) return CAD_E_STALE;
    k->list_id = 0;
    if (result != 0) {
        t->stats.store_failures++;
        k->list_after = cad_time_add(t->now, TEL_LIST_AGAIN);
        return 0;
    }
    k->listed = true;
    k->count = k->next = 0;
    cad_str prefix = cad_str_from(k->prefix);
    for (size_t i = 0; i < count && k->count < CAD_TELEMETRY_KEYS_MAX; i++) {
        if (keys[i].n >= TEL_KEY_SIZE || !cad_str_starts(keys[i], prefix)) continue;
        cad_str_copyz(k->keys[k->count++], TEL_KEY_SIZE, keys[i]);
    }
    return 0;
}

int tel_keys_done(struct cad_telemetry *t, uint32_t id, int result, cad_buf value)
{
    struct tel_keys *k = keys_of(t, id);
    if (!k || k->busy_id != id) return CAD_E_STALE;
    k->busy_id = 0;
    const char *key = k->keys[k->next];
    if (k->deleting) {
        k->deleting = false;
        if (result != 0 && result != CAD_E_NOTFOUND) t->stats.store_failures++;
        k->next++;
        return 0;
    }
    if (result == CAD_E_NOTFOUND) {
        k->next++;
        return 0;
    }
    int err = result == 0 || result == CAD_E_DATA ? result : CAD_E_IO;
    if (result == 0) {
        err = k == &t->log_keys ? tel_send_load(t, key, value) : tel_journal_load(t, key, value);
    }
    if (err == 0) {
        k->next++;
    } else if (err == CAD_E_NOMEM || err == CAD_E_AGAIN) {
        k->list_after = cad_time_add(t->now, TEL_STORE_AGAIN); /* the same key once more */
    } else if (err == CAD_E_IO) {
        t->stats.store_failures++;
        k->next++; /* it stays for the next process */
    } else {
        t->stats.records_broken++;
        k->deleting = true;
    }
    return 0;
}

static cad_time keys_wake(const struct cad_telemetry *t, const struct tel_keys *k)
{
    if (k->list_id || k->busy_id || (k->listed && k->next >= k->count)) return CAD_TIME_MAX;
    cad_time at = CAD_MAX(k->list_after, t->now);
    if (!k->listed || k->deleting) return at;
    if (!has_room(t, k)) return CAD_TIME_MAX;
    if (!leftovers_wait(t)) return at;
    cad_time first = t->play.first_frame;
    return first == CAD_TIME_NONE ? CAD_TIME_MAX
                                  : CAD_MAX(at, cad_time_add(first, TEL_LEFTOVER_WAIT));
}

cad_time tel_keys_wake(const struct cad_telemetry *t)
{
    if (!tel_has_store(t)) return CAD_TIME_MAX;
    return CAD_MIN(keys_wake(t, &t->journal_keys), keys_wake(t, &t->log_keys));
}
