/*
 * session.h - the inside of the engine: one session and its parts.
 *
 * Who owns whom: the session owns the presentation, the request table, the controller, the list of
 * servers and the slots. A slot (video, audio) owns its representations (header, index) and a queue
 * of segments, contiguous in time. A request points at the slot and the segment or representation
 * it fills; the segment points back while it is in flight.
 *
 * A lane is a track of a period: what a slot fetches from. A slot is in one lane at a time; its
 * queue may hold segments of several, one after the other, and keeps their representations.
 *
 * Rule: a turn works out what should be and issues the difference (plan.c, clock.c). What is stored
 * here is what exists (bytes, requests, the sink's last report) and what was wished for (play,
 * position), never why something was pending.
 */
#ifndef CAD_ENGINE_SESSION_H
#define CAD_ENGINE_SESSION_H

#include "cadmium/engine.h"

#include "base/mem.h"
#include "base/rand.h"
#include "base/ref.h"
#include "base/ring.h"
#include "base/strbuf.h"
#include "engine/exchange.h"
#include "engine/facts.h"
#include "engine/keys.h"
#include "engine/probes.h"
#include "engine/words.h"
#include "fetch/fetch.h"
#include "mp4/mp4.h"
#include "steer/steer.h"

#define ENGINE_SEGMENTS_MAX 256          /* segments a slot holds */
#define ENGINE_TEXT_BYTES 65536          /* strings of one turn's actions */
#define ENGINE_PARSE_TOKENS 4096         /* manifest tokens a turn */
#define ENGINE_SCAN_SAMPLES 4096         /* samples a turn looks at while it waits for media */
#define ENGINE_HEADER_MAX (1024 * 1024)  /* bytes of init and index at most */
#define ENGINE_HEADER_GUESS (64 * 1024)  /* first request of a file that says nothing */
#define ENGINE_SPECULATE_MAX (1024 * 1024) /* media bytes asked for together with a header */
#define ENGINE_MANIFEST_MAX (8 * 1024 * 1024)
#define ENGINE_URL_MAX 8192              /* bytes of a URL; a longer one is refused */
#define ENGINE_ENTROPY_BYTES 256
#define ENGINE_ENTROPY_LOW 64            /* bytes that the session wants before it shares */
#define ENGINE_ACTIONS_RESERVE 128       /* actions that one turn may issue at most */
#define ENGINE_MEMORY_OVERHEAD (32 * 1024 * 1024) /* session and manifest beside media */
#define ENGINE_ASKED_MAX 3               /* attempts of a service request that is denied */
#define ENGINE_REFRESHES_MAX 5           /* failed manifest refreshes in a row */
#define ENGINE_REFRESHES_HOPELESS 2      /* of them: a viewer without media is told */

#define ENGINE_REFRESH_SPACING (30 * CAD_SECOND) /* licensed manifest 9: at most one in 30 s */
#define ENGINE_STALE_MARGIN_MS 60000     /* a URL is stale that long before it expires */
#define ENGINE_EXPIRY_NEAR_MS 300000     /* a 403 this near to expiry is about expiry */
#define ENGINE_REFRESH_LEAD_MS 1800000
#define ENGINE_ANCHOR_LIMIT (3 * CAD_SECOND) /* playing without an anchor: recovery steps */
#define ENGINE_SLEPT (2 * ENGINE_ANCHOR_LIMIT) /* between two turns while it plays */
#define ENGINE_PREPARE_AHEAD (6 * CAD_SECOND) /* media of a title that is only prepared */
#define ENGINE_PAST_END (10 * CAD_SECOND) /* a sink that runs that far behind the end is done */
#define ENGINE_REMAINDER (50 * CAD_MS) /* less media than that ahead is rounding: none */
#define ENGINE_POSITION_MAX (INT64_C(1000000000) * CAD_SECOND) /* of a title: 30 years */
#define ENGINE_ENTROPY_LIMIT (5 * CAD_SECOND) /* a request waits for entropy; then an error */
#define ENGINE_STUCK_LIMIT (90 * CAD_SECOND) /* buffering without a byte: a typed error */
#define ENGINE_OUT_OF_PLACE (1500 * CAD_MS) /* a first sample that far off, and
                                                 half a segment, is of another segment */
