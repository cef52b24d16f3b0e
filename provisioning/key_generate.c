#include "provision.h"
#include "report.h"
#include "token_access.h"

#include <string.h>

static enum cs_err alg_of(const char *type, enum cs_alg *ret_alg, struct cs_fault *fault)
{
	static const struct {
		const char *type;
		enum cs_alg alg;
	} types[] = {{"ed25519", CS_ALG_EDDSA}, {"p256", CS_ALG_ES256}, {"p384", CS_ALG_ES384}};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (strcmp(types[i].type, type) != 0)
			continue;
		*ret_alg = types[i].alg;
		return CS_OK;
	}
	return cs_fault_set(fault, CS_E_USAGE, "", "--type is ed25519, p256 or p384");
}

enum cs_err cs_provision_key_generate(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_ACCESS struct cs_token_access access = {0};
	CS_CLEANUP_JSON json_t *jwk = NULL;
	CS_CLEANUP_JSON json_t *doc = NULL;
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	const char *label = cs_call_value(call, "label");
	enum cs_alg alg = CS_ALG_EDDSA;
	enum cs_err err = alg_of(cs_call_value(call, "type"), &alg, fault);

	if (err == CS_OK)
		err = cs_token_access_open(call, NULL, &access, fault);
	if (err == CS_OK)
		err = cs_token_key_generate(
			access.token, alg, label, NULL, 0, 0, &access.key, fault);
	if (err != CS_OK)
		return err;
	const struct cs_public_key *key = cs_token_key_public(access.key);
	if (key == NULL)
		return cs_fault_set(fault, CS_E_KEY, label,
			"the token made a key and shows no public key for it");
	err = cs_public_key_to_jwk(key, &jwk);
	if (err != CS_OK)
		return err;
	doc = json_pack("{s:O, s:s}", "jwk", jwk, "label", label);
	if (doc == NULL)
		return CS_E_NOMEM;
	if (call->json)
		return cs_report_json(doc, fault);
	cs_report_field(&text, "key", 10, label);
	cs_report_field(&text, "algorithm", 10, cs_alg_name(alg));
	cs_report_field(&text, "x", 10, cs_json_text(jwk, "x"));
	if (alg != CS_ALG_EDDSA)
		cs_report_field(&text, "y", 10, cs_json_text(jwk, "y"));
	return cs_report_write(&text, fault);
}
