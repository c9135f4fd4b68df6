/* Bodies of answers: handed out at the host's rate, cut where a fault says so. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "base/util.h"
#include "mock/mockd.h"

#define BLOCK_BYTES (32u << 10)  /* a piece of a body, without a rate */
#define TLS_BLOCK_BYTES (4u << 10) /* the same, and a TLS record: a client reads none before all of
                                      it is there, and 16 KiB are 90 ms at 1.5 Mbit/s */
#define PACE_PIECES_PER_S 50     /* with a rate: that many pieces a second */
#define PACE_BYTES_MIN 512

bool mockd_wait(struct mockd_host *host, cad_time until)
{
    struct mockd *mockd = host->mockd;
    struct timespec ts = {.tv_sec = (time_t)(until / CAD_SECOND),
                          .tv_nsec = (long)(until % CAD_SECOND)};
    (void)pthread_mutex_lock(&mockd->lock);
    while (!mockd->quitting && !host->closing) {
        if (pthread_cond_timedwait(&mockd->changed, &mockd->lock, &ts) != 0) break;
    }
    bool open = !mockd->quitting && !host->closing;
    (void)pthread_mutex_unlock(&mockd->lock);
    return open;
}

static ssize_t read_piece(struct mockd_request *request, int64_t at, char *out, size_t n)
{
    size_t done = 0;
    int rc;
    if (request->text) {
        memcpy(out, request->text + at, n);
        return (ssize_t)n;
    }
    if (request->file.fd >= 0) {
        int64_t first = request->range.first > 0 ? request->range.first : 0;
        rc = mockd_file_read(&request->file, first + at, n, (uint8_t *)out, &done);
    } else {
        rc = request->answer.read(request->answer.token, at, n, (uint8_t *)out, &done);
    }
    if (rc == 1) memset(out, 0, done); /* a hole */
    return rc < 0 || done == 0 ? MHD_CONTENT_READER_END_WITH_ERROR : (ssize_t)done;
}

static ssize_t read_body(void *cls, uint64_t position, char *out, size_t max)
{
    struct mockd_request *request = cls;
    int64_t at = (int64_t)position;
    int64_t left = CAD_MIN(request->body_size, request->cut_at) - at;
    if (left <= 0) return MHD_CONTENT_READER_END_WITH_ERROR;
    int64_t n = CAD_MIN(left, (int64_t)max);
    if (request->rate_kbps > 0) {
        int64_t piece = request->rate_kbps * 125 / PACE_PIECES_PER_S;
        n = CAD_MIN(n, CAD_MAX(piece, PACE_BYTES_MIN));
        cad_time due = request->body_start + (at + n) * 8 * CAD_MS / request->rate_kbps;
        if (!mockd_wait(request->host, due)) return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    size_t piece = (size_t)n;
    if (!mockd_stage_pace(request, &piece)) return MHD_CONTENT_READER_END_WITH_ERROR;
    ssize_t done = read_piece(request, at, out, piece);
    if (done > 0) request->sent = at + done;
    return done;
}

bool mockd_body_text(struct mockd_request *request, const char *text, size_t n)
{
    request->text = malloc(n + 1);
    if (!request->text) return false;
    if (n > 0) memcpy(request->text, text, n);
    request->body_size = (int64_t)n;
    return true;
}

/* RFC 9110 5.6.7, by hand: strftime asks the locale. */
static void http_date(int64_t now_ms, char out[40])
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t now = (time_t)(now_ms / 1000);
    struct tm tm;
    if (!gmtime_r(&now, &tm)) memset(&tm, 0, sizeof tm);
    (void)snprintf(out, 40, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday,
                   tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                   tm.tm_sec);
}

void mockd_body_header(struct mockd_request *request, cad_str name, cad_str value)
{
    uint32_t i = request->answer.header_count;
    if (i == sizeof request->header_text / sizeof request->header_text[0]) return;
    char(*text)[80] = request->header_text[i];
    struct cad_header *header = &request->answer.headers[i];
    header->name = cad_str_make(text[0], cad_str_copyz(text[0], sizeof *text, name));
    header->value = cad_str_make(text[1], cad_str_copyz(text[1], sizeof *text, value));
    request->answer.header_count++;
}

static struct MHD_Response *make_response(struct mockd_request *request)
{
    if (request->body_size == 0) {
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    }
    request->body_start = mockd_monotonic();
    size_t block = request->host->mockd->tls_cert ? TLS_BLOCK_BYTES : BLOCK_BYTES;
    return MHD_create_response_from_callback((uint64_t)request->body_size, block, read_body,
                                             request, NULL);
}

enum MHD_Result mockd_body_send(struct mockd_request *request, struct MHD_Connection *connection)
{
    struct MHD_Response *response = make_response(request);
    char date[40];
    if (!response) return MHD_NO;
    http_date(mockd_now_ms(request->host->mockd), date);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_DATE, date);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (request->answer.content_type) {
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                      request->answer.content_type);
    }
    for (uint32_t i = 0; i < request->answer.header_count; i++) {
        (void)MHD_add_response_header(response, request->header_text[i][0],
                                      request->header_text[i][1]);
    }
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)request->status, response);
    MHD_destroy_response(response);
    return result;
}
