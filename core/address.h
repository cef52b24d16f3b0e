/*
 * Addresses of documents and the identifiers of the KYE Protocol.
 */
#ifndef CS_ADDRESS_H
#define CS_ADDRESS_H

#include "canonical.h"
#include "clock.h"

#define CS_ADDRESS_TEXT 72 /* "sha256:" + 64 hexadecimal digits + NUL */
#define CS_ULID_TEXT 27	   /* 26 characters of Crockford's base 32 + NUL */
#define CS_ID_MAX 200	   /* longest identifier, without the NUL */

/*
 * "sha256:" + lower-case hex SHA-256 of the canonical form of `doc` without its top-level
 * `signature` or `signatures`. Errors of cs_canonical_print.
 */
CS_MUST_CHECK enum cs_err cs_address_of(const json_t *doc, char address[CS_ADDRESS_TEXT]);
/* The same for bytes that are hashed as they are. */
void cs_address_of_bytes(const void *data, size_t len, char address[CS_ADDRESS_TEXT]);
/* Bare 64 hex digits over the document without `content_hash` and `signature` (approval family). */
CS_MUST_CHECK enum cs_err cs_content_hash(const json_t *doc, char hex[65]);
bool cs_address_ok(const char *text);
/* The 32 bytes behind an address: CS_E_ADDRESS. */
CS_MUST_CHECK enum cs_err cs_address_digest(const char *address, uint8_t digest[32]);

/* ULID (48-bit milliseconds, 80 random bits given by the caller). */
void cs_ulid_print(cs_time time, const uint8_t random[10], char text[CS_ULID_TEXT]);

/*
 * True for "kye:CLASS:rest" with the characters the published schemas allow and a length up to
 * CS_ID_MAX.
 */
bool cs_id_ok(const char *id, const char *class_name);

#endif
