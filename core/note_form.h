/*
 * The characters and lines that notes, checkpoints and proofs are made of. For their files alone.
 */
#ifndef CS_NOTE_FORM_H
#define CS_NOTE_FORM_H

#include "note.h"

/* Valid UTF-8 without a control character below U+0020 other than LF. */
bool cs_note_text_ok(const char *text, size_t len);
/* A key name: as above, not empty, no Unicode white space, no plus sign. */
bool cs_note_name_ok(const char *name, size_t len);
/* A whole signed note: text, empty line, signature lines. CS_E_NOTE, CS_E_NOMEM. */
CS_MUST_CHECK enum cs_err cs_note_form_check(const char *note, size_t len);
/* ASCII decimal without leading zeros, at most `max`. */
bool cs_note_decimal(const char *text, size_t len, uint64_t max, uint64_t *ret_value);
/*
 * The next line in `*pos` .. `end`, without its LF, and steps over it. False when there is no LF
 * left.
 */
bool cs_note_line(const char **pos, const char *end, const char **ret_line, size_t *ret_len);
/* A line that is the base64 of one hash: CS_E_BASE64, CS_E_NOMEM. */
CS_MUST_CHECK enum cs_err cs_note_hash(const char *line, size_t len, uint8_t hash[CS_HASH]);

#endif