#define ENGINE_MEMORY_RETRY (200 * CAD_MS)
#define ENGINE_MEMORY_RETRIES 25
#define ENGINE_FILE_PATIENCE (3 * CAD_SECOND) /* with a file's server before its header is in */
#define ENGINE_REDIRECTS_MAX 5           /* of one attempt */
#define ENGINE_BASE_MAX 1024             /* bytes of a URL that relative redirects start from */
#define ENGINE_KEPT_HEADERS_MAX 4        /* headers of a request that redirects take along */
#define ENGINE_KEPT_BYTES_MAX 256        /* names and values of them */
#define ENGINE_WARM_AHEAD (10 * CAD_SECOND) /* media in hand before another server is thought of */
#define ENGINE_WARM_STALE (60 * CAD_SECOND) /* after its last use a server's connection is gone */
#define ENGINE_WARM_SPACING (30 * CAD_SECOND) /* at most one warm request in that time */
#define ENGINE_WARM_LOOK CAD_SECOND      /* where there was none to warm: look again */
#define ENGINE_SPARE_RETRY (10 * CAD_SECOND)  /* a header ahead of need that could not be had */
#define ENGINE_OUTAGE_RETRY (2 * CAD_SECOND) /* after giving up while the viewer still has media */
#define ENGINE_LEFT_ALONE (100 * CAD_MS) /* until a request that is due is looked at again */
#define ENGINE_AUDIO_RATE_MAX 192000     /* of an audio representation beside video, bit/s */
#define ENGINE_REPS_MAX 256              /* representations a slot keeps, of all its lanes */
#define ENGINE_SEGMENT_SHARE 4           /* a segment is at most that part of the ceiling */
#define ENGINE_INIT_GUESS (4 * 1024)     /* bytes of an init segment nobody has described */
#define ENGINE_AUDIO_PREROLL (100 * CAD_MS) /* before a seam, for the decoder (Opus: 80 ms) */
#define ENGINE_SWITCH_LEAD_MAX (4 * CAD_SECOND) /* old sound played on while the new one comes */

enum rep_state {
    REP_NEW,    /* no header yet */
    REP_READY,  /* init and index are read */
    REP_LOST    /* cannot be used any more */
};

/* A representation as the session knows it. */
struct rep {
    uint32_t at;                 /* its place in slot->reps */
    uint32_t lane;               /* slot->lane when it was made */
    uint32_t period;
    bool final;                  /* nothing follows its lane without a new beginning */
    cad_time period_start, period_end; /* presentation time; end CAD_TIME_NONE of the last one:
                                    what its index holds is played */
    const struct cad_track *track;
    const struct cad_representation *model;
    enum rep_state state;
    enum cad_error_code lost_by; /* LOST: why */
    bool key_lost;               /* LOST: with its key, which may come back */
    int64_t header_shut;         /* key_lost: header_end before */
    cad_time back_at;            /* key_lost: its key can be used again; 0: it cannot */
    int64_t rate_bps;            /* declared, else measured from the index; 0 not known yet */
    struct cad_ref *header;      /* from the resource's start: init, index, perhaps media; or an
                                    init segment of its own */
    int64_t header_size;         /* bytes asked for into header */
    int64_t header_have;         /* contiguous bytes there */
    int64_t header_need;         /* bytes known to be needed for init and index, 0 unknown */
    int64_t header_end;          /* READY: just behind the index */
    bool header_settled;         /* it holds no more than the header */
    bool header_taken;           /* media that came with the header is used or dropped */
    struct cad_mp4_init init;    /* views into header */
    const struct cad_index *index; /* own_index, or the model's timeline; NULL not known yet */
    struct cad_index *own_index; /* read from a sidx */
    int64_t index_base;          /* ticks of the index at the start of the period */
    int64_t sample_base;         /* the same for samples, ticks of init.timescale */
    uint64_t servers_lost;       /* bits of servers that answered 404 */
    cad_time prefetch_at;        /* not ahead of need before */
    struct cad_fetch_request *request;
};

