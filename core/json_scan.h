/*
 * The grammar of JSON (RFC 8259) and everything beyond it that canonical JSON refuses, judged on
 * the bytes alone.
 */
#ifndef CS_JSON_SCAN_H
#define CS_JSON_SCAN_H

#include <stddef.h>
#include <countersign/error.h>

/*
 * CS_OK when `data` is exactly one JSON value that cs_json_read accepts but for keys that occur
 * twice, which need memory to see. Linear in `len`, constant in memory. First the bytes are judged
 * (CS_E_JSON_BOM, then in their order CS_E_JSON_NUL, CS_E_JSON_SURROGATE for one encoded in UTF-8,
 * CS_E_JSON_UTF8), then the tokens in theirs (CS_E_JSON_SYNTAX, CS_E_JSON_SURROGATE for an escape,
 * CS_E_JSON_NUL_KEY, CS_E_JSON_INEXACT, CS_E_JSON_RANGE, CS_E_JSON_DEPTH, CS_E_JSON_TRAILING).
 */
CS_MUST_CHECK enum cs_err cs_json_scan(const char *data, size_t len, struct cs_fault *fault);

/*
 * cs_fault_set with the line and column (of characters, both from 1) of `where` in `data` before
 * the reason.
 */
enum cs_err cs_json_refuse(const char *data, const char *where, enum cs_err err, const char *why,
	struct cs_fault *fault);

#endif
