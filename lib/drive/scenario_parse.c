/*
 * scenario_parse.c - reads a scenario: one statement a line, words between blanks, # to the line's
 * end.
 *
 * The language is docs/scenarios.md. Statements about things that this version does not have are
 * known and refused as such, so that a typing error and a missing feature look different.
 */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/scenario.h"

#define RATE_KBPS_MAX INT64_C(1000000000)
#define LATENCY_MS_MAX INT64_C(600000)
#define RATE_MIN_PPM INT64_C(500000)   /* of playback */
#define RATE_MAX_PPM INT64_C(2000000)
#define MILLION INT64_C(1000000)
#define CONSTANT_PERIOD (INT64_C(1000000) * CAD_SECOND) /* a constant link is one long period */

struct parser {
    struct cad_scenario *s;
    struct cad_scenario_result *result;
    cad_str words[CAD_SCENARIO_WORDS_MAX];
    uint32_t count, at;          /* words of the line, and the next one to read */
    uint32_t line;
};

/* ---- words --------------------------------------------------------------------------------- */

static int fail(struct parser *p, const char *what, cad_str word)
{
    p->result->line = p->line;
    if (word.n > 0) {
        (void)snprintf(p->result->message, sizeof(p->result->message), "%s: \"%.*s\"", what,
                       (int)CAD_MIN(word.n, (size_t)80), word.p);
    } else {
        (void)snprintf(p->result->message, sizeof(p->result->message), "%s", what);
    }
    return CAD_E_DATA;
}

static cad_str peek(const struct parser *p)
{
    return p->at < p->count ? p->words[p->at] : (cad_str){NULL, 0};
}

/* Take the next word if it is this one. */
static bool take(struct parser *p, const char *word)
{
    if (!cad_str_eqz(peek(p), word)) return false;
    p->at++;
    return true;
}

static int want(struct parser *p, const char *word)
{
    if (take(p, word)) return 0;
    char text[64];
    (void)snprintf(text, sizeof(text), "expected \"%s\" here", word);
    return fail(p, text, peek(p));
}

static int take_name(struct parser *p, const char *what, cad_str *out)
{
    if (p->at == p->count) return fail(p, "a word is missing", cad_str_from(what));
    *out = p->words[p->at++];
    return 0;
}

/* A decimal times 10^digits: "1.25" with 9 digits is 1250000000. */
static bool read_decimal(cad_str word, int digits, int64_t *out)
{
    cad_str whole = word, part = {NULL, 0};
    ptrdiff_t dot = cad_str_find_char(word, '.');
    if (dot >= 0) {
        whole = cad_str_sub(word, 0, (size_t)dot);
        part = cad_str_sub(word, (size_t)dot + 1, word.n);
        if (part.n == 0) return false;
    }
    int64_t value;
    if (cad_str_to_i64(whole, &value) || value < 0) return false;
    for (int i = 0; i < digits; i++) {
        int digit = 0;
        if ((size_t)i < part.n) {
            if (!cad_is_digit(part.p[i])) return false;
            digit = part.p[i] - '0';
        }
        if (!cad_mul_i64(value, 10, &value) || !cad_add_i64(value, digit, &value)) return false;
    }
    for (size_t i = (size_t)digits; i < part.n; i++) {
        if (!cad_is_digit(part.p[i])) return false;
    }
    *out = value;
    return true;
}

static int take_decimal(struct parser *p, int digits, int64_t max, int64_t *out)
{
    cad_str word = peek(p);
    if (word.n == 0) return fail(p, "a number is missing", word);
    if (!read_decimal(word, digits, out)) return fail(p, "not a number", word);
    if (*out > max) return fail(p, "too large", word);
    p->at++;
    return 0;
}

static int take_time(struct parser *p, cad_time *out)
{
    return take_decimal(p, 9, CAD_SCENARIO_TIME_MAX, out);
}

static int missing(struct parser *p, const char *what)
{
    char text[96];
    (void)snprintf(text, sizeof(text), "%s: not supported yet", what);
    return fail(p, text, (cad_str){NULL, 0});
}

static int unknown(struct parser *p)
{
    cad_str word = peek(p);
    return fail(p, word.n ? "unknown word" : "the statement is not finished", word);
}

/* ---- title, link, host, sink --------------------------------------------------------------- */

