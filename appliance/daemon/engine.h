/*
 * The engine's session key: made here, certified by the document key on the signer's token, renewed
 * before its certificate ends. It signs briefs, snapshots, maps and decision records, and never
 * anything that allows.
 */
#ifndef CS_ENGINE_H
#define CS_ENGINE_H

#include "rulebook.h"
#include "jose.h"
#include "session_key.h"

struct cs_engine {
	struct cs_session_key *key;
	struct cs_signer signer; /* of `key`, under the certificate's kid */
	json_t *certificate;	 /* NULL before it is certified */
	const char *entity;	 /* borrowed from the certificate */
	cs_time not_before, not_after;
	struct cs_session_key *candidate; /* sent to be certified */
};

void cs_engine_clear(struct cs_engine *engine);

/* True while documents can be signed at `now`. */
bool cs_engine_usable(const struct cs_engine *engine, cs_time now);
/* True when there is no certificate or less than a third of its life is left. */
bool cs_engine_wants_certificate(const struct cs_engine *engine, cs_time now);

/* Makes a new key pair as candidate and gives its public JWK; caller owns. */
CS_MUST_CHECK enum cs_err cs_engine_candidate(struct cs_engine *engine, json_t **ret_jwk);
/*
 * Takes the certificate that the signer gave for the candidate, if it is one: schema, signed by the
 * origin's document key, for this appliance and this key, valid now and at most
 * CS_CERTIFICATE_SECONDS long. CS_E_CERTIFICATE and what the checks give.
 */
CS_MUST_CHECK enum cs_err cs_engine_certify(struct cs_engine *engine,
	const struct cs_rulebook *book, json_t *certificate, cs_time now, struct cs_fault *fault);
/* Drops the certificate (after a reload): the next append or brief waits for a new one. */
void cs_engine_expire(struct cs_engine *engine);

/* Signs inline, replacing a signature that is there. CS_E_SIGNER_DOWN without a certificate. */
CS_MUST_CHECK enum cs_err cs_engine_sign(const struct cs_engine *engine, json_t *doc);

#endif