/* A segment that is held or being fetched. */
struct segment {
    uint64_t serial;             /* rises by one along the queue */
    uint32_t rep;
    uint32_t index;
    cad_time start, end;         /* presentation timeline */
    cad_time media;              /* where its media begins: after start, if behind a hole */
    int64_t base;                /* where the segment's own resource starts, if it is a range */
    int64_t first_byte;          /* in the resource */
    int64_t size;                /* bytes; a guess unless sized */
    bool sized;                  /* the size is known */
    int64_t have;                /* contiguous bytes from its start */
    struct cad_ref *ref;         /* NULL: no space yet */
    size_t ref_offset;           /* of its first byte */
    bool in_header;              /* its bytes lie in the header's buffer */
    struct cad_fetch_request *request;
    struct cad_mp4_reader scan;  /* how far samples are known to be whole */
    cad_time scanned;            /* end of the last whole sample, CAD_TIME_NONE none */
    bool scan_done;
    bool anew;                   /* it follows a seam: a configuration comes first in any case */
    bool last;                   /* nothing follows, whatever the index says */
    bool spent;                  /* the viewer was in it, or it was told that nobody was */
    cad_time show_from;          /* CAD_TIME_NONE, or samples before it are decode-only */
    cad_time show_until;         /* CAD_TIME_NONE, or samples from there on are not shown: it ends
                                    before its index says so */
};

/* What was chosen, by what it is, so that it can be found again in another period. */
struct track_wish {
    bool set;
    char id[CAD_TRACK_ID_SIZE];
    char lang[24];
    char role[32];
    uint32_t channels;
    enum cad_codec codec;
};

struct slot {
    bool present;
    bool provisional;            /* a bare file whose kind of media is not known yet */
    const struct cad_track *model;
    uint32_t period;             /* of model */
    uint32_t lane;               /* rises with every change of period or track; of the reps too */
    bool switching;              /* the wish has changed: another lane as soon as can be */
    bool end_pulled;             /* the sink has been told that nothing follows in this epoch */
    bool over;                   /* an empty queue: nothing follows in this chapter */
    struct rep **reps;           /* ENGINE_REPS_MAX places; NULL: free */
    uint32_t rep_count;          /* places in use are below it */
    uint32_t rung_rep[CAD_ABR_RUNGS_MAX]; /* ladder: rung to representation */
    uint32_t rung_count;
    struct cad_ring queue;       /* struct segment, contiguous in time */
    uint64_t serial_next;
    int32_t rep_now;             /* representation being fetched, -1 none yet */
    int32_t rep_config;          /* the last configuration pulled, -1 none */
    uint64_t cursor;             /* serial of the segment that is being pulled */
    struct cad_mp4_reader reader;/* place inside the segment reader_serial */
    uint64_t reader_serial;      /* 0: the reader is nowhere */
    bool reader_placed;          /* its first sample was where the index has the segment */
    bool bad_media;              /* pulling met a broken fragment; the next turn deals with it */
    cad_time skip_until;         /* samples that end before are decode-only */
    cad_time pulled_end;         /* end of the latest sample pulled in this epoch */
    cad_time shown_end;          /* the same of those to be shown; CAD_TIME_NONE none yet */
    cad_time seam_end;           /* shown_end when the reader came to its segment */
    uint64_t shown;              /* serial of the last segment the viewer reached */
    uint64_t counted;            /* serial of the last segment in the figures */
    uint64_t decided;            /* serial that rep_now was chosen for */
    bool blocked;                /* no more media fits now: by bytes or by the goal */
    cad_time room_at;            /* when the next segment will fit; CAD_TIME_NONE unknown */
    int32_t rep_shown;
    int64_t rate_shown;          /* and what it was: another place may hold the same */
    uint32_t height_shown;
    const struct cad_track *track_shown;
    int32_t server;              /* of the last request, -1 none */
    cad_time decide_at;          /* not before: the controller asked for a wait, or memory */
    uint32_t memory_failures;    /* in a row */
    struct cad_mp4_crypt crypt;  /* follows the reader through how samples are encrypted */
    bool bad_crypt;              /* one was malformed: the next turn tells */
    bool skip_sync;              /* samples are passed over up to one that decoding can begin at */
    bool locked;                 /* a sample was given whose key is awaited: which and when */
    uint8_t locked_kid[CAD_KEY_ID_SIZE];
    uint32_t locked_rep;         /* of which representation */
    cad_time locked_pts;
    struct cad_error lost;       /* code NONE, or why no more media can be had */
    uint64_t bytes_fetched, switches, requests;
    int64_t played_rate_sum;     /* rate x media ms */
    int64_t played_ms;
};

