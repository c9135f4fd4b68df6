#include <string.h>

#include "cadmium/decode.h"

void cad_frame_unref(struct cad_frame *frame)
{
    if (!frame) return;
    if (frame->release) frame->release(frame->owner);
    memset(frame, 0, sizeof(*frame));
}