static int read_seed(struct parser *p)
{
    int64_t seed;
    int err = take_decimal(p, 0, INT64_MAX, &seed);
    if (!err) p->s->seed = (uint64_t)seed;
    return err;
}

/* What follows the last dash of "en-51", as channels; 0: no such ending. */
static uint32_t channels_of(cad_str name, cad_str *lang)
{
    static const struct { const char *ending; uint32_t channels; } endings[] = {
        {"-10", 1}, {"-20", 2}, {"-51", 6}, {"-71", 8}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(endings); i++) {
        cad_str ending = cad_str_from(endings[i].ending);
        if (name.n <= ending.n || !cad_str_ends(name, ending)) continue;
        *lang = cad_str_sub(name, 0, name.n - ending.n);
        return endings[i].channels;
    }
    *lang = name;
    return 0;
}

bool cad_scenario_track_is(const struct cad_track_info *track, cad_str name)
{
    if (cad_str_eqz(name, track->id)) return true;
    if (track->label[0] && cad_str_eqz(name, track->label)) return true;
    if (cad_str_eqz(name, track->lang)) return true;
    cad_str lang;
    uint32_t channels = channels_of(name, &lang);
    return channels > 0 && channels == track->channels && cad_str_eqz(lang, track->lang);
}

/* "en,de,en-51" */
static int read_audio_list(struct parser *p)
{
    struct cad_scenario *s = p->s;
    cad_str list, name, lang;
    int err = take_name(p, "the languages", &list);
    if (err) return err;
    if (s->audio_count > 0) return fail(p, "a second list of audio", list);
    while (cad_str_split(&list, ',', &name)) {
        if (s->audio_count == CAD_SCENARIO_AUDIO_MAX) return fail(p, "too many languages", name);
        struct cad_scenario_audio *a = &s->audio[s->audio_count];
        a->channels = channels_of(name, &lang);
        if (a->channels == 0) a->channels = 2;
        if (lang.n == 0 || lang.n >= sizeof(a->lang)) return fail(p, "not a language", name);
        cad_str_copyz(a->lang, sizeof(a->lang), lang);
        for (uint32_t i = 0; i < s->audio_count; i++) {
            bool same = strcmp(s->audio[i].lang, a->lang) == 0;
            if (same && s->audio[i].channels == a->channels) return fail(p, "twice", name);
        }
        s->audio_count++;
    }
    return 0;
}

/* "en,de" */
static int read_text_list(struct parser *p)
{
    struct cad_scenario *s = p->s;
    cad_str list, lang;
    int err = take_name(p, "the languages", &list);
    if (err) return err;
    if (s->text_count > 0) return fail(p, "a second list of text", list);
    while (cad_str_split(&list, ',', &lang)) {
        if (s->text_count == CAD_SCENARIO_TEXT_MAX) return fail(p, "too many languages", lang);
        if (lang.n == 0 || lang.n >= sizeof(s->text[0])) return fail(p, "not a language", lang);
        for (uint32_t i = 0; i < s->text_count; i++) {
            if (cad_str_eqz(lang, s->text[i])) return fail(p, "twice", lang);
        }
        cad_str_copyz(s->text[s->text_count++], sizeof(s->text[0]), lang);
    }
    return 0;
}

static int read_drm(struct parser *p)
{
    if (take(p, "cenc")) {
        return fail(p, "drm cenc: what is made of a ladder can be cbcs only", (cad_str){0});
    }
    int err = want(p, "cbcs");
    if (!err) p->s->is_protected = true;
    return err;
}

static int read_title(struct parser *p)
{
    struct cad_scenario *s = p->s;
    if (s->title_line > 0) return fail(p, "a second title", (cad_str){NULL, 0});
    s->title_line = p->line;
    if (take(p, "url")) return take_name(p, "the URL", &s->url);
    int err = want(p, "ladder");
    if (!err) err = take_name(p, "the ladder's file", &s->ladder);
    while (!err && p->at < p->count) {
        if (take(p, "duration")) {
            err = take_time(p, &s->duration);
            if (!err && s->duration < CAD_SECOND) err = fail(p, "under a second", (cad_str){0});
        } else if (take(p, "life")) {
            err = take_time(p, &s->url_life);
        } else if (take(p, "audio")) {
            err = read_audio_list(p);
        } else if (take(p, "drm")) {
            err = read_drm(p);
        } else if (take(p, "text")) {
            err = read_text_list(p);
        } else {
            err = unknown(p);
        }
    }
    return err;
}

