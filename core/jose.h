/*
 * The forms in which a signature stands beside or inside a document.
 *
 * The key always comes from the caller (trust set or certificate), never from the document. Every
 * verifier checks in this order: the form (CS_E_SIGNATURE_FORM), the kid (CS_E_KEY_UNKNOWN when it
 * is not the one demanded), the algorithm (CS_E_ALGORITHM when it is not the key's, or not one at
 * all), the base64url (CS_E_BASE64), then the signature as cs_signature_verify does, with low S
 * demanded except in published artefacts, which others make.
 *
 * Signing appends to its output and returns CS_E_ID for a kid that is empty or longer than
 * CS_ID_MAX, what the signer returns, and CS_E_NOMEM. Errors of cs_canonical_print come from either
 * side.
 */
#ifndef CS_JOSE_H
#define CS_JOSE_H

#include "signature.h"

/* ---- inline: `signature: {alg, kid, value_b64}` over the canonical form without either ---- */

/*
 * Sets doc["signature"] (replacing one), or appends to doc["signatures"] when `plural`.
 * CS_E_SIGNATURE_FORM when `signatures` is there and no array.
 */
CS_MUST_CHECK enum cs_err cs_inline_sign(json_t *doc, const struct cs_signer *signer, bool plural);
/* kid of doc["signature"], borrowed; NULL when absent or malformed. */
const char *cs_inline_kid(const json_t *doc);
/*
 * `signature` is the {alg, kid, value_b64} object (exactly these members); the signed bytes are
 * those of `doc`.
 */
CS_MUST_CHECK enum cs_err cs_inline_verify(const json_t *doc, const json_t *signature,
	const char *kid, const struct cs_public_key *key);

/* ---- `sig:ALG:KID:VALUE` over a document's canonical form without `signature` ---- */

/*
 * Over `doc` without its `signature`; appends the string to `ret`, which the caller frees with
 * cs_bytes_free.
 */
CS_MUST_CHECK enum cs_err cs_sig_string_sign(
	const json_t *doc, const struct cs_signer *signer, struct cs_bytes *ret);
/*
 * Kids hold colons: splits at the first two and the last. `kid` must hold CS_ID_MAX + 1 bytes.
 * CS_E_SIGNATURE_FORM, also for an algorithm that does not exist.
 */
CS_MUST_CHECK enum cs_err cs_sig_string_kid(const char *text, char *kid, size_t kid_size);
CS_MUST_CHECK enum cs_err cs_sig_string_verify(
	const json_t *doc, const char *text, const char *kid, const struct cs_public_key *key);

/* ---- compact JWS (RFC 7515), header {alg, kid, typ:"countersign-seal+jws"}, canonical ---- */

/* Appends the signing input BASE64URL(header).BASE64URL(payload) (section 5.1). */
CS_MUST_CHECK enum cs_err cs_jws_signing_input(const struct cs_public_key *key, const char *kid,
	const void *payload, size_t payload_len, struct cs_bytes *ret_input);
CS_MUST_CHECK enum cs_err cs_jws_sign(const struct cs_signer *signer, const void *payload,
	size_t payload_len, struct cs_bytes *ret_jws);
/*
 * Opens without verifying: kid from the header (`kid` should hold CS_ID_MAX + 1 bytes), payload
 * bytes appended. Three parts exactly, each canonical base64url (CS_E_BASE64); CS_E_SIGNATURE_FORM
 * when the header is not exactly so, byte for byte.
 */
CS_MUST_CHECK enum cs_err cs_jws_open(
	const char *jws, size_t len, char *kid, size_t kid_size, struct cs_bytes *ret_payload);
CS_MUST_CHECK enum cs_err cs_jws_verify(
	const char *jws, size_t len, const char *kid, const struct cs_public_key *key);

/*
 * ---- published signed artefacts: {payload, signature: {alg, kid, sig, canonicalisation}} ----
 *
 * Over the canonical form of the payload. Exactly these members, and `canonicalisation` the
 * published "rfc8785-style/sorted-keys-no-ws": nothing outside the payload is covered.
 */
CS_MUST_CHECK enum cs_err cs_payload_verify(
	const json_t *artefact, const char *kid, const struct cs_public_key *key);

#endif
