/* cadmium-mockd: the mocks of a title on loopback, for players and tests. docs/mocks.md. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/jsonw.h"
#include "base/mem.h"
#include "base/str.h"
#include "mock/mockd.h"

#define EXIT_USAGE 2
#define PEM_BYTES_MAX (256u << 10)
#define HOSTS_DEFAULT 4
#define BASE_URL_DEFAULT "http://127.0.0.1:8081/files"

static const char usage[] =
    "usage: cadmium-mockd --title-dir DIR [option...]\n"
    "       cadmium-mockd --stage [option...]\n"
    "       cadmium-mockd --describe DIR [--mpd] [--title-id ID] [--base-url URL]\n"
    "\n"
    "Serves the title in DIR (made by scripts/make-title.sh) on 127.0.0.1: a licensed manifest\n"
    "service on host 1, signed byte ranges on every host, plain files under /files/NAME, among\n"
    "them MPDs and their segments (/files/title.mpd, /files/number/manifest.mpd), and an MPD with\n"
    "signed URLs, /signed/title.mpd, which is made anew for who asks; events and logs are taken\n"
    "under /events and /logblob (GET /account on the control port tells which), and probes have\n"
    "their recipe under /ftl/recipe. When it listens it prints one JSON line:\n"
    "{\"base\":...,\"hosts\":[...],\"control\":...}. SIGTERM, SIGINT or POST /quit on the control\n"
    "port end it.\n"
    "\n"
    "  --title-dir DIR      the folder with video-*.mp4 and audio-*.mp4\n"
    "  --stage              no title of its own: the control port sets one up, from a ladder, and\n"
    "                       links that hosts share, for scenarios (docs/mocks.md)\n"
    "  --title-id ID        viewable id of the title (900100)\n"
    "  --hosts N            servers, 1..8, each on a port of its own (4)\n"
    "  --port P             port of host 1, the others follow; 0: any that are free (0)\n"
    "  --address A          listen on A: of loopback, or of an emulated path (100.64.0.0/10); the\n"
    "                       control port stays on 127.0.0.1 (127.0.0.1)\n"
    "  --control-port P     port of the control calls; 0: any that is free (0)\n"
    "  --ready-file FILE    write the JSON line there too, in one step\n"
    "  --access-log FILE    append one JSON object for each request\n"
    "  --account FILE       at the end write there which events and logs came (docs/mocks.md)\n"
    "  --capture FILE       append the body of each of these as a line\n"
    "  --url-life SECONDS   how long signed URLs are good (43200)\n"
    "  --think-ms N         wait before each answer (0)\n"
    "  --rate-kbps N        pace each connection; 0: no limit (0)\n"
    "  --clock-skew S       the server's clock is wrong by so many seconds (0)\n"
    "  --asset-in-path      signed URLs name the asset in their path\n"
    "  --tls-cert PEM       serve HTTPS with this certificate chain\n"
    "  --tls-key PEM        and this key\n"
    "  --seed N             the secret that URLs are signed with is made from N (random)\n"
    "  --describe DIR       print the manifest of DIR's files, with plain URLs, and end\n"
    "  --base-url URL       what those URLs start with (" BASE_URL_DEFAULT ")\n"
    "  --mpd                describe them by an MPD, which lies next to them\n"
    "  --write-text         write English and German subtitles into DIR and end, in place of that\n"
    "  --help               this text\n";

/* ---- options --------------------------------------------------------------------------------- */

/* What a numeric option may be. */
struct number_option {
    int64_t low, high;
    int64_t value;
};

static bool read_number(const char *name, struct number_option *option)
{
    int64_t value = 0;
    if (cad_str_to_i64(cad_str_from(optarg), &value) < 0 || value < option->low ||
        value > option->high) {
        (void)fprintf(stderr, "cadmium-mockd: --%s takes a number from %lld to %lld\n", name,
                      (long long)option->low, (long long)option->high);
        return false;
    }
    option->value = value;
    return true;
}