/* Growing body of a manifest answer. */
struct body {
    uint8_t *p;
    size_t n, cap;
};

struct manifest_part {
    struct cad_title title;      /* views into title_text */
    char *title_text;
    size_t title_text_size;
    bool loaded;                 /* LOAD or PREPARE was given and not stopped */
    bool prepared;               /* PREPARE: nothing is shown until a LOAD of the same title */
    bool prepared_told;          /* that it can start at once */
    bool from_mp4;               /* the title is a media file */
    uint32_t ticket;
    struct body body;
    struct cad_fetch_request *request;   /* manifest or refresh */
    struct cad_manifest_parser *parser;  /* of a whole body */
    struct cad_presentation *presentation;
    cad_time duration;           /* of the title; CAD_TIME_NONE not known yet */
    cad_time media_end;          /* of the longest index that was read, 0 none */
    char xid[33], req_id[33];
    uint32_t asked;              /* attempts under req_id that were answered in full */
    cad_time refresh_at;         /* CAD_TIME_NONE: URLs do not expire */
    cad_time refreshed_at;       /* CAD_TIME_NONE: never */
    bool refresh_wanted;         /* a request found its URL refused */
    enum cad_address_class address; /* of the peer that gave the manifest */
    char *moved_url;             /* NUL-terminated; where redirects led to it; NULL: none did */
    size_t moved_url_size;       /* with the NUL */
    uint32_t http_version;       /* of the manifest's answer; 0 unknown */
    uint32_t refresh_failures;   /* in a row */
    int64_t stale_margin_ms;     /* before expiry, ms */
    struct cad_error refresh_error;
};

struct clock_part {
    enum cad_state state;
    const char *reason;
    bool want_play;
    uint32_t want_rate_q16;      /* while it plays */
    uint32_t epoch;
    cad_time position;           /* where the epoch began */
    bool has_anchor;             /* of this epoch */
    struct cad_sink_anchor anchor;
    cad_time anchor_seen;        /* when it came; watches a stuck sink */
    uint32_t anchor_nudges;
    struct cad_sink_config sent; /* last SINK_CONFIG */
    bool sent_any;
    bool first_frame;            /* of the epoch */
    bool first_ever;
    bool drained;
    uint32_t seek_ticket;
    bool seek_pending;           /* a seek was asked for and its first picture is not out */
    bool stalled;                /* buffering because of a stall */
    cad_time stall_since;
    cad_time stall_time;
    uint32_t stalls;
    cad_time loaded_at;
    cad_time startup;
    cad_time progress_at;        /* last time a byte came or the clock moved */
    uint64_t frames, dropped;
};

/* Copies of a request's headers: those of an action live for a turn only; redirect.c. */
struct kept_headers {
    char text[ENGINE_KEPT_BYTES_MAX]; /* name, value, name, value..., one behind the other */
    uint16_t sizes[ENGINE_KEPT_HEADERS_MAX][2]; /* of name and value */
    uint32_t count;
    bool lost;                   /* there were more than that: such a request is not sent on */
};

/* Where a request has been sent on to; redirect.c. */
struct redirect {
    uint32_t hops;               /* followed so far in this attempt */
    bool wanted;                 /* the answer that is under way named `url` */
    bool secure;                 /* what is being asked is https */
    char base[ENGINE_BASE_MAX];  /* the first URL without its query; empty: too long, or a file */
    char *url;                   /* where it was sent last, NUL-terminated; NULL nowhere */
    size_t url_size;             /* with the NUL */
    struct cad_http_start start; /* as it was first asked; no URL, no body, no headers */
    struct kept_headers headers;
};

