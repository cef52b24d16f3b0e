/*
 * UTF-8 (RFC 3629) one character at a time.
 */
#ifndef CS_UTF8_H
#define CS_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Decodes the character at `text`, of which `len` > 0 bytes are there. Returns its length in bytes,
 * 1 to 4, and sets `*ret_code`; 0 when the bytes are no UTF-8: overlong, a surrogate, beyond
 * U+10FFFF, cut short or not a first byte.
 */
size_t cs_utf8_decode(const char *text, size_t len, uint32_t *ret_code);

/* Length in bytes of the longest beginning of `text` that is UTF-8. */
size_t cs_utf8_valid(const char *text, size_t len);

/*
 * Writes the character `code`, which must be one (no surrogate, at most U+10FFFF). Returns its
 * length in bytes, 1 to 4.
 */
size_t cs_utf8_encode(uint32_t code, char text[4]);

#endif
