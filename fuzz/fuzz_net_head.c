/* Heads of HTTP answers: any lines, as libcurl hands them over. */
#include "base/str.h"
#include "drive/net_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) __builtin_trap();
}

static void check(const struct cad_http_head *head)
{
    require(head->id == 7);
    require(head->status >= 200 && head->status <= 599);
    require(head->length >= -1);
    require(head->total >= -1);
    require(head->date_ms >= 0);
    require(head->range.first == -1 || head->range.first <= head->range.last);
    require(head->retry_after == CAD_TIME_NONE || head->retry_after >= 0);
    require(head->location.n < CAD_NET_LOCATION_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cad_net_head head;
    cad_str rest = cad_str_make((const char *)data, size);
    cad_str line;
    cad_net_head_init(&head, 7);
    while (cad_str_split(&rest, '\n', &line)) {
        int result = cad_net_head_line(&head, line, INT64_C(1700000000000));
        require(result == 0 || result == 1 || result == CAD_E_DATA);
        if (result == 1) check(&head.http);
        if (result < 0) break;
    }
    return 0;
}
