/* Goal: CMCD version 1 in its golden forms: order of keys, quotes, rounding, what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "cadmium/telemetry.h"

static struct cad_cmcd full(void)
{
    struct cad_cmcd c;
    cad_cmcd_init(&c);
    c.br_kbps = 3200;
    c.tb_kbps = 6000;
    c.d_ms = 4004;
    c.bl_ms = 21349;
    c.dl_ms = 21350;
    c.mtp_kbps = 25449;
    c.rtp_kbps = 15051;
    c.pr_milli = 1250;
    c.cid = CAD_STR("80\"10\\");
    c.sid = CAD_STR("6e2fb550-c457-11e9-bb97-0800200c9a66");
    c.ot = CAD_STR("v");
    c.sf = CAD_STR("d");
    c.st = CAD_STR("v");
    c.nor = CAD_STR("..%2Fseg2.m4v");
    c.nrr = CAD_STR("12-99");
    c.bs = c.su = true;
    return c;
}

static void test_cmcd_headers(void **state)
{
    (void)state;
    struct cad_cmcd c = full();
    static const char *const want[CAD_CMCD_HEADERS] = {
        "br=3200,d=4004,ot=v,tb=6000",
        "bl=21300,dl=21400,mtp=25400,nor=\"..%2Fseg2.m4v\",nrr=\"12-99\",su",
        "cid=\"80\\\"10\\\\\",pr=1.25,sf=d,sid=\"6e2fb550-c457-11e9-bb97-0800200c9a66\",st=v",
        "bs,rtp=15100"};
    char out[256];
    for (int i = 0; i < CAD_CMCD_HEADERS; i++) {
        int n = cad_cmcd_header(&c, (enum cad_cmcd_header)i, out, sizeof(out));
        assert_string_equal(out, want[i]);
        assert_int_equal(n, cad_str_from(want[i]).n);
        for (size_t cap = 1; cap <= (size_t)n; cap++) {
            assert_int_equal(cad_cmcd_header(&c, (enum cad_cmcd_header)i, out, cap), CAD_E_LIMIT);
        }
    }
}

static void test_cmcd_query(void **state)
{
    (void)state;
    struct cad_cmcd c;
    char out[512];
    cad_cmcd_init(&c);
    assert_int_equal(cad_cmcd_query(&c, out, sizeof(out)), 5); /* nothing to tell */
    c.br_kbps = 3200;
    c.bs = true;
    c.sid = CAD_STR("s 1");
    c.pr_milli = 1000; /* the normal rate is left out */
    assert_true(cad_cmcd_query(&c, out, sizeof(out)) > 0);
    assert_string_equal(out, "CMCD=br%3D3200%2Cbs%2Csid%3D%22s%201%22");
    c.pr_milli = 2000;
    assert_true(cad_cmcd_query(&c, out, sizeof(out)) > 0);
    assert_string_equal(out, "CMCD=br%3D3200%2Cbs%2Cpr%3D2%2Csid%3D%22s%201%22");
    assert_int_equal(cad_cmcd_query(&c, out, 20), CAD_E_LIMIT);
    c.pr_milli = 1050;
    assert_true(cad_cmcd_header(&c, CAD_CMCD_SESSION, out, sizeof(out)) > 0);
    assert_string_equal(out, "pr=1.05,sid=\"s 1\"");
}

static void test_cmcd_refuses_what_would_split_a_header(void **state)
{
    (void)state;
    struct cad_cmcd c = full();
    char out[512];
    c.cid = CAD_STR("a\r\nX: y");
    assert_int_equal(cad_cmcd_header(&c, CAD_CMCD_SESSION, out, sizeof(out)), CAD_E_INVAL);
    assert_int_equal(cad_cmcd_query(&c, out, sizeof(out)), CAD_E_INVAL);
    c = full();
    c.size = 0;
    assert_int_equal(cad_cmcd_query(&c, out, sizeof(out)), CAD_E_INVAL);
    c = full();
    assert_int_equal(cad_cmcd_header(&c, CAD_CMCD_HEADERS, out, sizeof(out)), CAD_E_INVAL);
    c.bl_ms = INT64_MAX;
    assert_true(cad_cmcd_header(&c, CAD_CMCD_REQUEST, out, sizeof(out)) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cmcd_headers),
        cmocka_unit_test(test_cmcd_query),
        cmocka_unit_test(test_cmcd_refuses_what_would_split_a_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