enum option_id {
    OPT_HOSTS, OPT_PORT, OPT_CONTROL_PORT, OPT_URL_LIFE, OPT_THINK, OPT_RATE, OPT_SKEW, OPT_SEED,
    OPT_NUMBERS,
    OPT_TITLE_DIR = OPT_NUMBERS, OPT_TITLE_ID, OPT_READY_FILE, OPT_ACCESS_LOG, OPT_TLS_CERT,
    OPT_TLS_KEY, OPT_DESCRIBE, OPT_BASE_URL, OPT_ASSET_IN_PATH, OPT_MPD, OPT_ADDRESS,
    OPT_STAGE, OPT_WRITE_TEXT, OPT_ACCOUNT, OPT_CAPTURE, OPT_HELP
};

static const struct option long_options[] = {
    {"hosts", required_argument, NULL, OPT_HOSTS},
    {"port", required_argument, NULL, OPT_PORT},
    {"control-port", required_argument, NULL, OPT_CONTROL_PORT},
    {"url-life", required_argument, NULL, OPT_URL_LIFE},
    {"think-ms", required_argument, NULL, OPT_THINK},
    {"rate-kbps", required_argument, NULL, OPT_RATE},
    {"clock-skew", required_argument, NULL, OPT_SKEW},
    {"seed", required_argument, NULL, OPT_SEED},
    {"title-dir", required_argument, NULL, OPT_TITLE_DIR},
    {"title-id", required_argument, NULL, OPT_TITLE_ID},
    {"ready-file", required_argument, NULL, OPT_READY_FILE},
    {"access-log", required_argument, NULL, OPT_ACCESS_LOG},
    {"account", required_argument, NULL, OPT_ACCOUNT},
    {"capture", required_argument, NULL, OPT_CAPTURE},
    {"tls-cert", required_argument, NULL, OPT_TLS_CERT},
    {"tls-key", required_argument, NULL, OPT_TLS_KEY},
    {"describe", required_argument, NULL, OPT_DESCRIBE},
    {"base-url", required_argument, NULL, OPT_BASE_URL},
    {"asset-in-path", no_argument, NULL, OPT_ASSET_IN_PATH},
    {"address", required_argument, NULL, OPT_ADDRESS},
    {"mpd", no_argument, NULL, OPT_MPD},
    {"stage", no_argument, NULL, OPT_STAGE},
    {"write-text", no_argument, NULL, OPT_WRITE_TEXT},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* 0: not an address that may be listened on: who is not on this machine gets no answer. */
static uint32_t read_address(const char *text)
{
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1) return 0;
    uint32_t ipv4 = ntohl(address.s_addr);
    bool good = ipv4 >> 24 == 127 || ipv4 >> 22 == (100u << 24 | 64u << 16) >> 22;
    return good ? ipv4 : 0;
}

static void set_text(struct mockd_options *options, enum option_id id)
{
    switch (id) {
    case OPT_TITLE_DIR: options->title_dir = optarg; break;
    case OPT_TITLE_ID: options->title_id = optarg; break;
    case OPT_READY_FILE: options->ready_file = optarg; break;
    case OPT_ACCESS_LOG: options->access_log = optarg; break;
    case OPT_ACCOUNT: options->account = optarg; break;
    case OPT_CAPTURE: options->capture = optarg; break;
    case OPT_TLS_CERT: options->tls_cert = optarg; break;
    case OPT_TLS_KEY: options->tls_key = optarg; break;
    case OPT_BASE_URL: options->base_url = optarg; break;
    case OPT_ASSET_IN_PATH: options->asset_in_path = true; break;
    case OPT_MPD: options->mpd = true; break;
    case OPT_STAGE: options->stage = true; break;
    case OPT_WRITE_TEXT: options->write_text = true; break;
    case OPT_ADDRESS: options->ipv4 = read_address(optarg); break;
    case OPT_DESCRIBE:
        options->title_dir = optarg;
        options->describe = true;
        break;
    default: break;
    }
}

static void set_numbers(struct mockd_options *options, const struct number_option *numbers)
{
    options->hosts = (uint32_t)numbers[OPT_HOSTS].value;
    options->port = (uint16_t)numbers[OPT_PORT].value;
    options->control_port = (uint16_t)numbers[OPT_CONTROL_PORT].value;
    options->url_life_s = numbers[OPT_URL_LIFE].value;
    options->think_ms = numbers[OPT_THINK].value;
    options->rate_kbps = numbers[OPT_RATE].value;
    options->clock_skew_s = numbers[OPT_SKEW].value;
    options->has_seed = numbers[OPT_SEED].value >= 0;
    options->seed = (uint64_t)numbers[OPT_SEED].value;
}

