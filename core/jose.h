/*
 * The forms in which a signature stands beside or inside a document.
 *
 * All verify with low S demanded. The key always comes from the caller (trust set or certificate), never from the
 * document; a form whose algorithm is not the key's is CS_E_ALGORITHM, a form naming another kid CS_E_KEY_UNKNOWN.
 */
#ifndef CS_JOSE_H
#define CS_JOSE_H

#include "signature.h"

/* ---- inline: `signature: {alg, kid, value_b64}` over the canonical form without signature(s) ---- */

/* Sets doc["signature"] (replacing one), or appends to doc["signatures"] when `plural`. */
CS_MUST_CHECK enum cs_err cs_inline_sign(json_t *doc, const struct cs_signer *signer, bool plural);
/* kid of doc["signature"], borrowed; NULL when malformed. */
const char *cs_inline_kid(const json_t *doc);
/* `signature` is the {alg, kid, value_b64} object (exactly these members); the signed bytes are those of `doc`. */
CS_MUST_CHECK enum cs_err cs_inline_verify(const json_t *doc, const json_t *signature, const char *kid,
	const struct cs_public_key *key);

/* ---- `sig:ALG:KID:VALUE` over a document's canonical form without `signature` ---- */

/* Over `doc` without its `signature`; gives the string. Caller frees `ret` with cs_bytes_free. */
CS_MUST_CHECK enum cs_err cs_sig_string_sign(const json_t *doc, const struct cs_signer *signer, struct cs_bytes *ret);
/* Splits at the first two and the last colon; `kid` must hold CS_ID_MAX + 1 bytes. CS_E_SIGNATURE_FORM. */
CS_MUST_CHECK enum cs_err cs_sig_string_kid(const char *text, char *kid, size_t kid_size);
CS_MUST_CHECK enum cs_err cs_sig_string_verify(const json_t *doc, const char *text, const char *kid,
	const struct cs_public_key *key);

/* ---- compact JWS (RFC 7515) with the header {alg, kid, typ:"countersign-seal+jws"} in canonical form ---- */

/* The signing input BASE64URL(header).BASE64URL(payload). */
CS_MUST_CHECK enum cs_err cs_jws_signing_input(const struct cs_public_key *key, const char *kid, const void *payload,
	size_t payload_len, struct cs_bytes *ret_input);
CS_MUST_CHECK enum cs_err cs_jws_sign(const struct cs_signer *signer, const void *payload, size_t payload_len,
	struct cs_bytes *ret_jws);
/* Opens without verifying: kid from the header, payload bytes. CS_E_SIGNATURE_FORM when the header is not exactly so. */
CS_MUST_CHECK enum cs_err cs_jws_open(const char *jws, size_t len, char *kid, size_t kid_size, struct cs_bytes *ret_payload);
CS_MUST_CHECK enum cs_err cs_jws_verify(const char *jws, size_t len, const char *kid, const struct cs_public_key *key);

/* ---- published signed artefacts: {payload, signature:{alg, kid, sig, canonicalisation}} over the canonical payload ---- */
CS_MUST_CHECK enum cs_err cs_payload_verify(const json_t *artefact, const char *kid, const struct cs_public_key *key);

#endif
