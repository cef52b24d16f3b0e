/*
 * What text may hold, and how foreign text is shown. One function for every screen, log, notifier
 * and page.
 */
#ifndef CS_TEXT_H
#define CS_TEXT_H

#include "bytes.h"
#include <jansson.h>

#define CS_TEXT_NEWLINE 1u /* U+000A is allowed or kept */

/*
 * Refuses what no signed document may hold: C0, C1, DEL, U+2028, U+2029, bidirectional controls,
 * other format characters (general category Cf), private use, surrogates and unassigned code
 * points. CS_E_TEXT names the code point and its offset in bytes; CS_E_JSON_UTF8.
 */
CS_MUST_CHECK enum cs_err cs_text_check(
	const char *text, size_t len, unsigned flags, struct cs_fault *fault);

/*
 * cs_text_check on every string and key of a document; newline only in members named in
 * `newline_keys` (NULL-terminated, may be NULL). The fault's path is the JSON pointer.
 */
CS_MUST_CHECK enum cs_err cs_text_check_document(
	const json_t *doc, const char *const *newline_keys, struct cs_fault *fault);

/*
 * Appends `text` so that it cannot deceive a reader: whatever cs_text_check refuses, invalid bytes
 * included, appears as \u{HEX}, and so do characters that nobody sees or that look like a plain
 * space, a combining mark with no character before it, and the fifth and further marks in a row; a
 * backslash is doubled. With CS_TEXT_NEWLINE a newline is kept and each continuation line is
 * indented by `indent` spaces; else it is escaped too. A word that mixes scripts (Latin with
 * Cyrillic, say) is followed by " [mixed scripts]".
 */
enum cs_err cs_text_show(
	const char *text, size_t len, unsigned flags, unsigned indent, struct cs_bytes *out);

#endif