/* What is wrong with the options taken together; NULL: nothing. */
static const char *wrong_usage(const struct mockd_options *options)
{
    cad_str base = cad_str_from(options->base_url);
    size_t scheme = cad_str_starts(base, CAD_STR("http://")) ? 7
                    : cad_str_starts(base, CAD_STR("https://")) ? 8 : 0;
    if (options->stage && options->title_dir) return "either a folder, or --stage";
    if (options->stage && options->tls_cert) return "--stage knows no TLS";
    if (!options->title_dir && !options->stage) {
        return "--title-dir, --describe or --stage must be given";
    }
    if (options->tls_cert && !options->tls_key) return "--tls-cert wants --tls-key beside it";
    if (options->tls_key && !options->tls_cert) return "--tls-key wants --tls-cert beside it";
    if (options->mpd && !options->describe) return "--mpd wants --describe";
    if (options->write_text && !options->describe) return "--write-text wants --describe";
    if (options->ipv4 == 0) return "--address wants one of 127.0.0.0/8 or 100.64.0.0/10";
    if (scheme == 0 || base.n == scheme) return "--base-url wants an http: or https: URL";
    return NULL;
}

/* -1: go on; else the exit status. */
static int read_options(int argc, char **argv, struct mockd_options *options)
{
    struct number_option numbers[OPT_NUMBERS] = {
        [OPT_HOSTS] = {1, MOCK_HOSTS_MAX, HOSTS_DEFAULT},
        [OPT_PORT] = {0, 65535 - MOCK_HOSTS_MAX, 0},
        [OPT_CONTROL_PORT] = {0, 65535, 0},
        [OPT_URL_LIFE] = {1, INT64_C(100) * 366 * 86400, MOCK_URL_LIFE_DEFAULT / CAD_SECOND},
        [OPT_THINK] = {0, 600000, 0},
        [OPT_RATE] = {0, 10000000, 0},
        [OPT_SKEW] = {-INT64_C(100000000), INT64_C(100000000), 0},
        [OPT_SEED] = {0, INT64_MAX, -1},
    };
    int id, which = 0;
    *options = (struct mockd_options){.title_id = "900100", .base_url = BASE_URL_DEFAULT,
                                      .ipv4 = INADDR_LOOPBACK};
    while ((id = getopt_long(argc, argv, "", long_options, &which)) >= 0) {
        if (id == OPT_HELP) {
            (void)fputs(usage, stdout);
            return EXIT_SUCCESS;
        }
        if (id == '?') return EXIT_USAGE;
        if (id < OPT_NUMBERS) {
            if (!read_number(long_options[which].name, &numbers[id])) return EXIT_USAGE;
        } else {
            set_text(options, (enum option_id)id);
        }
    }
    set_numbers(options, numbers);
    const char *what = wrong_usage(options);
    if (optind < argc) what = "no argument stands without an option";
    if (!what) return -1;
    (void)fprintf(stderr, "cadmium-mockd: %s%s%s\n", what, optind < argc ? ": " : "",
                  optind < argc ? argv[optind] : "");
    (void)fputs("cadmium-mockd: try --help\n", stderr);
    return EXIT_USAGE;
}

/* ---- starting -------------------------------------------------------------------------------- */

/* A whole small file with a NUL behind it, to be freed; NULL: a message went to stderr. */
static char *slurp(const char *name)
{
    FILE *file = fopen(name, "rb");
    char *text = file ? malloc(PEM_BYTES_MAX) : NULL;
    size_t n = text ? fread(text, 1, PEM_BYTES_MAX, file) : 0;
    bool good = text && !ferror(file) && n < PEM_BYTES_MAX;
    if (good) {
        text[n] = 0;
    } else {
        (void)fprintf(stderr, "cadmium-mockd: %s: cannot be read\n", name);
        free(text);
        text = NULL;
    }
    if (file) (void)fclose(file);
    return text;
}

