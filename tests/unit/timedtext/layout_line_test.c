/* Goal: lines break where they must and may, are as high as they should be, and stand aligned. */
#include "layout_support.h"

static void test_line_align(void **state)
{
    (void)state;
    words_of(REGION("", "<p tts:textAlign='start'>abcd</p>"), "abcd 100,100 40x20");
    words_of(REGION("", "<p tts:textAlign='center'>abcd</p>"), "abcd 180,100 40x20");
    words_of(REGION("", "<p tts:textAlign='end'>abcd</p>"), "abcd 260,100 40x20");
    words_of(REGION("", "<p tts:textAlign='right'>abcd</p>"), "abcd 260,100 40x20");
    words_of(REGION("", "<p tts:textAlign='left'>abcd</p>"), "abcd 100,100 40x20");
    /* What is too wide sticks out on the other side. */
    words_of(REGION("", "<p tts:textAlign='end'>abcdefghijklmnopqrstuvwxy</p>"),
             "abcdefghijklmnopqrstuvwxy 50,100 250x20");
}

static void test_line_rtl(void **state)
{
    (void)state;
    words_of(REGION("", "<p tts:direction='rtl'>ab</p>"), "ab 280,100 20x20");
    words_of(REGION("", "<p tts:direction='rtl' tts:textAlign='end'>ab</p>"), "ab 100,100 20x20");
    words_of(REGION("", "<p tts:direction='rtl'>ab cd</p>"),
             "ab 280,100 20x20|cd 250,100 20x20");
    /* Two letters from right to left in a line from left to right. */
    words_of(REGION("", "<p>a \xd7\x90\xd7\x91 c</p>"),
             "a 100,100 10x20|\xd7\x90\xd7\x91 120,100 20x20|c 150,100 10x20");
    words_of(REGION("", "<p>a \xd7\x90 \xd7\x91 c</p>"),
             "a 100,100 10x20|\xd7\x90 140,100 10x20|\xd7\x91 120,100 10x20|c 160,100 10x20");
}

static void test_line_wrap(void **state)
{
    (void)state;
    words_of(REGION("", "<p>aaaaaaaaaa bbbbbbbbb</p>"),
             "aaaaaaaaaa 100,100 100x20|bbbbbbbbb 210,100 90x20");
    words_of(REGION("", "<p>aaaaaaaaaa bbbbbbbbbb</p>"),
             "aaaaaaaaaa 100,100 100x20|bbbbbbbbbb 100,120 100x20");
    words_of(REGION("", "<p tts:wrapOption='noWrap'>aaaaaaaaaa bbbbbbbbbb</p>"),
             "aaaaaaaaaa 100,100 100x20|bbbbbbbbbb 210,100 100x20");
    /* The space at which a line ends counts for nothing. */
    words_of(REGION("tts:textAlign='center'", "<p>aaaaaaaaaa bbbbbbbbbb</p>"),
             "aaaaaaaaaa 150,100 100x20|bbbbbbbbbb 150,120 100x20");
    words_of(REGION("", "<p>aaaaaaaaaaaa-bbbbbbbbbb</p>"),
             "aaaaaaaaaaaa- 100,100 130x20|bbbbbbbbbb 100,120 100x20");
    /* Without spaces there is no other place than between letters. */
    words_of(REGION("tts:padding='0px 170px 0px 0px'", "<p>\xe0\xb8\x81\xe0\xb8\x81\xe0\xb8\x81"
                                                       "\xe0\xb8\x81</p>"),
             "\xe0\xb8\x81\xe0\xb8\x81\xe0\xb8\x81 100,100 30x20|\xe0\xb8\x81 100,120 10x20");
}

static void test_line_break(void **state)
{
    (void)state;
    words_of(REGION("", "<p>a<br/>b</p>"), "a 100,100 10x20|b 100,120 10x20");
    words_of(REGION("", "<p>a<br/><br/>b</p>"), "a 100,100 10x20|b 100,140 10x20");
    words_of(REGION("tts:displayAlign='after'", "<p>a<br/></p>"), "a 100,180 10x20");
    words_of(REGION("tts:displayAlign='after'", "<p>a<br/><br/></p>"), "a 100,160 10x20");
    words_of(REGION("tts:displayAlign='after'", "<p>a</p><p><br/></p>"), "a 100,160 10x20");
    words_of(REGION("", "<p xml:space='preserve'>a\nb</p>"), "a 100,100 10x20|b 100,120 10x20");
    words_of(REGION("", "<p xml:space='preserve'>  a</p>"), "a 120,100 10x20");
}