/* What a live request fills; kept beside the request table (request->owner). */
struct target {
    bool used;
    struct rep *rep;             /* HEADER */
    uint64_t serial;             /* SEGMENT: of the segment */
    int64_t first, last;         /* bytes of the resource that the attempt asks for; last -1: all
                                    that follows */
    int64_t base;                /* added to them on the wire */
    int64_t busy_bytes;          /* media_bytes when it started */
    cad_time busy_start;         /* busy time when it started */
    int64_t skip;                /* body bytes before what was asked for: 200 to a range */
    bool shared;
    bool running;                /* between HTTP_START and its end */
    bool discard;                /* the body is not wanted (error status, wrong range) */
    bool range_wrong;
    bool head;
    bool ended;                  /* its HTTP_END waits for the turn: nothing may follow */
    bool in_path;                /* the range stands in the URL's path */
    bool elsewhere;              /* it failed: the next attempt is at a server not tried yet */
    uint32_t refusals;           /* attempts that were answered 403 or 410 */
    struct cad_http_head head_data; /* location is dropped */
    struct redirect redirect;
};

struct cad_engine {
    struct cad_engine_config config;
    struct cad_budget budget;
    struct cad_alloc alloc;      /* through the budget */
    struct cad_pool *pool;
    struct cad_fetch *fetch;
    struct cad_steer *steer;
    struct cad_abr *abr;
    struct target targets[CAD_FETCH_REQUESTS_MAX]; /* of live requests */
    char *names;                 /* copies of the config's strings */
    size_t names_size;
    struct cad_ring inputs;      /* struct cad_event */
    struct cad_ring actions;     /* struct cad_action */
    char *text;                  /* strings of the actions of this turn */
    size_t text_used;
    bool text_full;
    cad_time now;
    uint64_t turns, decisions, decision_hash;
    bool more;                   /* work is left for another turn */
    bool service_more;           /* the same, of what is around playback: it moves nothing else */
    bool touched;                /* the session was told something since its last turn */
    cad_time turned_at;          /* of the last turn, also of one without the session; now is not */
    cad_time session_wake;       /* when the session is due by itself; CAD_TIME_NONE never */
    struct manifest_part manifest;
    struct clock_part clock;
    struct keys_part keys;
    struct words_part words;
    struct exchange_part exchange;
    struct facts_part facts;
    struct probes_part probes;
    struct slot slots[CAD_ENGINE_TRACKS];
    struct cad_slot_stats closed[CAD_ENGINE_TRACKS]; /* figures of slots that are gone */
    struct track_wish wishes[CAD_ENGINE_TRACKS];
    uint32_t tracks_version;     /* of what cad_engine_tracks answers */
    uint32_t tracks_told;        /* the version of the last event about it */
    struct cad_sink_caps caps;
    bool has_caps;
    int32_t pin;
    bool online;
    int64_t wall_offset_ms;      /* Unix ms minus monotonic ms */
    bool has_wall, wall_from_server;
    uint8_t entropy[ENGINE_ENTROPY_BYTES];
    size_t entropy_n;
    uint32_t errors, refreshes;
    uint64_t bytes_twice;
    uint64_t bytes_wasted;       /* of segments that went before the viewer came to them */
    int64_t media_bytes;         /* of all transfers of media */
    struct cad_error last_failure; /* of a media request, as it would be reported */
    cad_time last_failure_at;
    int64_t pool_peak;           /* bytes of media buffers in use, the most after a turn */
    cad_time buffer_ahead;       /* the forward goal of this title */
    cad_time busy_total, busy_since;
    uint32_t busy_count;
    cad_time warm_at;            /* no connection is made ready before; CAD_TIME_NONE: at once */
    cad_time server_used[CAD_STEER_SERVERS_MAX]; /* last request or warm one; CAD_TIME_NONE none */
    uint8_t discard[4096];       /* bodies nobody wants */
};

/* ---- engine.c ---- */
void engine_fail(struct cad_engine *e, const struct cad_error *err);
char *engine_text(struct cad_engine *e, cad_str s); /* copy for this turn; NULL: full */
struct cad_header *engine_headers(struct cad_engine *e, uint32_t count); /* the same, not filled */
struct cad_action *engine_action(struct cad_engine *e, enum cad_action_type type);
bool engine_draw(struct cad_engine *e, size_t n, char *hex); /* 2n + 1 bytes of hex */
int64_t engine_wall_ms(const struct cad_engine *e);          /* 0 unknown */