static bool load_tls(struct mockd *mockd)
{
    if (!mockd->options.tls_cert) return true;
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES) {
        (void)fprintf(stderr, "cadmium-mockd: this libmicrohttpd has no TLS\n");
        return false;
    }
    mockd->tls_cert = slurp(mockd->options.tls_cert);
    mockd->tls_key = mockd->tls_cert ? slurp(mockd->options.tls_key) : NULL;
    return mockd->tls_key != NULL;
}

static bool make_origin(struct mockd *mockd)
{
    struct mock_origin_config config = {
        .title = mockd->options.title_id, .duration = mockd->title.duration,
        .assets = mockd->title.assets, .asset_count = mockd->title.asset_count,
        .host_count = mockd->options.hosts, .scheme = mockd->tls_cert ? "https" : "http",
        .url_life = mockd->options.url_life_s * CAD_SECOND, .seed = mockd->options.seed,
        .asset_in_path = mockd->options.asset_in_path,
        .keys = mockd->title.keys, .key_count = mockd->title.key_count,
    };
    if (mockd->options.stage) return true; /* it comes with the title */
    for (uint32_t i = 0; i < config.host_count; i++) config.hosts[i] = mockd->hosts[i].name;
    if (!mockd->options.has_seed &&
        getrandom(&config.seed, sizeof config.seed, 0) != (ssize_t)sizeof config.seed) {
        (void)fprintf(stderr, "cadmium-mockd: no random numbers\n");
        return false;
    }
    int rc = mock_origin_create(&config, &mockd->origin);
    if (rc < 0) {
        (void)fprintf(stderr, "cadmium-mockd: %s (is the title id a number?)\n",
                      cad_result_text(rc));
    }
    return rc == 0;
}

static bool open_hosts(struct mockd *mockd)
{
    const struct mockd_options *options = &mockd->options;
    for (uint32_t i = 0; i < options->hosts; i++) {
        uint16_t port = options->port ? (uint16_t)(options->port + i) : 0;
        if (!mockd_host_init(&mockd->hosts[i], mockd, i + 1, port)) return false;
    }
    if (!mockd_host_init(&mockd->control, mockd, 0, options->control_port)) return false;
    if (!make_origin(mockd)) return false;
    if (mockd->origin && !mockd_ftl_renew(mockd)) {
        (void)fprintf(stderr, "cadmium-mockd: out of memory\n");
        return false;
    }
    for (uint32_t i = 0; i < options->hosts; i++) {
        if (!mockd_host_open(&mockd->hosts[i])) return false;
    }
    return mockd_control_open(mockd);
}

bool mockd_write_whole(const char *name, cad_str text)
{
    char other[4096];
    int n = snprintf(other, sizeof other, "%s.new", name);
    FILE *file = n > 0 && (size_t)n < sizeof other ? fopen(other, "wb") : NULL;
    bool good = file && fwrite(text.p, 1, text.n, file) == text.n;
    if (file && fclose(file) != 0) good = false;
    if (good && rename(other, name) == 0) return true;
    (void)fprintf(stderr, "cadmium-mockd: %s: %s\n", name, strerror(errno));
    return false;
}

static bool announce(const struct mockd *mockd)
{
    char text[1024], url[64];
    struct cad_sb sb;
    struct cad_jsonw w;
    cad_sb_init_fixed(&sb, text, sizeof text);
    cad_jsonw_init(&w, &sb);
    cad_jsonw_object(&w);
    (void)snprintf(url, sizeof url, "%s://%s", mockd->tls_cert ? "https" : "http",
                   mockd->hosts[0].name);
    cad_jsonw_key_string(&w, "base", cad_str_from(url));
    cad_jsonw_key(&w, CAD_STR("hosts"));
    cad_jsonw_array(&w);
    for (uint32_t i = 0; i < mockd->options.hosts; i++) {
        cad_jsonw_string(&w, cad_str_from(mockd->hosts[i].name));
    }
    cad_jsonw_end(&w);
    (void)snprintf(url, sizeof url, "http://%s", mockd->control.name);
    cad_jsonw_key_string(&w, "control", cad_str_from(url));
    cad_jsonw_end(&w);
    cad_sb_putc(&sb, '\n');
    (void)fputs(cad_sb_z(&sb), stdout);
    (void)fflush(stdout);
    if (!mockd->options.ready_file) return true;
    return mockd_write_whole(mockd->options.ready_file, cad_sb_str(&sb));
}

