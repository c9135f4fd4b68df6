/* The file transport keeps the contract of transports. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "drive/file.h"
#include "transport_contract.h"
#include "transport_server.h"

static char folder[] = "/tmp/transport-XXXXXX";
static char missing[128];

static int create(struct cad_transport **out)
{
    struct cad_file_config config = {.alloc = cad_alloc_system()};
    return cad_file_create(&config, out);
}

/* One file a size, written when it is first asked for. */
static void url(int64_t n, char *out, size_t cap)
{
    char path[128];
    snprintf(path, sizeof path, "%s/a %lld.mp4", folder, (long long)n);
    snprintf(out, cap, "file://%s/a%%20%lld.mp4", folder, (long long)n);
    if (access(path, R_OK) == 0) return;
    FILE *f = fopen(path, "wb");
    if (!f) abort();
    for (int64_t i = 0; i < n; i++) fputc(transport_pattern(i), f);
    if (fclose(f)) abort();
}

int main(void)
{
    if (!mkdtemp(folder)) return 1;
    snprintf(missing, sizeof missing, "file://%s/missing", folder);
    int failed = transport_contract_run(&(struct transport_kind){
        .name = "transport_file", .create = create, .url = url, .missing = missing});
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) || failed;
}