static bool find_link(const struct cad_scenario *s, cad_str name, uint32_t *out)
{
    for (uint32_t i = 0; i < s->link_count; i++) {
        if (!cad_str_eq(s->links[i].name, name)) continue;
        *out = i;
        return true;
    }
    return false;
}

static bool find_host(const struct cad_scenario *s, cad_str name, uint32_t *out)
{
    for (uint32_t i = 0; i < s->host_count; i++) {
        if (!cad_str_eqz(name, s->hosts[i].name)) continue;
        *out = i;
        return true;
    }
    return false;
}

static int read_link(struct parser *p)
{
    struct cad_scenario *s = p->s;
    struct cad_scenario_link link = {.line = p->line};
    uint32_t other;
    int err = take_name(p, "the link's name", &link.name);
    if (err) return err;
    if (find_link(s, link.name, &other)) return fail(p, "a second link of this name", link.name);
    if (s->link_count == CAD_SIM_LINKS_MAX) return fail(p, "too many links", link.name);
    if (take(p, "trace")) {
        err = take_name(p, "the trace's file", &link.trace);
    } else {
        int64_t kbps = 0, ms = 0;
        err = want(p, "rate");
        if (!err) err = take_decimal(p, 0, RATE_KBPS_MAX, &kbps);
        if (!err) err = want(p, "latency");
        if (!err) err = take_decimal(p, 0, LATENCY_MS_MAX, &ms);
        link.period = (struct cad_trace_period){CONSTANT_PERIOD, kbps * 1000, ms * CAD_MS};
    }
    if (!err) s->links[s->link_count++] = link;
    return err;
}

static int read_host(struct parser *p)
{
    struct cad_scenario *s = p->s;
    struct cad_scenario_host host = {.link = 0};
    cad_str name, link;
    uint32_t other;
    int err = take_name(p, "the host's name", &name);
    if (!err) err = want(p, "link");
    if (!err) err = take_name(p, "the link's name", &link);
    if (err) return err;
    if (name.n >= sizeof(host.name)) return fail(p, "too long a name", name);
    if (find_host(s, name, &other)) return fail(p, "a second host of this name", name);
    if (s->host_count == CAD_SCENARIO_HOSTS_MAX) return fail(p, "too many hosts", name);
    if (!find_link(s, link, &host.link)) return fail(p, "no such link", link);
    cad_str_copyz(host.name, sizeof(host.name), name);
    s->hosts[s->host_count++] = host;
    return 0;
}

static int read_drift(struct parser *p)
{
    cad_str word = peek(p);
    bool back = cad_str_starts(word, CAD_STR("-"));
    cad_str digits = cad_str_sub(word, back ? 1 : 0, word.n);
    cad_str unit = CAD_STR("ppm");
    int64_t ppm;
    if (!cad_str_ends(digits, unit)) return fail(p, "drift wants a number with ppm", word);
    if (!read_decimal(cad_str_sub(digits, 0, digits.n - unit.n), 0, &ppm) || ppm > 100000) {
        return fail(p, "not a drift in ppm", word);
    }
    p->at++;
    p->s->sink = CAD_SIM_SINK_DRIFT;
    p->s->sink_ppm = back ? -ppm : ppm;
    return 0;
}

static int read_sink(struct parser *p)
{
    struct cad_scenario *s = p->s;
    s->sink_ppm = 0;
    if (take(p, "realtime")) {
        s->sink = CAD_SIM_SINK_REALTIME;
    } else if (take(p, "null")) {
        s->sink = CAD_SIM_SINK_NULL;
    } else if (take(p, "slow")) {
        s->sink = CAD_SIM_SINK_SLOW;
        return take_decimal(p, 6, INT64_C(100000000), &s->sink_ppm);
    } else if (take(p, "eagain")) {
        s->sink = CAD_SIM_SINK_EAGAIN;
        return take_decimal(p, 6, INT64_C(1000000), &s->sink_ppm);
    } else if (take(p, "drift")) {
        return read_drift(p);
    } else {
        return unknown(p);
    }
    return 0;
}

