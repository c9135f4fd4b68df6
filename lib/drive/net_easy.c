#include "drive/net_easy.h"

#include <dirent.h>
#include <string.h>

#include "base/str.h"
#include "base/strbuf.h"
#include "base/uri.h"
#include "base/util.h"
#include "drive/clock.h"
#include "drive/net_address.h"

#define NET_WEIGHT_MAX 256L     /* of a stream of HTTP/2 (RFC 7540 5.3.2) */
#define NET_WARM_ANSWER_MS 3000 /* a warm request is given up that long after its connection */
/* What is read at a time. */
#define NET_BUFFER_BYTES (16L * 1024)
#define NET_HEADER_BYTES_MAX 16384    /* one request header */
#define NET_HEAD_BYTES_MAX (256u * 1024) /* all header lines of an answer, trailers too */

/* ---- callbacks of curl ---------------------------------------------------------------------- */

static void heard(struct net_transfer *t, cad_time now)
{
    t->heard = now;
    if (t->first_byte == CAD_TIME_NONE) t->first_byte = now;
    t->last_byte = now;
}

/*
 * A warm request that was first to find HTTP/2 has a connection worth keeping. One that opened a
 * connection beside another one, when nobody knew yet that they would speak HTTP/2, gives it up:
 * one is enough.
 */
static void hear_origin(struct net_transfer *t)
{
    uint32_t version = t->head.http.http_version;
    if (t->warm && t->beside && version >= 20) {
        long connects = 0;
        curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
        if (connects > 0) curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L);
    }
    cad_net_origin_heard(t->origins, t->origin, version, cad_clock_now());
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    struct net_transfer *t = ctx;
    CAD_UNUSED(size); /* always 1 */
    heard(t, cad_clock_now());
    int got = cad_net_head_line(&t->head, cad_str_make(p, n), cad_clock_wall_ms());
    t->head_bytes += n;
    if (got < 0 || t->head_bytes > NET_HEAD_BYTES_MAX) {
        t->cls = CAD_HTTP_PROTOCOL;
        t->edge_code = CURLE_WEIRD_SERVER_REPLY;
        return CURL_WRITEFUNC_ERROR;
    }
    if (got == 1) {
        t->head.http.address = t->address;
        hear_origin(t);
        t->door->head(t->door->ctx, &t->head.http);
    }
    return n;
}

/* Ends the transfer from inside a callback, for what the door answered. */
static size_t refuse(struct net_transfer *t, int err)
{
    t->stale = err == CAD_E_STALE;
    t->cls = err == CAD_E_LIMIT ? CAD_HTTP_TOO_LARGE : CAD_HTTP_RESET;
    t->edge_code = err == CAD_E_LIMIT ? CURLE_FILESIZE_EXCEEDED : CURLE_WRITE_ERROR;
    return CURL_WRITEFUNC_ERROR;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    struct net_transfer *t = ctx;
    CAD_UNUSED(size); /* always 1 */
    cad_time now = cad_clock_now();
    heard(t, now);
    int64_t most = t->delivery.size_max;
    if (most > 0 && t->head.http.length > most) return refuse(t, CAD_E_LIMIT);
    int err = cad_transport_deliver(t->door, &t->delivery, (const uint8_t *)p, n, now);
    return err ? refuse(t, err) : n;
}

/* Just before the request goes out, on a new connection or an old one. */
static int on_connected(void *ctx, char *remote, char *local, int remote_port, int local_port)
{
    struct net_transfer *t = ctx;
    CAD_UNUSED(local);
    CAD_UNUSED(remote_port);
    CAD_UNUSED(local_port);
    if (!t->guard.proxied) t->address = cad_net_address_text(remote);
    if (!t->guard.proxied && !cad_net_address_allowed(t->address, t->guard.most)) {
        t->cls = CAD_HTTP_ADDRESS;
        t->edge_code = CURLE_ABORTED_BY_CALLBACK;
        return CURL_PREREQFUNC_ABORT;
    }
    t->state = NET_SENT;
    t->heard = cad_clock_now();
    return CURL_PREREQFUNC_OK;
}

