#include "engine.h"

#include <sodium.h>
#include <string.h>

/* never seen outside: the certificate names the key */
#define CANDIDATE_KID "kye:key:engine.candidate"

void cs_engine_expire(struct cs_engine *engine)
{
	json_decref(engine->certificate);
	engine->certificate = NULL;
	engine->entity = NULL;
	cs_session_key_free(engine->key);
	engine->key = NULL;
	memset(&engine->signer, 0, sizeof engine->signer);
}

void cs_engine_clear(struct cs_engine *engine)
{
	cs_engine_expire(engine);
	cs_session_key_free(engine->candidate);
	engine->candidate = NULL;
}

bool cs_engine_usable(const struct cs_engine *engine, cs_time now)
{
	return engine->certificate != NULL && now >= engine->not_before && now < engine->not_after;
}

bool cs_engine_wants_certificate(const struct cs_engine *engine, cs_time now)
{
	if (!cs_engine_usable(engine, now))
		return true;
	return engine->not_after - now < (engine->not_after - engine->not_before) / 3;
}

enum cs_err cs_engine_candidate(struct cs_engine *engine, json_t **ret_jwk)
{
	uint8_t seed[CS_SESSION_SEED];
	struct cs_session_key *key = NULL;

	randombytes_buf(seed, sizeof seed);
	enum cs_err err = cs_session_key_make(CANDIDATE_KID, seed, &key); /* wipes the seed */
	if (err == CS_OK)
		err = cs_public_key_to_jwk(&cs_session_key_signer(key)->key, ret_jwk);
	if (err != CS_OK) {
		cs_session_key_free(key);
		return err;
	}
	cs_session_key_free(engine->candidate);
	engine->candidate = key;
	return CS_OK;
}

static enum cs_err check(const struct cs_engine *engine, const struct cs_rulebook *book,
	const json_t *certificate, cs_time now, cs_time *not_before, cs_time *not_after,
	struct cs_fault *fault)
{
	const char *kid = cs_inline_kid(certificate);
	const struct cs_key_info *document_key =
		cs_keyring_appliance_key(book->ring, book->origin, CS_USAGE_DOCUMENT);
	struct cs_public_key key;

	enum cs_err err = cs_schema_check(
		book->registry, "countersign.engine_certificate.v1", certificate, fault);
	if (err != CS_OK)
		return err;
	if (kid == NULL || document_key == NULL || strcmp(kid, document_key->kid) != 0)
		return cs_fault_set(fault, CS_E_CERTIFICATE, "/signature/kid",
			"not the document key of '%s'", book->origin);
	err = cs_inline_verify(
		certificate, json_object_get(certificate, "signature"), kid, &document_key->key);
	if (err != CS_OK)
		return cs_fault_set(fault, err, "/signature", "the engine certificate");
	if (strcmp(cs_json_text(certificate, "origin"), book->origin) != 0 ||
		strcmp(cs_json_text(certificate, "appliance"), book->entity) != 0)
		return cs_fault_set(fault, CS_E_CERTIFICATE, "/origin", "for another appliance");
	err = cs_public_key_from_jwk(json_object_get(certificate, "jwk"), &key);
	if (err != CS_OK || engine->candidate == NULL ||
		!cs_public_key_equal(&key, &cs_session_key_signer(engine->candidate)->key))
		return cs_fault_set(fault, CS_E_CERTIFICATE, "/jwk", "for another key");
	err = cs_time_parse(cs_json_text(certificate, "not_before"), not_before, fault);
	if (err == CS_OK)
		err = cs_time_parse(cs_json_text(certificate, "not_after"), not_after, fault);
	if (err != CS_OK)
		return err;
	if (*not_after - *not_before > INT64_C(1000) * CS_CERTIFICATE_SECONDS ||
		now >= *not_after ||
		now < cs_time_add_seconds(*not_before, -CS_ISSUED_SKEW_SECONDS))
		return cs_fault_set(
			fault, CS_E_CERTIFICATE, "/not_after", "not valid now, or for too long");
	return CS_OK;
}

enum cs_err cs_engine_certify(struct cs_engine *engine, const struct cs_rulebook *book,
	json_t *certificate, cs_time now, struct cs_fault *fault)
{
	cs_time not_before = 0, not_after = 0;

	enum cs_err err = check(engine, book, certificate, now, &not_before, &not_after, fault);
	if (err != CS_OK)
		return err;
	cs_engine_expire(engine);
	engine->key = engine->candidate;
	engine->candidate = NULL;
	engine->certificate = json_incref(certificate);
	engine->entity = cs_json_text(engine->certificate, "entity");
	engine->signer = *cs_session_key_signer(engine->key);
	engine->signer.kid = cs_json_text(engine->certificate, "kid");
	engine->not_before = not_before < now ? not_before : now;
	engine->not_after = not_after;
	return CS_OK;
}

enum cs_err cs_engine_sign(const struct cs_engine *engine, json_t *doc)
{
	if (engine->certificate == NULL)
		return CS_E_SIGNER_DOWN;
	return cs_inline_sign(doc, &engine->signer, false);
}