/* ---- expectations -------------------------------------------------------------------------- */

static const struct subject {
    const char *name;
    enum cad_scenario_subject subject;
    bool is_time;                /* a decimal in seconds */
    bool at_any_time;            /* may follow "at T" and "every N" */
} subjects[] = {
    {"buffer", CAD_SUBJECT_BUFFER, true, true},
    {"position", CAD_SUBJECT_POSITION, true, true},
    {"state", CAD_SUBJECT_STATE, false, true},
    {"rung", CAD_SUBJECT_RUNG, false, true},
    {"stalls", CAD_SUBJECT_STALLS, false, true},
    {"stall-time", CAD_SUBJECT_STALL_TIME, true, true},
    {"refreshes", CAD_SUBJECT_REFRESHES, false, true},
    {"switches", CAD_SUBJECT_SWITCHES, false, true},
    {"startup", CAD_SUBJECT_STARTUP, true, false},
    {"dropped", CAD_SUBJECT_DROPPED, false, true},
    {"fetched-twice", CAD_SUBJECT_TWICE, false, true},
    {"licences", CAD_SUBJECT_LICENCES, false, true},
    {"events", CAD_SUBJECT_EVENTS, false, true},
    {"events-delivered", CAD_SUBJECT_DELIVERED, false, true},
    {"events-waiting", CAD_SUBJECT_WAITING, false, true},
    {"probes", CAD_SUBJECT_PROBES, false, true},
    {"track", CAD_SUBJECT_TRACK, false, true},
    {"text", CAD_SUBJECT_TEXT, false, true},
    {"keys", CAD_SUBJECT_KEYS, false, true},
    {"event", CAD_SUBJECT_EVENT, false, false},
    {"no stall", CAD_SUBJECT_NO_STALL, false, false},
    {"no error", CAD_SUBJECT_NO_ERROR, false, false},
    {"no request", CAD_SUBJECT_NO_REQUEST, false, false},
    {"ended", CAD_SUBJECT_ENDED, false, false},
    {"failed", CAD_SUBJECT_FAILED, false, false},
};

static const char *const op_names[] = {"==", ">=", "<=", ">", "<"}; /* in order of the enum */

const char *cad_scenario_subject_name(enum cad_scenario_subject subject)
{
    return (size_t)subject < CAD_ARRAY_LEN(subjects) ? subjects[subject].name : "?";
}

bool cad_scenario_subject_is_time(enum cad_scenario_subject subject)
{
    return (size_t)subject < CAD_ARRAY_LEN(subjects) && subjects[subject].is_time;
}

const char *cad_scenario_op_name(enum cad_scenario_op op)
{
    return (size_t)op < CAD_ARRAY_LEN(op_names) ? op_names[op] : "?";
}

static int take_op(struct parser *p, enum cad_scenario_op *out)
{
    for (size_t i = 0; i < CAD_ARRAY_LEN(op_names); i++) {
        if (!take(p, op_names[i])) continue;
        *out = (enum cad_scenario_op)i;
        return 0;
    }
    return fail(p, "expected one of == >= <= > <", peek(p));
}

/* "from A to B". */
static int take_span(struct parser *p, struct cad_scenario_expect *e)
{
    int err = want(p, "from");
    if (!err) err = take_time(p, &e->from);
    if (!err) err = want(p, "to");
    if (!err) err = take_time(p, &e->to);
    if (!err && e->to < e->from) err = fail(p, "the span ends before it begins", (cad_str){0});
    return err;
}

static int read_no(struct parser *p, struct cad_scenario_expect *e)
{
    if (take(p, "stall")) {
        e->subject = CAD_SUBJECT_NO_STALL;
        return take(p, "after") ? take_time(p, &e->from) : 0;
    }
    if (take(p, "error")) {
        e->subject = CAD_SUBJECT_NO_ERROR;
        return 0;
    }
    if (!take(p, "request")) return unknown(p);
    e->subject = CAD_SUBJECT_NO_REQUEST;
    return take_span(p, e);
}

/* "event NAME within S [after T]". */
static int read_event(struct parser *p, struct cad_scenario_expect *e)
{
    cad_time within = 0;
    int err = take_name(p, "the event's name", &e->text);
    if (!err) err = want(p, "within");
    if (!err) err = take_time(p, &within);
    e->from = 0;
    if (!err && take(p, "after")) err = take_time(p, &e->from);
    e->to = e->from + within;
    return err;
}

