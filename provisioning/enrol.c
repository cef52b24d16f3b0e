#include "plan.h"
#include "provision.h"
#include "report.h"
#include "token_access.h"
#include "address.h"
#include "file.h"
#include "jose.h"
#include "schema.h"

#include <countersign/limits.h>
#include <sodium.h>
#include <string.h>

static enum cs_err check_names(
	const struct cs_call *call, const json_t *plan, struct cs_fault *fault)
{
	const char *person = cs_call_value(call, "person");

	if (!cs_id_ok(cs_call_value(call, "kid"), "key"))
		return cs_fault_set(fault, CS_E_ID, "--kid", "not a kye:key: identifier");
	if (!cs_id_ok(person, "person"))
		return cs_fault_set(fault, CS_E_ID, "--person", "not a kye:person: identifier");
	if (cs_json_find(json_object_get(plan, "persons"), "id", person) == NULL)
		return cs_fault_set(fault, CS_E_TRUST_REFERENCE, "--person",
			"the plan has no person '%s'", person);
	return CS_OK;
}

/*
 * The challenge ties key, person and the version being extended together; the nonce makes it one
 * of a kind.
 */
static enum cs_err make_challenge(const struct cs_call *call, const struct cs_public_key *key,
	json_t **ret_challenge, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *previous = NULL;
	CS_CLEANUP_JSON json_t *jwk = NULL;
	const char *file = cs_call_value(call, "previous");
	char address[CS_ADDRESS_TEXT];
	char id[CS_ID_MAX + 1];
	char nonce[65];
	char now[CS_TIME_TEXT];
	uint8_t random[32];
	enum cs_err err = cs_plan_new_id("kye:enrolment", id, fault);

	if (err == CS_OK && file != NULL)
		err = cs_file_read_json(file, CS_TRUST_SET_MAX, &previous, fault);
	if (err == CS_OK && file != NULL)
		err = cs_address_of(previous, address);
	if (err == CS_OK)
		err = cs_public_key_to_jwk(key, &jwk);
	if (err != CS_OK)
		return err;
	randombytes_buf(random, sizeof random);
	cs_hex_encode(random, sizeof random, nonce);
	*ret_challenge = json_pack("{s:s, s:s, s:s, s:O, s:s, s:s?, s:s, s:s}", "schema",
		"countersign.enrolment_challenge.v1", "id", id, "person",
		cs_call_value(call, "person"), "jwk", jwk, "kid", cs_call_value(call, "kid"),
		"trust_set", file != NULL ? address : NULL, "nonce", nonce, "issued_at",
		cs_time_print(cs_now(), now));
	return *ret_challenge != NULL ? CS_OK : CS_E_NOMEM;
}

static enum cs_err sign_challenge(
	struct cs_token_access *access, const char *kid, json_t *challenge, struct cs_fault *fault)
{
	struct cs_schema_registry *registry = NULL;
	struct cs_token_signer signer = {0};
	enum cs_err err = cs_token_signer_set(
		&signer, access->key, kid, &access->public_key, access->pin, fault);

	if (err != CS_OK)
		return err;
	err = cs_inline_sign(challenge, &signer.signer, false);
	if (err != CS_OK)
		return cs_fault_set(fault, err, signer.fault.path, "%s", signer.fault.detail);
	err = cs_schema_registry_embedded(&registry);
	if (err == CS_OK)
		err = cs_schema_check(
			registry, "countersign.enrolment_challenge.v1", challenge, fault);
	cs_schema_registry_free(registry);
	return err;
}

static const char *policy_option(
	const struct cs_call *call, const char *name, const char *otherwise)
{
	const char *value = cs_call_value(call, name);

	return value != NULL ? value : otherwise;
}

static enum cs_err add_key(const struct cs_call *call, const struct cs_token_access *access,
	json_t *plan, json_t *challenge, struct cs_fault *fault)
{
	const struct cs_token_identity *identity = cs_token_identity(access->token);
	char now[CS_TIME_TEXT];
	struct cs_plan_key key = {
		.kid = cs_call_value(call, "kid"),
		.entity = cs_call_value(call, "person"),
		.usage = "person",
		.key = &access->public_key,
		.not_before = cs_time_print(cs_now() / 1000 * 1000, now),
		.not_after = cs_call_value(call, "not-after"),
		.pin_policy = policy_option(call, "pin-policy", "once"),
		.touch_policy = policy_option(
			call, "touch-policy", identity->software ? "never" : "unknown"),
		.enrolment = challenge,
	};
	const char *token;
	enum cs_err err = cs_plan_token(plan, identity, &token, fault);

	if (err != CS_OK)
		return err;
	key.token = token;
	return cs_plan_add_key(plan, &key, fault);
}

static enum cs_err print_key(const struct cs_call *call, const json_t *plan, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	const json_t *key =
		cs_json_find(json_object_get(plan, "keys"), "kid", cs_call_value(call, "kid"));
	const json_t *token =
		cs_json_find(json_object_get(plan, "tokens"), "id", cs_json_text(key, "token"));

	if (call->json) {
		CS_CLEANUP_JSON json_t *doc = json_pack("{s:O, s:O, s:O, s:O, s:O}", "kid",
			json_object_get(key, "kid"), "person", json_object_get(key, "entity"),
			"token", json_object_get(key, "token"), "assurance",
			json_object_get(token, "assurance"), "jwk", json_object_get(key, "jwk"));
		return doc == NULL ? CS_E_NOMEM : cs_report_json(doc, fault);
	}
	cs_report_field(&text, "key", 11, cs_json_text(key, "kid"));
	cs_report_field(&text, "person", 11, cs_json_text(key, "entity"));
	cs_report_field(&text, "product", 11, cs_json_text(token, "product"));
	cs_report_field(&text, "serial", 11, cs_json_text(token, "serial"));
	cs_report_field(&text, "assurance", 11, cs_json_text(token, "assurance"));
	return cs_report_write(&text, fault);
}

enum cs_err cs_provision_enrol(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_ACCESS struct cs_token_access access = {0};
	CS_CLEANUP_JSON json_t *plan = NULL;
	CS_CLEANUP_JSON json_t *challenge = NULL;
	const char *path = cs_call_value(call, "plan");
	const char *out = cs_call_value(call, "out");
	enum cs_err err = cs_plan_read(path, &plan, fault);

	if (err == CS_OK)
		err = check_names(call, plan, fault);
	if (err == CS_OK)
		err = cs_token_access_open_key(
			call, "You enrol this token's key as yours.", &access, fault);
	if (err == CS_OK)
		err = make_challenge(call, &access.public_key, &challenge, fault);
	if (err == CS_OK)
		err = sign_challenge(&access, cs_call_value(call, "kid"), challenge, fault);
	if (err == CS_OK)
		err = add_key(call, &access, plan, challenge, fault);
	if (err == CS_OK && out != NULL)
		err = cs_file_write_json(out, challenge, 0644, fault);
	if (err == CS_OK)
		err = cs_plan_write(path, plan, fault);
	return err == CS_OK ? print_key(call, plan, fault) : err;
}