/* ---- roots ----------------------------------------------------------------------------------- */

/* "5443e9e3.0": the hash of a subject, as c_rehash names it. */
static bool is_hash(const char *name)
{
    for (int i = 0; i < 8; i++) {
        if (cad_hex_value(name[i]) < 0) return false;
    }
    return name[8] == '.' && name[9] == '0' && name[10] == '\0';
}

const char *cad_net_system_folder(const char *path)
{
    DIR *folder = path ? opendir(path) : NULL;
    if (!folder) return NULL;
    bool found = false;
    const struct dirent *entry;
    while (!found && (entry = readdir(folder)) != NULL) found = is_hash(entry->d_name);
    closedir(folder);
    return found ? path : NULL;
}

/* ---- making and asking ----------------------------------------------------------------------- */

/* Remembers the first failure, so that a run of options is tested once. */
struct options {
    CURL *easy;
    CURLcode err;
};

static void set_long(struct options *o, CURLoption option, long v)
{
    if (!o->err) o->err = curl_easy_setopt(o->easy, option, v);
}

static void set_text(struct options *o, CURLoption option, const char *v)
{
    if (!o->err) o->err = curl_easy_setopt(o->easy, option, v);
}

static void set_off(struct options *o, CURLoption option, curl_off_t v)
{
    if (!o->err) o->err = curl_easy_setopt(o->easy, option, v);
}

static void set_callbacks(struct options *o, struct net_transfer *t, struct net_keylog *key_log)
{
    CURLcode err = o->err;
    if (!err) err = curl_easy_setopt(o->easy, CURLOPT_HEADERFUNCTION, on_header);
    if (!err) err = curl_easy_setopt(o->easy, CURLOPT_HEADERDATA, t);
    if (!err) err = curl_easy_setopt(o->easy, CURLOPT_WRITEFUNCTION, on_body);
    if (!err) err = curl_easy_setopt(o->easy, CURLOPT_WRITEDATA, t);
    if (!err) err = curl_easy_setopt(o->easy, CURLOPT_PREREQFUNCTION, on_connected);
    if (!err) err = curl_easy_setopt(o->easy, CURLOPT_PREREQDATA, t);
    if (!err) err = curl_easy_setopt(o->easy, CURLOPT_OPENSOCKETFUNCTION, cad_net_guard_socket);
    if (!err) err = curl_easy_setopt(o->easy, CURLOPT_OPENSOCKETDATA, &t->guard);
    if (!err) err = curl_easy_setopt(o->easy, CURLOPT_PRIVATE, t);
    o->err = err;
    /* Where it is not known there is nothing to guard against either: not OpenSSL. */
    (void)curl_easy_setopt(o->easy, CURLOPT_SSL_CTX_FUNCTION, cad_net_guard_tls);
    (void)curl_easy_setopt(o->easy, CURLOPT_SSL_CTX_DATA, key_log);
}