static bool take_subject(struct parser *p, struct cad_scenario_expect *e)
{
    for (size_t i = 0; i < CAD_ARRAY_LEN(subjects); i++) {
        if (!take(p, subjects[i].name)) continue;
        e->subject = subjects[i].subject;
        return true;
    }
    return false;
}

static int read_value(struct parser *p, struct cad_scenario_expect *e)
{
    int err = 0;
    e->op = CAD_OP_EQ;
    if (e->subject != CAD_SUBJECT_TWICE || !read_decimal(peek(p), 0, &e->value)) {
        err = take_op(p, &e->op);
    }
    bool is_time = cad_scenario_subject_is_time(e->subject);
    if (!err) err = take_decimal(p, is_time ? 9 : 0, INT64_MAX, &e->value);
    if (!err && e->subject == CAD_SUBJECT_RUNG && p->at < p->count) err = take_span(p, e);
    return err;
}

/* What follows the word "expect". */
static int read_expect(struct parser *p, struct cad_scenario_expect *e)
{
    if (take(p, "no")) return read_no(p, e);
    if (!take_subject(p, e)) return unknown(p);
    switch (e->subject) {
    case CAD_SUBJECT_EVENT:
        return read_event(p, e);
    case CAD_SUBJECT_STATE:
        return take_name(p, "the state's name", &e->text);
    case CAD_SUBJECT_TRACK: {
        bool text = take(p, "text");
        e->media = text ? CAD_MEDIA_TEXT : CAD_MEDIA_AUDIO;
        int err = text ? 0 : want(p, "audio");
        return err ? err : take_name(p, "the track's name", &e->text);
    }
    case CAD_SUBJECT_TEXT:
        return take_name(p, "the track's name", &e->text);
    case CAD_SUBJECT_KEYS:
        return take_name(p, "the status's name", &e->text);
    case CAD_SUBJECT_ENDED:
        return 0;
    case CAD_SUBJECT_FAILED:
        return p->at < p->count ? take_name(p, "the error's name", &e->text) : 0;
    default:
        return read_value(p, e);
    }
}

/* every and at are CAD_TIME_NONE where they do not apply. */
static int add_expect(struct parser *p, cad_time every, cad_time at)
{
    struct cad_scenario *s = p->s;
    if (s->expect_count == CAD_SCENARIO_EXPECTS_MAX) {
        return fail(p, "too many expectations", (cad_str){0});
    }
    struct cad_scenario_expect e = {
        .from = CAD_TIME_NONE, .to = CAD_TIME_NONE, .at = at, .line = p->line,
        .every = every == CAD_TIME_NONE ? 0 : every};
    int err = read_expect(p, &e);
    if (err) return err;
    bool moment = every != CAD_TIME_NONE || at != CAD_TIME_NONE;
    if (moment && !subjects[e.subject].at_any_time) {
        return fail(p, "this is only known at the end", cad_str_from(subjects[e.subject].name));
    }
    if (moment && e.from != CAD_TIME_NONE) return fail(p, "a span and a moment", (cad_str){0});
    s->expects[s->expect_count++] = e;
    return 0;
}

static int read_every(struct parser *p)
{
    cad_time every;
    int err = take_time(p, &every);
    if (!err && every < CAD_MS) err = fail(p, "every wants a millisecond at least", (cad_str){0});
    if (!err) err = want(p, "expect");
    return err ? err : add_expect(p, every, CAD_TIME_NONE);
}

/* ---- actions ------------------------------------------------------------------------------- */

static int read_down(struct parser *p, struct cad_scenario_action *a)
{
    if (take(p, "refuse")) {
        a->fault = CAD_HOST_REFUSE;
    } else if (take(p, "blackhole")) {
        a->fault = CAD_HOST_BLACKHOLE;
    } else if (take(p, "reset-at")) {
        a->fault = CAD_HOST_RESET_AT;
        return take_decimal(p, 0, INT64_MAX, &a->value);
    } else if (take(p, "status")) {
        a->fault = CAD_HOST_STATUS;
        int err = take_decimal(p, 0, 599, &a->value);
        return !err && a->value < 100 ? fail(p, "not an HTTP status", (cad_str){0}) : err;
    } else if (take(p, "rate")) {
        a->fault = CAD_HOST_RATE;
        int err = take_decimal(p, 0, RATE_KBPS_MAX, &a->value);
        if (!err && a->value == 0) err = fail(p, "a rate of 0: use blackhole", (cad_str){0});
        a->value *= 1000;
        return err;
    } else {
        return unknown(p);
    }
    return 0;
}

