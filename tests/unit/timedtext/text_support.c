/* text_support.c - see text_support.h. */
#include "text_support.h"

int text_parse(const struct cad_text_options *options, cad_str document, size_t slice,
               struct cad_text **out)
{
    struct cad_text_parser *parser = NULL;
    int rc = cad_text_parser_create(options, &parser);
    bool last = false;
    while (rc == 0 && !last) {
        cad_str part = cad_str_sub(document, 0, slice);
        document = cad_str_sub(document, slice, document.n);
        last = document.n == 0;
        rc = cad_text_parser_feed(parser, cad_buf_from_str(part), last);
    }
    if (rc == 0) rc = CAD_E_AGAIN;
    while (rc == CAD_E_AGAIN) rc = cad_text_parser_finish(parser, 2, out);
    cad_text_parser_destroy(&parser);
    return rc;
}

struct cad_text *text_of(const char *document)
{
    struct cad_text_options options;
    struct cad_text *text = NULL;
    cad_text_options_init(&options);
    assert_int_equal(text_parse(&options, cad_str_from(document), 7, &text), 0);
    return text;
}

struct cad_text_isd *isd_of(const struct cad_text *text, cad_time t)
{
    struct cad_text_isd *isd = NULL;
    assert_int_equal(cad_text_isd_at(text, t, &isd), 0);
    return isd;
}

const struct cad_text_block *first_p(const struct cad_text_isd *isd)
{
    assert_non_null(isd->regions);
    const struct cad_text_block *block = isd->regions->blocks;
    while (block && block->kind == CAD_TEXT_BLOCK_DIV) block = block->blocks;
    assert_non_null(block);
    assert_int_equal(block->kind, CAD_TEXT_BLOCK_P);
    return block;
}

const struct cad_text_run *first_run(const struct cad_text_isd *isd)
{
    const struct cad_text_run *run = first_p(isd)->p.runs;
    while (run && run->kind != CAD_TEXT_RUN_TEXT) run = run->next;
    assert_non_null(run);
    return run;
}
