/*
 * Canonical JSON: strict reading, and printing by RFC 8785 (JCS).
 *
 * In memory a document is a jansson `json_t`. After cs_json_read every number whose value is an
 * integer within ±2^53 is a json_integer and every other one a json_real, so that json_equal()
 * compares by value.
 */
#ifndef CS_CANONICAL_H
#define CS_CANONICAL_H

#include <jansson.h>
#include "bytes.h"

/* Frees with json_decref: `CS_CLEANUP_JSON json_t *doc = NULL;` */
void cs_json_cleanup(json_t **doc);
#define CS_CLEANUP_JSON __attribute__((cleanup(cs_json_cleanup)))

/*
 * Reads exactly one JSON value of at most `max` bytes (any type at the top). The caller owns
 * `*ret_doc`. Each kind of bad input has its own error: CS_E_TOO_LARGE, CS_E_JSON_NUL,
 * CS_E_JSON_BOM, CS_E_JSON_UTF8, CS_E_JSON_SURROGATE, CS_E_JSON_DUPLICATE, CS_E_JSON_DEPTH,
 * CS_E_JSON_TRAILING, CS_E_JSON_INEXACT, CS_E_JSON_RANGE, CS_E_JSON_NUL_KEY, CS_E_JSON_SYNTAX;
 * fault->detail says at which line and column. Bad bytes anywhere are reported before bad tokens,
 * and those before a key that occurs twice. CS_E_NOMEM. Linear in `len`.
 */
CS_MUST_CHECK enum cs_err cs_json_read(
	const void *data, size_t len, size_t max, json_t **ret_doc, struct cs_fault *fault);

/* The same, and the bytes must already be the canonical form: CS_E_NOT_CANONICAL. */
CS_MUST_CHECK enum cs_err cs_json_read_canonical(
	const void *data, size_t len, size_t max, json_t **ret_doc, struct cs_fault *fault);

/*
 * Appends the canonical form, no newline; what fails leaves `out` as it was. CS_E_JSON_RANGE (also
 * for a json_integer that no double holds exactly), CS_E_JSON_UTF8, CS_E_JSON_DEPTH, CS_E_NOMEM;
 * CS_E_INTERNAL for a NULL `doc`.
 */
CS_MUST_CHECK enum cs_err cs_canonical_print(const json_t *doc, struct cs_bytes *out);

/*
 * The same without the named top-level members (`skip`: NULL-terminated list). `doc` must be an
 * object: CS_E_INTERNAL.
 */
CS_MUST_CHECK enum cs_err cs_canonical_print_without(
	const json_t *doc, const char *const *skip, struct cs_bytes *out);

/* True when both texts are there and the same, as two cs_json_text() may be compared. */
bool cs_text_equal(const char *a, const char *b);
/* True when both have the same canonical form. */
bool cs_json_same(const json_t *a, const json_t *b);

/*
 * A whole copy that the caller owns, or CS_E_NOMEM: jansson's own json_deep_copy leaves members out
 * without a word when memory ends, which would make it another document. CS_E_INTERNAL for NULL.
 */
CS_MUST_CHECK enum cs_err cs_json_copy(const json_t *doc, json_t **ret_copy);
/* The same copy as a value, for json_pack and json_…_new: NULL for NULL and when memory ends. */
json_t *cs_json_copied(const json_t *doc);

/* ---- typed access; never NULL surprises ---- */

/*
 * String member of an object, or NULL when absent, of another type, or holding U+0000: a C string
 * would end there and show another text than the one that was signed. The same goes for every
 * function below that gives or compares text. Borrowed.
 */
const char *cs_json_text(const json_t *object, const char *key);
/*
 * Follows a '/'-separated list of plain keys and array indexes ("execution/target/service"); NULL
 * when absent. Borrowed.
 */
const json_t *cs_json_at(const json_t *doc, const char *path);
const char *cs_json_text_at(const json_t *doc, const char *path);
/* Integer member, or `fallback` when absent or not an integer. */
int64_t cs_json_integer(const json_t *object, const char *key, int64_t fallback);
/*
 * Element of an array of objects whose string member `key` equals `value`; NULL when none.
 * Borrowed.
 */
const json_t *cs_json_find(const json_t *array, const char *key, const char *value);
/* True when the array holds this string. */
bool cs_json_has_text(const json_t *array, const char *value);

#endif
