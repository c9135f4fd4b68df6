#include "drive/transport.h"

#include <string.h>

int cad_transport_deliver(const struct cad_transport_door *door,
                          struct cad_transport_delivery *delivery, const uint8_t *p, size_t n,
                          cad_time at)
{
    while (n > 0) {
        if (delivery->size_max > 0 && delivery->received >= delivery->size_max) return CAD_E_LIMIT;
        uint8_t *data = NULL;
        size_t capacity = 0;
        int err = door->lease(door->ctx, delivery->id, n, &data, &capacity);
        if (err) return err;
        size_t take = n < capacity ? n : capacity;
        if (take == 0) return CAD_E_LIMIT;
        int64_t left = delivery->size_max - delivery->received;
        if (delivery->size_max > 0 && (uint64_t)take > (uint64_t)left) take = (size_t)left;
        memcpy(data, p, take);
        err = door->commit(door->ctx, delivery->id, take, at);
        if (err) return err;
        delivery->received += (int64_t)take;
        p += take;
        n -= take;
    }
    return 0;
}