/* ---- input.c ---- */
void inputs_take(struct cad_engine *e); /* what was fed, at the beginning of a turn */
/* What is kept for an event that was not taken. */
void input_release(struct cad_engine *e, struct cad_event *event);

/* ---- report.c ---- */
void engine_decide(struct cad_engine *e, const char *fmt, ...) CAD_PRINTF(2, 3);
struct cad_app_event *engine_app(struct cad_engine *e, enum cad_app_event_type type);
/* Tell that there are other tracks, or another one is chosen, once a turn. */
void engine_tell_tracks(struct cad_engine *e);
void slot_figures(const struct cad_engine *e, const struct slot *s, struct cad_slot_stats *out);
void engine_set_state(struct cad_engine *e, enum cad_state state, const char *reason);
void engine_error(struct cad_error *err, enum cad_error_code code, const char *fmt, ...)
    CAD_PRINTF(3, 4);

/* ---- title.c: manifest, refresh, URL life ---- */
void title_load(struct cad_engine *e, const struct cad_command *command);
void title_stop(struct cad_engine *e);
void title_turn(struct cad_engine *e);
void title_end(struct cad_engine *e, struct cad_fetch_request *request,
               const struct cad_http_end *end);
bool title_urls_usable(const struct cad_engine *e);  /* media may be asked for now */
cad_time title_next_wake(const struct cad_engine *e);
int title_lease(struct cad_engine *e, size_t want, uint8_t **data, size_t *capacity);
/* The body of a service request that is under way once more, in the turn's text. */
int title_post_body(struct cad_engine *e, struct cad_fetch_request *request, cad_buf *body);

/* ---- redirect.c: answers that name another place ---- */
/* How far into the network a request of that purpose may go, at first. */
enum cad_address_class redirect_address_max(const struct cad_engine *e, enum cad_purpose purpose);
/* Kept headers as part of an action of this turn; CAD_E_AGAIN: no room in it. */
int redirect_give(struct cad_engine *e, const struct kept_headers *kept,
                  struct cad_http_start *start);
/* An attempt has been started with `start`. */
void redirect_begin(struct cad_engine *e, struct target *target,
                    const struct cad_http_start *start);
/* A head came: keeps where it leads to, if it may be followed. */
void redirect_note(struct cad_engine *e, struct cad_fetch_request *request,
                   const struct cad_http_head *head);
/* Its end came. True: the same is asked for at the other place. */
bool redirect_follow(struct cad_engine *e, struct cad_fetch_request *request,
                     const struct cad_http_end *end);
/* The manifest's request is over: relative references in it are resolved against where it was. */
void redirect_take_url(struct cad_engine *e, struct target *target);
void redirect_forget(struct cad_engine *e, struct target *target);

/* ---- warm.c: connections made before they are needed ---- */
void warm_title(struct cad_engine *e, cad_str url); /* beside the first request for a title */
void warm_turn(struct cad_engine *e);
void warm_used(struct cad_engine *e, uint32_t server);
void warm_reset(struct cad_engine *e); /* another list of servers */

/* ---- request.c: attempts and bodies ---- */
struct target *request_target(const struct cad_fetch_request *request);
struct cad_fetch_request *request_new(struct cad_engine *e, enum cad_purpose purpose,
                                      int32_t slot);
void request_drop(struct cad_engine *e, struct cad_fetch_request *request); /* cancels, forgets */
void request_head(struct cad_engine *e, const struct cad_http_head *head);
void request_mark_end(struct cad_engine *e, uint32_t id);
void request_end(struct cad_engine *e, const struct cad_http_end *end);
/* Issue HTTP_START for a media request: bytes first..last of its resource, last -1 to the end.
 * CAD_E_AGAIN: no room this turn;
 * another negative: the representation has no address that can be asked. */
int request_start_media(struct cad_engine *e, struct cad_fetch_request *request, struct rep *rep,
                        struct cad_range bytes);
struct cad_verdict request_fail(struct cad_engine *e, struct cad_fetch_request *request,
                                enum cad_failure failure, cad_time retry_after, uint64_t servers);
enum cad_failure request_failure(const struct cad_http_end *end, int32_t status);
/* What is the same for all that is asked of the manifest's servers. */
void request_fill_start(const struct cad_engine *e, const struct cad_fetch_request *request,
                        struct cad_http_start *start);
