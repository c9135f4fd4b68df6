#include "drive/scenario_report.h"

#include <string.h>

#include "base/shown.h"
#include "base/str.h"
#include "base/util.h"

#define TEXT_SIZE 1024           /* of a name or message, fit to be shown */

/* ---- text ---------------------------------------------------------------------------------- */

static void put_seconds(struct cad_sb *sb, cad_time t)
{
    if (t == CAD_TIME_NONE || t < 0) t = 0;
    cad_sb_printf(sb, "%lld.%03lld", (long long)(t / CAD_SECOND),
                  (long long)(t % CAD_SECOND / CAD_MS));
}

/* Text of a TAP description: "#" begins a directive there. */
static void put_description(struct cad_sb *sb, const char *text)
{
    for (; *text; text++) {
        if (*text == '#' || *text == '\\') cad_sb_putc(sb, '\\');
        cad_sb_putc(sb, *text);
    }
}

/* A YAML scalar in double quotes. */
static void put_quoted(struct cad_sb *sb, const char *text)
{
    cad_sb_putc(sb, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') cad_sb_putc(sb, '\\');
        cad_sb_putc(sb, *text);
    }
    cad_sb_putc(sb, '"');
}

/* ---- a test point -------------------------------------------------------------------------- */

struct outcome {
    bool held;
    uint32_t line;               /* 0: of the scenario as a whole */
    char name[TEXT_SIZE];
    char message[TEXT_SIZE];     /* what was seen */
    cad_time at;
};

static void tell_tap(struct cad_scenario_report *r, const struct outcome *o)
{
    struct cad_sb *sb = &r->tap;
    cad_sb_printf(sb, "%s %u - ", o->held ? "ok" : "not ok", (unsigned)r->points);
    put_description(sb, r->file);
    if (o->line > 0) cad_sb_printf(sb, ":%u", (unsigned)o->line);
    cad_sb_putc(sb, ' ');
    put_description(sb, o->name);
    cad_sb_putc(sb, '\n');
    cad_sb_putz(sb, "  ---\n  saw: ");
    put_quoted(sb, o->message);
    cad_sb_putz(sb, "\n  at: ");
    put_seconds(sb, o->at);
    cad_sb_putz(sb, "\n  ...\n");
}

static void tell_junit(struct cad_scenario_report *r, const struct outcome *o)
{
    struct cad_sb *sb = &r->cases;
    cad_sb_putz(sb, "    <testcase classname=\"");
    cad_sb_put_xml(sb, cad_str_from(r->file));
    cad_sb_putz(sb, "\" name=\"");
    if (o->line > 0) cad_sb_printf(sb, "line %u: ", (unsigned)o->line);
    cad_sb_put_xml(sb, cad_str_from(o->name));
    if (o->held) {
        cad_sb_putz(sb, "\"/>\n");
        return;
    }
    cad_sb_putz(sb, "\">\n      <failure type=\"expectation\" message=\"");
    if (o->line > 0) {
        cad_sb_printf(sb, "line %u, at ", (unsigned)o->line);
        put_seconds(sb, o->at);
        cad_sb_putz(sb, " s: saw ");
    }
    cad_sb_put_xml(sb, cad_str_from(o->message));
    cad_sb_putz(sb, "\"/>\n    </testcase>\n");
}

static void tell(struct cad_scenario_report *r, const struct outcome *o)
{
    r->points++;
    r->suite_points++;
    if (!o->held) r->suite_failed++;
    tell_tap(r, o);
    tell_junit(r, o);
}

void cad_scenario_report_point(void *ctx, const struct cad_scenario_point *point)
{
    struct outcome o = {.held = point->held, .line = point->line, .at = point->at};
    (void)cad_shown_copyz(o.name, sizeof(o.name), point->statement);
    if (point->looks == 0) {
        cad_str_copyz(o.message, sizeof(o.message),
                      CAD_STR("nothing: there was no moment to look at"));
    } else {
        (void)cad_shown_copyz(o.message, sizeof(o.message), cad_str_from(point->seen));
    }
    tell(ctx, &o);
}

