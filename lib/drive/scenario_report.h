/*
 * scenario_report.h - outcomes of scenarios as TAP version 14 and as JUnit XML, made as text.
 *
 *     cad_scenario_report_init(&report, &alloc);
 *     for each scenario:
 *         cad_scenario_report_begin(&report, file);
 *         cad_scenario_run(...)    with point = cad_scenario_report_point, ctx = &report
 *         cad_scenario_report_end(&report, &end);
 *         print cad_sb_str(&report.tap); cad_sb_reset(&report.tap);
 *     cad_scenario_report_finish(&report);
 *     print report.tap once more; write report.junit
 *     cad_scenario_report_deinit(&report);
 *
 * One test point for each expectation; one for a scenario without any, or that could not be played
 * to its end. Names and messages come from outside: whatever a terminal would obey, and whatever
 * means something to TAP, YAML or XML, is replaced or escaped.
 */
#ifndef CAD_DRIVE_SCENARIO_REPORT_H
#define CAD_DRIVE_SCENARIO_REPORT_H

#include "base/strbuf.h"
#include "drive/scenario.h"

#define CAD_SCENARIO_REPORT_BYTES_MAX (16u << 20)

struct cad_scenario_report {
    struct cad_sb tap;           /* not printed yet */
    struct cad_sb junit;         /* whole after finish */
    struct cad_sb suites, cases; /* of JUnit: those that are over, and of this scenario */
    char file[512];              /* of this scenario, fit to be shown */
    uint32_t suite_points, suite_failed;
    uint32_t points, failed;     /* of all */
};

/* How a scenario ended. */
struct cad_scenario_report_end {
    const struct cad_scenario_result *result;
    bool broken;                 /* it was not played to its end: result->message says why */
    cad_time duration;           /* how long it took, on its own clock */
    const char *repeat;          /* the command that repeats it */
};

void cad_scenario_report_init(struct cad_scenario_report *report, const struct cad_alloc *alloc);
void cad_scenario_report_deinit(struct cad_scenario_report *report);
void cad_scenario_report_begin(struct cad_scenario_report *report, const char *file);
/* point of struct cad_scenario_options; ctx is the report. */
void cad_scenario_report_point(void *ctx, const struct cad_scenario_point *point);
void cad_scenario_report_end(struct cad_scenario_report *report,
                             const struct cad_scenario_report_end *end);
/* 0, CAD_E_NOMEM or CAD_E_LIMIT: the texts are not whole. */
CAD_MUST_CHECK int cad_scenario_report_finish(struct cad_scenario_report *report);

#endif