static int read_host_action(struct parser *p, struct cad_scenario_action *a)
{
    cad_str name;
    a->type = CAD_DO_HOST;
    int err = take_name(p, "the host's name", &name);
    if (err) return err;
    if (!find_host(p->s, name, &a->host)) return fail(p, "no such host", name);
    if (take(p, "up")) {
        a->fault = CAD_HOST_UP;
        return 0;
    }
    err = want(p, "down");
    return err ? err : read_down(p, a);
}

/* "rate 1.5" */
static int read_rate(struct parser *p, struct cad_scenario_action *a)
{
    int64_t ppm;
    cad_str word = peek(p);
    a->type = CAD_DO_RATE;
    int err = take_decimal(p, 6, INT64_MAX / 65536, &ppm);
    if (err) return err;
    if (ppm < RATE_MIN_PPM || ppm > RATE_MAX_PPM) return fail(p, "a rate is 0.5 to 2", word);
    a->value = ppm * 65536 / MILLION;
    return 0;
}

static int read_up_or_down(struct parser *p, const char *up, const char *down, bool *out)
{
    *out = take(p, up);
    return *out ? 0 : want(p, down);
}

/* "service licence down garbage", "service licence slow 0.8": the services have switches of the
 * names "licence-garbage", "licence-slow-800". */
static int read_service(struct parser *p, struct cad_scenario_action *a)
{
    static const char *const ways[] = {"refused", "garbage", "cut"};
    cad_str name;
    const char *way = "";
    cad_time late = -1;
    a->type = CAD_DO_SERVICE;
    int err = take_name(p, "the service's name", &name);
    if (err) return err;
    if (name.n > 24) return fail(p, "no such service", name);
    if (take(p, "slow")) err = take_time(p, &late);
    else err = read_up_or_down(p, "up", "down", &a->up);
    for (size_t i = 0; !err && late < 0 && !a->up && i < CAD_ARRAY_LEN(ways); i++) {
        if (way[0] == '\0' && take(p, ways[i])) way = ways[i];
    }
    if (late >= 0) {
        a->up = late == 0;
        (void)snprintf(a->service, sizeof(a->service), "%.*s-slow-%lld", (int)name.n, name.p,
                       (long long)(late / CAD_MS));
    } else {
        (void)snprintf(a->service, sizeof(a->service), "%.*s%s%s", (int)name.n, name.p,
                       way[0] ? "-" : "", way);
    }
    return err;
}

static int read_action(struct parser *p, struct cad_scenario_action *a)
{
    static const struct { const char *word; enum cad_scenario_action_type type; } plain[] = {
        {"play", CAD_DO_PLAY}, {"pause", CAD_DO_PAUSE}, {"stop", CAD_DO_STOP},
        {"prepare", CAD_DO_PREPARE}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(plain); i++) {
        if (!take(p, plain[i].word)) continue;
        a->type = plain[i].type;
        p->s->prepares = p->s->prepares || a->type == CAD_DO_PREPARE;
        return 0;
    }
    if (take(p, "device")) return missing(p, "device");
    if (take(p, "seek")) {
        a->type = CAD_DO_SEEK;
        return take_time(p, &a->position);
    }
    if (take(p, "audio")) {
        a->type = CAD_DO_AUDIO;
        return take_name(p, "the track's name", &a->name);
    }
    if (take(p, "text")) {
        a->type = CAD_DO_TEXT;
        return take_name(p, "the track's name, or off,", &a->name);
    }
    if (take(p, "rate")) return read_rate(p, a);
    if (take(p, "suspend")) {
        a->type = CAD_DO_SUSPEND;
        return take_time(p, &a->position);
    }
    if (take(p, "host")) return read_host_action(p, a);
    if (take(p, "network")) {
        a->type = CAD_DO_NETWORK;
        return read_up_or_down(p, "on", "off", &a->up);
    }
    if (take(p, "service")) return read_service(p, a);
    if (!take(p, "expect")) return unknown(p);
    a->type = CAD_DO_EXPECT;
    a->expect = p->s->expect_count;
    return add_expect(p, CAD_TIME_NONE, a->at);
}