/* Of `servers`, not 0: healthy, not tried yet; `sticky` if nothing speaks against it. */
uint32_t request_pick_server(struct cad_engine *e, const struct cad_fetch_request *request,
                             uint64_t servers, int32_t sticky);
/* What the failure says of its server. */
void request_tell_steer(struct cad_engine *e, const struct cad_fetch_request *request,
                        enum cad_failure failure);
/* It was refused, with a URL that is stale or near to it. */
bool request_near_expiry(const struct cad_engine *e, const struct cad_fetch_request *request);
void request_silences(struct cad_engine *e);
uint64_t rep_servers(const struct rep *rep); /* bits of the servers that have it */
/* Where a server has it; NULL: nowhere. */
const struct cad_location *rep_location(const struct rep *rep, uint32_t server);

/* ---- lane.c: periods and tracks ---- */
/* The period at a position; before the first it is the first. */
uint32_t period_at(const struct cad_presentation *p, cad_time position);
bool track_speaks(cad_str lang, cad_str wanted); /* "de" wants "de", "de-AT", "DE" */
/* Choose tracks for the period at the clock's position and open the slots. CAD_E_NOTFOUND: nothing
 * is listed, CAD_E_UNSUPPORTED: nothing can be decoded, CAD_E_NOMEM. */
int lanes_select(struct cad_engine *e);
/* The slot goes on with the next period of the chapter. CAD_E_END: there is none; the tail is then
 * marked as the last. CAD_E_NOMEM. */
int lane_advance(struct cad_engine *e, struct slot *s);
/* Before the queue is filled anew from `position`: the lane of that position's period. */
void lane_move(struct cad_engine *e, struct slot *s, cad_time position);
/* After segments were dropped from the tail: back to the period where the queue now ends. */
void lane_resume(struct cad_engine *e, struct slot *s);
void lane_choose(struct cad_engine *e, const struct cad_command *command);
/* Before a seek to `position`: give up what is held of tracks that are not wished for any more. */
void lane_drop_others(struct cad_engine *e, struct slot *s, cad_time position);
/* Carry out a wish for another track, if the queue allows it now. */
void lane_switch(struct cad_engine *e, struct slot *s);
/* Representations of lanes that nobody plays any more are released. */
void lanes_prune(struct cad_engine *e, struct slot *s);
/* Are the slots that are open those that a position needs? True while nothing is loaded. */
bool lanes_fit(const struct cad_engine *e, cad_time position);
/* After the last sample of a chapter: is there another one, and where does it begin? */
bool lanes_next_chapter(struct cad_engine *e, cad_time *start);
void lanes_rebind(struct cad_engine *e, const struct cad_presentation *fresh);

/* ---- slot.c: representations and their headers ---- */
int slot_open(struct cad_engine *e, uint32_t slot);
/* Representations of a track for the lane, and the ladder. CAD_E_NOMEM. */
int slot_enter(struct cad_engine *e, struct slot *s, uint32_t period,
               const struct cad_track *track);
void slot_close(struct cad_engine *e, struct slot *s);
void slots_clear(struct cad_engine *e);
bool track_playable(const struct cad_engine *e, const struct cad_track *track);
void rep_free(struct cad_engine *e, struct slot *s, uint32_t at);
void slot_tell_server(struct cad_engine *e, uint32_t slot);
void slots_ladder(struct cad_engine *e, uint32_t slot);
/* Read as much of the header as has come; READY, or lost with an error, or nothing yet. */
void rep_header_progress(struct cad_engine *e, uint32_t slot, struct rep *rep);
/* The request for it has ended: short says that the resource has no more bytes. */
void rep_header_closed(struct cad_engine *e, struct slot *s, struct rep *rep, bool short_file);
/* After the plan has made segments of what came with the header: give back what is not needed. */
void rep_header_settle(struct cad_engine *e, struct slot *s, struct rep *rep);
/* Bytes that the next header request should ask for: a range that begins at header_have. */
int64_t rep_header_goal(const struct cad_engine *e, const struct slot *s, const struct rep *rep);
void rep_lost(struct cad_engine *e, uint32_t slot, uint32_t rep, const struct cad_error *why);
void rep_drop(struct cad_engine *e, uint32_t slot, uint32_t rep,
              const struct cad_error *why); /* the same, and nobody is told */