/* A proxy of TLS is held to the same roots. What it says to CONNECT is no answer of a server. */
static void set_proxy(struct options *o, const struct net_setup *setup)
{
    set_text(o, CURLOPT_PROXY, setup->proxy ? setup->proxy : "");
    set_text(o, CURLOPT_NOPROXY, setup->proxy ? "" : "*");
    set_long(o, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
    if (setup->roots.file) {
        set_text(o, CURLOPT_PROXY_CAINFO, setup->roots.file);
        set_text(o, CURLOPT_PROXY_CAPATH, NULL);
    } else if (setup->roots.folder) {
        set_text(o, CURLOPT_PROXY_CAINFO, NULL);
        set_text(o, CURLOPT_PROXY_CAPATH, setup->roots.folder);
    }
}

static void set_roots(struct options *o, const struct net_roots *roots)
{
    set_long(o, CURLOPT_SSL_VERIFYPEER, 1);
    set_long(o, CURLOPT_SSL_VERIFYHOST, 2);
    if (roots->file) {
        set_text(o, CURLOPT_CAINFO, roots->file);
        set_text(o, CURLOPT_CAPATH, NULL); /* only the file's roots */
    } else if (roots->folder) {
        set_text(o, CURLOPT_CAINFO, NULL);
        set_text(o, CURLOPT_CAPATH, roots->folder);
    }
}

int cad_net_easy_make(struct net_transfer *t, const struct net_setup *setup)
{
    if (t->easy) return 0;
    struct options o = {curl_easy_init(), CURLE_OK};
    if (!o.easy) return CAD_E_NOMEM;
    set_callbacks(&o, t, setup->key_log);
    set_long(&o, CURLOPT_NOSIGNAL, 1);
    set_long(&o, CURLOPT_QUICK_EXIT, 1); /* never wait for the resolver's thread */
    set_text(&o, CURLOPT_PROTOCOLS_STR, "http,https");
    set_proxy(&o, setup);
    set_long(&o, CURLOPT_NETRC, CURL_NETRC_IGNORED);
    set_long(&o, CURLOPT_FOLLOWLOCATION, 0);
    set_long(&o, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2); /* at least; 1.3 where it is */
    set_roots(&o, &setup->roots);
    set_long(&o, CURLOPT_BUFFERSIZE, NET_BUFFER_BYTES);
    set_long(&o, CURLOPT_TCP_KEEPALIVE, 1);
    if (o.err) {
        curl_easy_cleanup(o.easy);
        return CAD_E_NOMEM;
    }
    t->easy = o.easy;
    t->guard.proxied = setup->proxy != NULL;
    return 0;
}

void cad_net_easy_reset(struct net_transfer *t, const struct cad_http_start *start)
{
    t->delivery = (struct cad_transport_delivery){.id = start->id, .size_max = start->size_max};
    t->origin = 0;
    t->guard.most = start->address_max;
    t->guard.refused = false;
    t->address = CAD_ADDRESS_UNKNOWN;
    t->cls = CAD_HTTP_OK;
    t->edge_code = 0;
    t->head_bytes = 0;
    t->stale = false;
    t->started = t->asked = t->heard = cad_clock_now();
    t->first_byte = t->last_byte = CAD_TIME_NONE;
    t->connect_timeout = start->connect_timeout;
    t->silence_timeout = start->silence_timeout;
    cad_net_head_init(&t->head, start->id);
}

static bool clean(cad_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') return false;
    }
    return true;
}

static int add_header(struct net_transfer *t, const char *line)
{
    struct curl_slist *list = curl_slist_append(t->headers, line);
    if (!list) return CAD_E_NOMEM;
    t->headers = list;
    return 0;
}

/* The request's headers; those that curl would add to a POST by itself are switched off. */
static int ask_headers(struct net_transfer *t, const struct cad_http_start *start)
{
    char line[NET_HEADER_BYTES_MAX];
    bool has_type = false;
    for (uint32_t i = 0; i < start->header_count; i++) {
        const struct cad_header *header = &start->headers[i];
        if (!header->name.n || !clean(header->name) || !clean(header->value)) return CAD_E_INVAL;
        if (cad_str_find_char(header->name, ':') >= 0) return CAD_E_INVAL;
        if (header->name.n + header->value.n + 3 > sizeof line) return CAD_E_INVAL;
        struct cad_sb sb;
        cad_sb_init_fixed(&sb, line, sizeof line);
        cad_sb_put(&sb, header->name);
        cad_sb_putz(&sb, header->value.n ? ": " : ";"); /* ";" is curl's way to say "empty" */
        cad_sb_put(&sb, header->value);
        if (add_header(t, cad_sb_z(&sb))) return CAD_E_NOMEM;
        if (cad_str_ieq(header->name, CAD_STR("content-type"))) has_type = true;
    }
    if (!start->post) return 0;
    if (!has_type && add_header(t, "Content-Type:")) return CAD_E_NOMEM;
    return add_header(t, "Expect:");
}