static void test_line_height(void **state)
{
    (void)state;
    words_of(REGION("", "<p tts:lineHeight='30px'>a<br/>b</p>"),
             "a 100,105 10x20|b 100,135 10x20");
    words_of(REGION("", "<p tts:lineHeight='10px'>a<br/>b</p>"), "a 100,95 10x20|b 100,105 10x20");
    /* The base lines of both sizes are one: fifteen and thirty above it. */
    words_of(REGION("", "<p>a<span tts:fontSize='40px'>b</span></p>"), "ab 100,115 30x20");
    images_of(REGION("", "<p>a<span tts:fontSize='40px'>b</span></p>"),
              "100,115 10x15 ffffffff*|110,100 20x30 ffffffff*");
    /* A line is never lower than the paragraph's own letters. */
    words_of(REGION("", "<p><span tts:fontSize='10px'>a</span><br/>b</p>"),
             "a 100,108 5x10|b 100,120 10x20");
}

static void test_line_padding(void **state)
{
    (void)state;
    /* Half a cell is ten pixels. */
    images_of(REGION("", "<p ebutts:linePadding='0.5c'><span tts:backgroundColor='red'>a</span>"
                         "<span tts:backgroundColor='blue'>b</span></p>"),
              "100,100 20x20 ff0000ff|120,100 20x20 0000ffff|110,100 10x15 ffffffff*|"
              "120,100 10x15 ffffffff*");
    words_of(REGION("", "<p ebutts:linePadding='0.5c'>aaaaaaaaaa bbbbbbbb</p>"),
             "aaaaaaaaaa 110,100 100x20|bbbbbbbb 110,120 80x20");
    words_of(REGION("", "<p ebutts:linePadding='0.5c' tts:textAlign='end'>a</p>"),
             "a 280,100 10x20");
}

static void test_line_gap(void **state)
{
    (void)state;
    images_of(REGION("", "<p tts:lineHeight='30px'><span tts:backgroundColor='red'>a</span></p>"),
              "100,105 10x20 ff0000ff|100,105 10x15 ffffffff*");
    images_of(REGION("", "<p tts:lineHeight='30px' itts:fillLineGap='true'>"
                         "<span tts:backgroundColor='red'>a</span></p>"),
              "100,100 10x30 ff0000ff|100,105 10x15 ffffffff*");
}

static void test_line_rows(void **state)
{
    (void)state;
    words_of(REGION("tts:textAlign='center'", "<p ebutts:multiRowAlign='start'>abcd<br/>ab</p>"),
             "abcd 180,100 40x20|ab 180,120 20x20");
    words_of(REGION("tts:textAlign='center'", "<p ebutts:multiRowAlign='end'>abcd<br/>ab</p>"),
             "abcd 180,100 40x20|ab 200,120 20x20");
    words_of(REGION("tts:textAlign='end'", "<p ebutts:multiRowAlign='center'>abcd<br/>ab</p>"),
             "abcd 260,100 40x20|ab 270,120 20x20");
}

static void test_line_justify(void **state)
{
    (void)state;
    /* Ten pixels for three spaces; not in the last line. */
    words_of(REGION("tts:textAlign='justify'", "<p>aaaa bbbb cccc dddd eeee ff</p>"),
             "aaaa 100,100 40x20|bbbb 153,100 40x20|cccc 207,100 40x20|dddd 260,100 40x20|"
             "eeee 100,120 40x20|ff 150,120 20x20");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_align),   cmocka_unit_test(test_line_rtl),
        cmocka_unit_test(test_line_wrap),    cmocka_unit_test(test_line_break),
        cmocka_unit_test(test_line_height),  cmocka_unit_test(test_line_padding),
        cmocka_unit_test(test_line_gap),     cmocka_unit_test(test_line_rows),
        cmocka_unit_test(test_line_justify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
