#include "engine.h"
#include "jose.h"

#include <countersign/limits.h>
#include <string.h>

static enum cs_err refuse(struct cs_fault *fault, const char *member, const char *why)
{
	return cs_fault_set(fault, CS_E_CERTIFICATE, member, "%s", why);
}

static bool same_text(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static enum cs_err check_window(
	const json_t *certificate, cs_time at, cs_time *ret_from, struct cs_fault *fault)
{
	const char *from_text = cs_json_text(certificate, "not_before");
	const char *until_text = cs_json_text(certificate, "not_after");
	cs_time from;
	cs_time until;

	if (from_text == NULL || until_text == NULL ||
		cs_time_parse(from_text, &from, NULL) != CS_OK ||
		cs_time_parse(until_text, &until, NULL) != CS_OK)
		return refuse(fault, "/engine_certificate", "its times cannot be read");
	if (until > cs_time_add_seconds(from, CS_CERTIFICATE_SECONDS))
		return refuse(fault, "/engine_certificate/not_after",
			"it lives longer than a session certificate may");
	if (at < from || at > until)
		return refuse(
			fault, "/engine_certificate", "it was not valid when the brief was issued");
	*ret_from = from;
	return CS_OK;
}

enum cs_err cs_engine_check(const struct cs_approver *approver, const json_t *certificate,
	cs_time at, cs_time now, struct cs_engine_identity *ret_engine, struct cs_fault *fault)
{
	const json_t *appliance = cs_trust_appliance(approver->trust, approver->audience);
	const char *id = cs_json_text(appliance, "id");
	const char *kid = cs_json_text(appliance, "document_key");
	const struct cs_key_info *key;
	cs_time from = 0;
	enum cs_err err;

	if (id == NULL || kid == NULL)
		return refuse(fault, "/engine_certificate", "the trust set has no such appliance");
	if (!same_text(cs_json_text(certificate, "appliance"), id))
		return refuse(fault, "/engine_certificate/appliance", "it is another appliance's");
	if (!same_text(cs_json_text(certificate, "origin"), approver->audience))
		return refuse(fault, "/engine_certificate/origin", "it is for another log");
	if (cs_json_text(certificate, "kid") == NULL || cs_json_text(certificate, "entity") == NULL)
		return refuse(fault, "/engine_certificate", "it names no key or no entity");
	err = check_window(certificate, at, &from, fault);
	if (err == CS_OK)
		err = cs_keyring_key_at(cs_trust_keyring(approver->trust), kid,
			"countersign.engine_certificate.v1", id, from,
			"/engine_certificate/signature/kid", &key, fault);
	if (err == CS_OK && now >= key->revoked_at)
		err = cs_fault_set(fault, CS_E_KEY_REVOKED, "/engine_certificate/signature/kid",
			"'%s' was revoked since it certified the engine", kid);
	if (err != CS_OK)
		return err;
	err = cs_inline_verify(
		certificate, json_object_get(certificate, "signature"), kid, &key->key);
	if (err != CS_OK)
		return cs_fault_set(fault, err, "/engine_certificate/signature",
			"not signed by the appliance's document key '%s'", kid);
	err = cs_public_key_from_jwk(json_object_get(certificate, "jwk"), &ret_engine->key);
	if (err != CS_OK)
		return cs_fault_set(fault, err, "/engine_certificate/jwk", "%s", cs_err_text(err));
	ret_engine->kid = cs_json_text(certificate, "kid");
	ret_engine->entity = cs_json_text(certificate, "entity");
	return CS_OK;
}

enum cs_err cs_engine_signed(const struct cs_engine_identity *engine, const json_t *document,
	const char *path, struct cs_fault *fault)
{
	const char *schema = cs_json_text(document, "schema");
	enum cs_err err;

	if (schema == NULL || !cs_usage_may_sign(CS_USAGE_ENGINE, schema))
		return cs_fault_set(
			fault, CS_E_KEY_USAGE, path, "the engine signs no such document");
	err = cs_inline_verify(
		document, json_object_get(document, "signature"), engine->kid, &engine->key);
	return err == CS_OK ? CS_OK
			    : cs_fault_set(fault, err, path,
				      "not signed by the engine's session key '%s'", engine->kid);
}
