/*
 * What a program that people run prints: results on standard output, one line per error on
 * standard error.
 */
#ifndef CS_REPORT_H
#define CS_REPORT_H

#include "arguments.h"
#include "canonical.h"

/* The exit status that belongs to an error; CS_EXIT_DONE for CS_OK. */
int cs_exit_of(enum cs_err err);

/*
 * `error: NAME: text at PATH: detail` on standard error; with `json` also
 * {"error":{code,detail,path}} on standard output.
 */
void cs_report_error(enum cs_err err, const struct cs_fault *fault, bool json);

/* Standard output, all of it: CS_E_IO. */
CS_MUST_CHECK enum cs_err cs_report_write(const struct cs_bytes *text, struct cs_fault *fault);
/*
 * The canonical form and a newline; characters that cs_text_check refuses are spelt as \uXXXX, which
 * means the same.
 */
CS_MUST_CHECK enum cs_err cs_report_json(const json_t *doc, struct cs_fault *fault);

/*
 * `text` as a JSON string; what is not UTF-8 as cs_text_show shows it. NULL without memory.
 * Caller owns.
 */
json_t *cs_report_text(const char *text);

/*
 * Appends "label text": the label padded to `column`, the text shown by cs_text_show (never raw),
 * folded at 80 columns with continuation lines indented to `column`. A NULL text appears as "-",
 * an empty one as "(empty)". A word longer than a line is broken. Failure stays in `out`
 * (cs_bytes_check).
 */
void cs_report_field(struct cs_bytes *out, const char *label, unsigned column, const char *text);

#endif