/* ---- life ------------------------------------------------------------------------------------ */

static int describe(struct mockd *mockd)
{
    cad_str text = {0};
    if (mockd->options.write_text) {
        return mockd_title_write_text(&mockd->title) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    mockd->options.has_seed = true;
    mockd->options.hosts = 1;
    (void)snprintf(mockd->hosts[0].name, sizeof mockd->hosts[0].name, "127.0.0.1");
    if (!make_origin(mockd)) return EXIT_FAILURE;
    int rc = mockd->options.mpd
                 ? mock_origin_mpd(mockd->origin, ".", 0, &text)
                 : mock_origin_manifest(mockd->origin, mockd->options.base_url, &text);
    if (rc < 0 || fwrite(text.p, 1, text.n, stdout) != text.n || fflush(stdout) != 0) {
        (void)fprintf(stderr, "cadmium-mockd: the manifest could not be written\n");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

static bool open_append(const char *name, FILE **out)
{
    if (!name) return true;
    *out = fopen(name, "ae");
    if (!*out) (void)fprintf(stderr, "cadmium-mockd: %s: %s\n", name, strerror(errno));
    return *out != NULL;
}

/* Serves until a signal; every thread but this one has the signals blocked. */
static int serve(struct mockd *mockd, const sigset_t *signals)
{
    int number = 0;
    if (!open_append(mockd->options.access_log, &mockd->log)) return EXIT_FAILURE;
    if (!open_append(mockd->options.capture, &mockd->capture)) return EXIT_FAILURE;
    if (!load_tls(mockd) || !open_hosts(mockd) || !announce(mockd)) return EXIT_FAILURE;
    while (sigwait(signals, &number) != 0) {
    }
    return EXIT_SUCCESS;
}

static void stop(struct mockd *mockd)
{
    (void)pthread_mutex_lock(&mockd->lock);
    mockd->quitting = true;
    (void)pthread_cond_broadcast(&mockd->changed);
    (void)pthread_mutex_unlock(&mockd->lock);
    mockd_host_deinit(&mockd->control); /* first: it opens and closes the others */
    for (uint32_t i = 0; i < MOCK_HOSTS_MAX; i++) mockd_host_deinit(&mockd->hosts[i]);
    mockd_stage_deinit(mockd);
    mock_origin_destroy(&mockd->origin);
    mockd_title_close(&mockd->title);
    free(mockd->tls_cert);
    free(mockd->tls_key);
    if (mockd->log) (void)fclose(mockd->log);
    if (mockd->capture) (void)fclose(mockd->capture);
    mock_ftl_destroy(&mockd->ftl);
}

static bool init_locks(struct mockd *mockd)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return false;
    bool good = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(&mockd->changed, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    return good && pthread_mutex_init(&mockd->lock, NULL) == 0;
}

int main(int argc, char **argv)
{
    sigset_t signals;
    struct mockd_options options;
    int status = read_options(argc, argv, &options);
    if (status >= 0) return status;
    struct mockd *mockd = calloc(1, sizeof *mockd);
    if (!mockd || !init_locks(mockd)) {
        free(mockd);
        return EXIT_FAILURE;
    }
    struct cad_alloc alloc = cad_alloc_system();
    mock_ingest_init(&mockd->ingest, &alloc);
    mockd->options = options;
    mockd->main_thread = pthread_self();
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    status = EXIT_FAILURE;
    mockd->title.folder_fd = -1;
    if (options.stage || mockd_title_open(&mockd->title, options.title_dir)) {
        status = options.describe ? describe(mockd) : serve(mockd, &signals);
    }
    stop(mockd);
    bool served = status == EXIT_SUCCESS && !options.describe;
    if (served && !mockd_ingest_save(mockd)) status = EXIT_FAILURE;
    mock_ingest_deinit(&mockd->ingest);
    (void)pthread_mutex_destroy(&mockd->lock);
    (void)pthread_cond_destroy(&mockd->changed);
    free(mockd);
    return status;
}