/* From the first segment on that is to be pulled and that nobody can read any more. */
void slot_drop_unreadable(struct cad_engine *e, struct slot *s);
/* No representation of its lane can be used: it is lost as they are. */
void slot_barren(struct slot *s);

/* ---- queue.c: segments and samples ---- */
struct segment *queue_at(const struct slot *s, size_t i);
size_t queue_count(const struct slot *s);
struct segment *queue_find(const struct slot *s, uint64_t serial);
/* Bytes held that the viewer has not come to. They count as spent from now on. */
uint64_t queue_unspent(struct slot *s);
struct segment *queue_push(struct slot *s, uint32_t rep,
                           const struct cad_segment *seg);
void queue_clear(struct cad_engine *e, struct slot *s);
void queue_drop_tail(struct cad_engine *e, struct slot *s);
void queue_seek(struct cad_engine *e, struct slot *s, cad_time position);
void queue_evict(struct cad_engine *e, struct slot *s, cad_time before);
/* Give up what lies behind `at` and was not pulled; the queue then ends there or at the next seam
 * where it can, which is answered. CAD_TIME_NONE: not now, a fragment is half there. */
cad_time queue_cut(struct cad_engine *e, struct slot *s, cad_time at);
/* The header request has ended: segments that it holds in part get space of their own. */
void queue_settle_header(struct cad_engine *e, struct slot *s, struct rep *rep);
/* Tell segments that lie in the header's buffer how much of them has come. */
void queue_sync_header(struct slot *s, struct rep *rep);
int queue_space(struct cad_engine *e, struct segment *seg);
/* Room for n bytes of a segment whose size was a guess; what has come is kept. CAD_E_NOMEM,
 * CAD_E_LIMIT. */
int queue_grow(struct cad_engine *e, struct segment *seg, int64_t n);
int64_t segment_limit(const struct cad_engine *e); /* bytes of the largest */
cad_time queue_buffered_end(struct slot *s, cad_time from, bool scan);
bool queue_at_end(const struct slot *s); /* the last segment of the chapter is whole */
/* Nothing follows it without a new beginning. */
bool segment_last(const struct slot *s, const struct segment *seg);
bool segment_whole(const struct segment *seg);
bool rep_fetched_apart(const struct rep *rep); /* init and segments are resources of their own */
cad_time rep_time(const struct rep *rep, int64_t ticks);
int64_t rep_ticks(const struct rep *rep, cad_time t);
int queue_pull(struct cad_engine *e, struct slot *s, struct cad_sample *out);

/* ---- plan.c ---- */
/* A buffer could not be had: later again, and in the end an error. */
void plan_no_memory(struct cad_engine *e, struct slot *s);
/* Grow the header's buffer to `size` bytes; what has come is kept. */
int header_space(struct cad_engine *e, struct rep *rep, int64_t size);
void plan_turn(struct cad_engine *e);
cad_time plan_next_wake(const struct cad_engine *e);
int64_t slot_held(const struct slot *s);

/* ---- clock.c ---- */
cad_time clock_position(const struct cad_engine *e);
uint32_t clock_rate(const struct cad_engine *e);           /* wanted, that the sink can do */
void clock_begin(struct cad_engine *e, cad_time position); /* a new epoch there */
void clock_halt(struct cad_engine *e);                     /* the sink stands and shows nothing */
void clock_seek(struct cad_engine *e, cad_time position, uint32_t ticket);
void clock_anchor(struct cad_engine *e, const struct cad_sink_anchor *anchor);
void clock_level(struct cad_engine *e, const struct cad_sink_level *level);
/* No turn was taken for longer than any timer of a session that plays: the sink, whose report comes
 * with or after this turn, gets its whole time again. */
void clock_slept(struct cad_engine *e);
void clock_turn(struct cad_engine *e);
cad_time clock_next_wake(const struct cad_engine *e);
cad_time clock_ahead(struct cad_engine *e, struct slot *s);

/* ---- check.c ---- */
/* NULL: every invariant holds; else the one that does not. */
const char *engine_check(struct cad_engine *e);

#endif