static void ask_body(struct options *o, const struct cad_http_start *start)
{
    if (!start->post) {
        set_long(o, CURLOPT_HTTPGET, 1);
        return;
    }
    set_long(o, CURLOPT_POST, 1);
    set_off(o, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)start->body.n);
    set_text(o, CURLOPT_COPYPOSTFIELDS, start->body.n ? (const char *)start->body.p : "");
}

static void ask_range(struct options *o, const struct cad_range *range)
{
    char text[64];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, text, sizeof text);
    cad_sb_i64(&sb, range->first);
    cad_sb_putc(&sb, '-');
    if (range->last >= 0) cad_sb_i64(&sb, range->last);
    set_text(o, CURLOPT_RANGE, range->first >= 0 ? cad_sb_z(&sb) : NULL);
}

/*
 * Over TLS a request waits for a connection that is being made, to share it if that turns out to
 * speak HTTP/2; not where the origin is known to speak HTTP/1.1, and not without TLS, which is
 * HTTP/1.1 here.
 */
static void ask_version(struct options *o, const struct net_transfer *t, const struct cad_uri *uri)
{
    bool tls = cad_uri_is_https(uri);
    uint32_t known = cad_net_origin_version(t->origins, t->origin);
    set_long(o, CURLOPT_HTTP_VERSION, tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
    set_long(o, CURLOPT_PIPEWAIT, tls && (known == 0 || known >= 20));
}

int cad_net_easy_warm(struct net_transfer *t, cad_time connect_timeout)
{
    struct options o = {t->easy, CURLE_OK};
    int64_t limit_ms = connect_timeout / CAD_MS + 1 + NET_WARM_ANSWER_MS;
    set_long(&o, CURLOPT_NOBODY, 1);
    set_long(&o, CURLOPT_PIPEWAIT, 0);
    set_long(&o, CURLOPT_FORBID_REUSE, 0);
    set_long(&o, CURLOPT_TIMEOUT_MS, (long)CAD_MIN(limit_ms, 60000));
    return o.err ? CAD_E_NOMEM : 0;
}

static int invalid(struct net_transfer *t, enum cad_http_class cls, CURLcode code)
{
    t->cls = cls;
    t->edge_code = code;
    return CAD_E_INVAL;
}

int cad_net_easy_ask(struct net_transfer *t, const struct cad_http_start *start)
{
    struct cad_uri uri;
    char url[CAD_URI_BYTES_MAX + 1];
    /* A name and password in a URL would be sent: such a URL is refused, whoever wrote it. */
    if (cad_uri_parse(start->url, &uri) || !cad_uri_is_http(&uri) || uri.has_userinfo) {
        return invalid(t, CAD_HTTP_SCHEME, CURLE_URL_MALFORMAT);
    }
    if (t->guard.proxied && !cad_net_guard_name(&uri, start->address_max)) {
        return invalid(t, CAD_HTTP_ADDRESS, CURLE_ABORTED_BY_CALLBACK);
    }
    cad_str_copyz(url, sizeof url, start->url);
    int err = ask_headers(t, start);
    if (err == CAD_E_INVAL) return invalid(t, CAD_HTTP_PROTOCOL, CURLE_BAD_FUNCTION_ARGUMENT);
    if (err) return err;
    struct options o = {t->easy, CURLE_OK};
    t->origin = cad_net_origin_key(&uri);
    set_text(&o, CURLOPT_URL, url);
    ask_version(&o, t, &uri);
    if (!o.err) o.err = curl_easy_setopt(o.easy, CURLOPT_HTTPHEADER, t->headers);
    ask_body(&o, start);
    ask_range(&o, &start->range);
    /* Streams of one connection: each step of urgency counts twice as much as the next. */
    set_long(&o, CURLOPT_STREAM_WEIGHT, NET_WEIGHT_MAX >> CAD_MIN(start->priority, 7));
    /* 0 means curl's own default of 300 s there, so "none" is a day. */
    const cad_time day = 86400 * CAD_SECOND;
    cad_time connect = start->connect_timeout > 0 ? CAD_MIN(start->connect_timeout, day) : day;
    set_long(&o, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect / CAD_MS + 1));
    if (o.err == CURLE_URL_MALFORMAT) return invalid(t, CAD_HTTP_SCHEME, o.err);
    return o.err ? CAD_E_NOMEM : 0;
}