/* ---- a scenario ---------------------------------------------------------------------------- */

void cad_scenario_report_begin(struct cad_scenario_report *report, const char *file)
{
    (void)cad_shown_copyz(report->file, sizeof(report->file), cad_str_from(file));
    report->suite_points = report->suite_failed = 0;
    cad_sb_reset(&report->cases);
}

static void close_suite(struct cad_scenario_report *r, const struct cad_scenario_report_end *end)
{
    struct cad_sb *sb = &r->suites;
    cad_sb_putz(sb, "  <testsuite name=\"");
    cad_sb_put_xml(sb, cad_str_from(r->file));
    cad_sb_printf(sb, "\" tests=\"%u\" failures=\"%u\" errors=\"0\" time=\"",
                  (unsigned)r->suite_points, (unsigned)r->suite_failed);
    put_seconds(sb, end->duration);
    cad_sb_printf(sb, "\">\n    <properties>\n      <property name=\"seed\" value=\"%llu\"/>\n"
                      "    </properties>\n", (unsigned long long)end->result->seed);
    cad_sb_put(sb, cad_sb_str(&r->cases));
    cad_sb_putz(sb, "  </testsuite>\n");
    r->failed += r->suite_failed;
}

void cad_scenario_report_end(struct cad_scenario_report *report,
                             const struct cad_scenario_report_end *end)
{
    char text[TEXT_SIZE];
    (void)cad_shown_copyz(text, sizeof(text), cad_str_from(end->result->message));
    if (end->broken || report->suite_points == 0) {
        struct outcome o = {.held = !end->broken, .line = end->broken ? end->result->line : 0,
                            .at = end->duration};
        cad_str_copyz(o.name, sizeof(o.name), CAD_STR("is played"));
        memcpy(o.message, text, sizeof(text));
        tell(report, &o);
    }
    if (report->suite_failed > 0) {
        cad_sb_printf(&report->tap, "# %s\n", text);
        (void)cad_shown_copyz(text, sizeof(text), cad_str_from(end->repeat));
        cad_sb_printf(&report->tap, "# repeat: %s\n", text);
    }
    close_suite(report, end);
}

int cad_scenario_report_finish(struct cad_scenario_report *report)
{
    cad_sb_printf(&report->tap, "1..%u\n", (unsigned)report->points);
    cad_sb_printf(&report->junit,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<testsuites name=\"scenarios\" tests=\"%u\" failures=\"%u\" errors=\"0\">\n",
                  (unsigned)report->points, (unsigned)report->failed);
    cad_sb_put(&report->junit, cad_sb_str(&report->suites));
    cad_sb_putz(&report->junit, "</testsuites>\n");
    const struct cad_sb *all[] = {&report->tap, &report->suites, &report->cases, &report->junit};
    for (size_t i = 0; i < CAD_ARRAY_LEN(all); i++) {
        if (cad_sb_error(all[i])) return cad_sb_error(all[i]);
    }
    return 0;
}

void cad_scenario_report_init(struct cad_scenario_report *report, const struct cad_alloc *alloc)
{
    memset(report, 0, sizeof(*report));
    struct cad_sb *all[] = {&report->tap, &report->suites, &report->cases, &report->junit};
    for (size_t i = 0; i < CAD_ARRAY_LEN(all); i++) {
        cad_sb_init(all[i], alloc, CAD_MEM_OTHER, CAD_SCENARIO_REPORT_BYTES_MAX);
    }
    cad_sb_putz(&report->tap, "TAP version 14\n");
}

void cad_scenario_report_deinit(struct cad_scenario_report *report)
{
    cad_sb_deinit(&report->tap);
    cad_sb_deinit(&report->junit);
    cad_sb_deinit(&report->suites);
    cad_sb_deinit(&report->cases);
}
