#include "error_words.h"

#include <stdio.h>

#include "base/shown.h"
#include "base/str.h"
#include "base/util.h"

#define ASK_PROVIDER "If it goes on, the provider of the title can help."

struct row {
    int key;
    struct error_words words;
};

/* By code: where more can be said than by the domain. */
static const struct row by_code[] = {
    {CAD_ERR_TITLE_INVALID,
     {"This is not a title", "What was asked for is no address, no file and no title of a service.",
      "Check how it is written and try again."}},
    {CAD_ERR_SCHEME_REFUSED,
     {"This kind of address is not allowed", "The title, or a part of it, is at an address that "
      "this player does not open.", "Use an address that begins with https, or a file."}},
    {CAD_ERR_FILE_NOT_FOUND,
     {"File not found", "There is no such file.", "Check the name, or whether it was moved."}},
    {CAD_ERR_FILE_UNREADABLE,
     {"The file cannot be used", "It exists, but it could not be read.",
      "Check its permissions and whether the disk is still there."}},
    {CAD_ERR_STREAMS_REFUSED,
     {"The service ended this playback", "It may be playing on too many devices at a time.",
      "Stop it somewhere else and try again."}},
    {CAD_ERR_FILE_UNWRITABLE,
     {"The file cannot be written", "What was to be written to it is not whole.",
      "Check that the folder is there, its permissions, and whether the disk is full."}},
    {CAD_ERR_NO_SUCH_TRACK,
     {"This track cannot be played",
      "The track is not there, or this device has no decoder for it.", "Choose another track."}},
    {CAD_ERR_NET_DNS,
     {"The server cannot be found", "Its name is not known to the network.",
      "Check the address and your internet connection, then try again."}},
    {CAD_ERR_NET_CONNECT,
     {"No connection to the server", "No server accepted a connection.",
      "Check your internet connection. The service may be down for a moment."}},
    {CAD_ERR_NET_TLS,
     {"No secure connection", "A protected connection to the server could not be made.",
      "A network that watches its users can be the cause: try another network."}},
    {CAD_ERR_NET_CERTIFICATE,
     {"The server cannot prove who it is", "Its certificate is not trusted, so nothing was sent.",
      "Check date and time of this device. On a public network, sign in to it first."}},
    {CAD_ERR_NET_TIMEOUT,
     {"The server does not answer", "It was asked several times and no answer came in time.",
      "Check your internet connection, then try again."}},
    {CAD_ERR_NET_RESET,
     {"The connection broke", "It was lost again and again while the title was loaded.",
      "Check your internet connection, then try again."}},
    {CAD_ERR_NET_ADDRESS,
     {"This address may not be asked", "The title points into a network that is out of bounds.",
      ASK_PROVIDER}},
    {CAD_ERR_HTTP_REFUSED,
     {"The server refused", "You may not be allowed to see this title, or the permission ran out.",
      "Open the title anew from where you found it."}},
    {CAD_ERR_HTTP_NOT_FOUND,
     {"The title is not there", "The server does not have it, or no longer.",
      "Check the address. " ASK_PROVIDER}},
    {CAD_ERR_HTTP_SERVER,
     {"The service has a problem", "Its servers answered with a failure.",
      "This is not your fault. Wait a moment and try again."}},
    {CAD_ERR_MANIFEST_NO_MEDIA,
     {"Nothing here can be played", "This device has no decoder for any form of the title.",
      "Another device, or a newer version of the player, may be able to."}},
    {CAD_ERR_MANIFEST_DENIED,
     {"The service denied the title", "It may not be part of your plan, or not in your region.",
      "Look into your account with the service."}},
    {CAD_ERR_MANIFEST_EXPIRED,
     {"The permission ran out", "It was not renewed in time.", "Try again to get a new one."}},
    {CAD_ERR_MANIFEST_UNSUPPORTED,
     {"This format is not known", "The description of the title is in a format that this player "
      "does not read.", "A newer version of the player may be able to."}},
    {CAD_ERR_MEDIA_CODEC,
     {"There is no decoder", "This device cannot decode the picture or the sound of the title.",
      "Choose another track or quality if there is one."}},
    {CAD_ERR_MEDIA_SEGMENT_LOST,
     {"A part of the title is missing", "No server could deliver it.",
      "Try again, or go on behind the missing part."}},
    {CAD_ERR_SINK_STUCK,
     {"Picture or sound got stuck", "An output device stopped and did not go on.",
      "Check the sound device and the screen, then try again."}},
    {CAD_ERR_OUT_OF_MEMORY,
     {"Not enough memory", "The device has no memory left for this title.",
      "Close other programs, or choose a lower quality."}},
};

static const struct row by_domain[] = {
    {CAD_DOMAIN_USER,
     {"This cannot be done", "What was asked for is not possible.", "Check it and try again."}},
    {CAD_DOMAIN_NETWORK,
     {"Network problem", "The servers of the title cannot be reached as they should be.",
      "Check your internet connection, then try again."}},
    {CAD_DOMAIN_HTTP,
     {"The server's answer makes no sense", "It answered something else than what was asked for.",
      "Wait a moment and try again. " ASK_PROVIDER}},
    {CAD_DOMAIN_MANIFEST,
     {"The title cannot be understood", "Its description is broken or too large.",
      "Try again. " ASK_PROVIDER}},
    {CAD_DOMAIN_MEDIA,
     {"The title is damaged", "Its picture or sound is not what it should be.",
      "Try again, or another quality. " ASK_PROVIDER}},
    {CAD_DOMAIN_DRM,
     {"The title is locked", "There is no key for it on this device.",
      "Look into your account with the service, or use another device."}},
    {CAD_DOMAIN_SINK,
     {"An output device failed", "Picture or sound could not be put out.",
      "Check the screen and the sound device, then try again."}},
    {CAD_DOMAIN_INTERNAL,
     {"The player has a problem", "Something went wrong in the player itself.",
      "Try again. If it goes on, please tell us the line below."}},
};

static const struct error_words *find(const struct row *rows, size_t count, int key)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].key == key) return &rows[i].words;
    }
    return NULL;
}

struct error_words error_words(const struct cad_error *error)
{
    const struct error_words *words = find(by_code, CAD_ARRAY_LEN(by_code), (int)error->code);
    if (!words) words = find(by_domain, CAD_ARRAY_LEN(by_domain), (int)error->domain);
    if (!words) words = find(by_domain, CAD_ARRAY_LEN(by_domain), CAD_DOMAIN_INTERNAL);
    return *words;
}

void error_code_line(const struct cad_error *error, char *out, size_t size)
{
    char status[24] = "";
    char attempts[40] = "";
    char message[CAD_ERROR_MESSAGE_SIZE];
    cad_shown_copyz(message, sizeof(message), cad_str_from(error->message));
    if (error->http_status > 0) {
        snprintf(status, sizeof(status), ", HTTP %d", (int)error->http_status);
    }
    if (error->attempts > 1) {
        snprintf(attempts, sizeof(attempts), ", after %u attempts", error->attempts);
    }
    snprintf(out, size, "%s%s%s: %s", cad_error_name(error->code), status, attempts, message);
}