/* ---- the end --------------------------------------------------------------------------------- */

enum cad_http_class cad_net_class(CURLcode code, bool connected)
{
    switch ((int)code) {
    case CURLE_OK: return CAD_HTTP_OK;
    case CURLE_COULDNT_RESOLVE_HOST: return CAD_HTTP_DNS;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
    case CURLE_NO_CONNECTION_AVAILABLE: return CAD_HTTP_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CIPHER:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_SHUTDOWN_FAILED: return CAD_HTTP_TLS;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT: return CAD_HTTP_CERTIFICATE;
    case CURLE_OPERATION_TIMEDOUT: return CAD_HTTP_TIMEOUT;
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2_STREAM:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_OUT_OF_MEMORY: return CAD_HTTP_RESET;
    case CURLE_FILESIZE_EXCEEDED: return CAD_HTTP_TOO_LARGE;
    /* curl says "unsupported protocol" of an answer in HTTP/0.9 as well. */
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT: return connected ? CAD_HTTP_PROTOCOL : CAD_HTTP_SCHEME;
    default: return CAD_HTTP_PROTOCOL;
    }
}

/* A time of curl (us since its start; 0: not passed) as monotonic time between from and to. */
static cad_time mark(const struct net_transfer *t, CURLINFO info, cad_time from, cad_time to)
{
    curl_off_t us = 0;
    if (curl_easy_getinfo(t->easy, info, &us) || us <= 0) return CAD_TIME_NONE;
    cad_time at = cad_time_add(t->asked, (cad_time)us * CAD_US);
    return CAD_MAX(from, CAD_MIN(at, to));
}

void cad_net_easy_end(const struct net_transfer *t, CURLcode code, struct cad_http_end *end)
{
    memset(end, 0, sizeof *end);
    end->id = t->delivery.id;
    bool ours = t->cls != CAD_HTTP_OK;
    end->cls = ours ? t->cls : cad_net_class(code, t->state == NET_SENT);
    /* None of the host's addresses could be connected to, and one of them because it may not. */
    if (end->cls == CAD_HTTP_CONNECT && t->guard.refused) end->cls = CAD_HTTP_ADDRESS;
    end->edge_code = ours ? t->edge_code : (int64_t)code;
    end->dns = end->connect = end->tls = CAD_TIME_NONE;
    end->first_byte = t->first_byte;
    end->last_byte = t->last_byte;
    cad_transport_tell_reads(&t->delivery, end);
    if (t->state == NET_REFUSED || t->state == NET_HELD) return;
    long connects = 0;
    curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
    end->reused = connects == 0 && t->state == NET_SENT;
    if (end->reused) return; /* nothing was resolved or connected for it */
    cad_time to = t->first_byte == CAD_TIME_NONE ? cad_clock_now() : t->first_byte;
    end->dns = mark(t, CURLINFO_NAMELOOKUP_TIME_T, t->started, to);
    cad_time from = end->dns == CAD_TIME_NONE ? t->started : end->dns;
    end->connect = mark(t, CURLINFO_CONNECT_TIME_T, from, to);
    from = end->connect == CAD_TIME_NONE ? from : end->connect;
    end->tls = mark(t, CURLINFO_APPCONNECT_TIME_T, from, to);
}

cad_time cad_net_easy_limit(const struct net_transfer *t)
{
    bool connecting = t->state == NET_CONNECTING || t->state == NET_HELD;
    if (connecting && t->connect_timeout > 0) {
        return cad_time_add(t->started, t->connect_timeout);
    }
    if (t->state == NET_SENT && t->silence_timeout > 0) {
        return cad_time_add(t->heard, t->silence_timeout);
    }
    return CAD_TIME_NONE;
}
