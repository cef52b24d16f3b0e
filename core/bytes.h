/*
 * A growable byte buffer and the encodings of bytes as text.
 */
#ifndef CS_BYTES_H
#define CS_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <countersign/error.h>

/*
 * Zero-initialise to use ("struct cs_bytes b = {0};"); free with cs_bytes_free or CS_CLEANUP_BYTES.
 */
struct cs_bytes {
	uint8_t *data; /* always followed by a NUL that `len` does not count, or NULL while empty */
	size_t len;
	size_t cap;
	bool failed; /* an append ran out of memory; later appends do nothing */
};

void cs_bytes_free(struct cs_bytes *b);
#define CS_CLEANUP_BYTES __attribute__((cleanup(cs_bytes_free)))

/*
 * Appends; on exhaustion sets `failed` and returns CS_E_NOMEM (so a chain may be checked once at
 * its end).
 */
enum cs_err cs_bytes_add(struct cs_bytes *b, const void *data, size_t len);
enum cs_err cs_bytes_add_text(struct cs_bytes *b, const char *text);
enum cs_err cs_bytes_addf(struct cs_bytes *b, const char *fmt, ...) CS_PRINTF(2, 3);
/* CS_OK, or CS_E_NOMEM if any append failed. */
CS_MUST_CHECK enum cs_err cs_bytes_check(const struct cs_bytes *b);
bool cs_bytes_equal(const void *a, size_t a_len, const void *b, size_t b_len);

/*
 * Base64url without padding (RFC 4648 section 5). The decoder demands that the text re-encodes to
 * itself: CS_E_BASE64.
 */
enum cs_err cs_base64url_encode(const uint8_t *data, size_t len, struct cs_bytes *out);
CS_MUST_CHECK enum cs_err cs_base64url_decode(
	const char *text, size_t text_len, struct cs_bytes *out);
/*
 * Standard base64 with padding (RFC 4648 section 4), as signed notes use it; the same strictness.
 */
enum cs_err cs_base64_encode(const uint8_t *data, size_t len, struct cs_bytes *out);
CS_MUST_CHECK enum cs_err cs_base64_decode(const char *text, size_t text_len, struct cs_bytes *out);

/* Lower-case hexadecimal. `text` must hold 2 * len + 1 bytes. */
void cs_hex_encode(const uint8_t *data, size_t len, char *text);
/* Exactly 2 * len lower-case digits: CS_E_HEX otherwise. */
CS_MUST_CHECK enum cs_err cs_hex_decode(
	const char *text, size_t text_len, uint8_t *data, size_t len);

/* SHA-256 (FIPS 180-4) of `data`. */
void cs_sha256(const void *data, size_t len, uint8_t digest[32]);

#endif