/* Actions stay in order of time; those of one moment in order of lines. */
static void insert_action(struct cad_scenario *s, const struct cad_scenario_action *a)
{
    uint32_t i = s->action_count;
    while (i > 0 && s->actions[i - 1].at > a->at) {
        s->actions[i] = s->actions[i - 1];
        i--;
    }
    s->actions[i] = *a;
    s->action_count++;
}

static int read_at(struct parser *p)
{
    struct cad_scenario_action a = {.line = p->line};
    if (p->s->action_count == CAD_SCENARIO_ACTIONS_MAX) {
        return fail(p, "too many actions", (cad_str){0});
    }
    int err = take_time(p, &a.at);
    if (!err) err = read_action(p, &a);
    if (!err) insert_action(p->s, &a);
    return err;
}

/* ---- lines --------------------------------------------------------------------------------- */

static cad_str without_comment(cad_str line)
{
    ptrdiff_t hash = cad_str_find_char(line, '#');
    return cad_str_trim(hash < 0 ? line : cad_str_sub(line, 0, (size_t)hash));
}

cad_str cad_scenario_line(cad_str text, uint32_t line)
{
    cad_str found = {NULL, 0};
    for (uint32_t i = 0; i < line; i++) {
        if (!cad_str_split(&text, '\n', &found)) return (cad_str){NULL, 0};
    }
    return without_comment(found);
}

static int split_line(struct parser *p, cad_str line)
{
    p->count = p->at = 0;
    line = without_comment(line);
    for (;;) {
        line = cad_str_trim(line);
        if (line.n == 0) return 0;
        if (p->count == CAD_SCENARIO_WORDS_MAX) return fail(p, "too many words", (cad_str){0});
        size_t n = 0;
        while (n < line.n && !cad_is_space(line.p[n])) n++;
        p->words[p->count++] = cad_str_sub(line, 0, n);
        line = cad_str_sub(line, n, line.n);
    }
}

static int read_statement(struct parser *p)
{
    if (take(p, "seed")) return read_seed(p);
    if (take(p, "title")) return read_title(p);
    if (take(p, "link")) return read_link(p);
    if (take(p, "host")) return read_host(p);
    if (take(p, "sink")) return read_sink(p);
    if (take(p, "buffer")) return take_time(p, &p->s->buffer);
    if (take(p, "report")) return read_up_or_down(p, "on", "off", &p->s->report);
    if (take(p, "probe")) return read_up_or_down(p, "on", "off", &p->s->probe);
    if (take(p, "at")) return read_at(p);
    if (take(p, "every")) return read_every(p);
    if (take(p, "expect")) return add_expect(p, CAD_TIME_NONE, CAD_TIME_NONE);
    if (take(p, "device")) return missing(p, "device");
    return unknown(p);
}

int cad_scenario_parse(cad_str text, struct cad_scenario *out, struct cad_scenario_result *result)
{
    struct parser p = {.s = out, .result = result};
    memset(out, 0, sizeof(*out));
    out->seed = 1;
    out->url_life = 12 * 3600 * CAD_SECOND;
    cad_str line;
    while (cad_str_split(&text, '\n', &line)) {
        p.line++;
        int err = split_line(&p, line);
        if (!err && p.count > 0) err = read_statement(&p);
        if (!err && p.at < p.count) err = fail(&p, "too much on the line", peek(&p));
        if (err) return err;
    }
    p.count = p.at = 0;
    if (out->title_line == 0) return fail(&p, "no title", (cad_str){0});
    if (out->url.n == 0 && out->host_count == 0) return fail(&p, "no host", (cad_str){0});
    if (out->url.n > 0 && out->host_count > 0) {
        return fail(&p, "a title by URL is where it is: host is for ladders", (cad_str){0});
    }
    if (out->buffer > 0 && out->buffer < 2 * CAD_SECOND) {
        return fail(&p, "a buffer under 2 seconds", (cad_str){0});
    }
    return 0;
}
