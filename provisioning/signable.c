#include "signable.h"
#include "address.h"
#include "grant.h"
#include "policy.h"
#include "usage.h"

#include <string.h>

#define TWO_PEOPLE 2

/* `from` <= at < `until`; an absent or null end is open. False for times that cannot be read. */
static bool within(const json_t *entry, const char *from_key, const char *until_key, cs_time at)
{
	const char *from_text = cs_json_text(entry, from_key);
	const char *until_text = cs_json_text(entry, until_key);
	cs_time from;
	cs_time until = CS_TIME_MAX;

	if (from_text == NULL || cs_time_parse(from_text, &from, NULL) != CS_OK)
		return false;
	if (until_text != NULL && cs_time_parse(until_text, &until, NULL) != CS_OK)
		return false;
	return from <= at && at < until;
}

/*
 * Whether the JWK-bearing `entry` is a key of this person that may sign as a person at `at`, and
 * the one on the token.
 */
static enum cs_err check_key(const struct cs_signing *signing, const json_t *entry,
	const char *entity_path, cs_time at, struct cs_fault *fault)
{
	const char *entity = cs_json_text(entry, "entity");
	const char *usage = cs_json_text(entry, "usage");
	struct cs_public_key known;

	if (entry == NULL)
		return cs_fault_set(
			fault, CS_E_KEY_UNKNOWN, entity_path, "no key '%s'", signing->kid);
	if (entity == NULL || strcmp(entity, signing->person) != 0)
		return cs_fault_set(fault, CS_E_KEY_ENTITY, entity_path,
			"'%s' is not a key of '%s'", signing->kid, signing->person);
	if (usage == NULL || strcmp(usage, "person") != 0)
		return cs_fault_set(fault, CS_E_KEY_USAGE, entity_path, "'%s' is no person's key",
			signing->kid);
	if (!json_is_null(json_object_get(entry, "revocation")))
		return cs_fault_set(
			fault, CS_E_KEY_REVOKED, entity_path, "'%s' is revoked", signing->kid);
	if (!within(entry, "not_before", "not_after", at))
		return cs_fault_set(fault, CS_E_KEY_WINDOW, entity_path,
			"'%s' is not valid when the document is issued", signing->kid);
	if (signing->key == NULL)
		return CS_OK;
	const json_t *jwk = json_object_get(entry, "jwk");
	enum cs_err err = cs_public_key_from_jwk(jwk != NULL ? jwk : entry, &known);
	if (err != CS_OK)
		return cs_fault_set(fault, err, entity_path, "the key is not usable");
	if (!cs_public_key_equal(&known, signing->key))
		return cs_fault_set(fault, CS_E_KEY_UNKNOWN, entity_path,
			"the key on the token is not '%s'", signing->kid);
	return CS_OK;
}

static bool holds_role(const json_t *roles, const char *const *wanted, cs_time at)
{
	const json_t *role;
	size_t i;

	json_array_foreach(roles, i, role) {
		const char *name = cs_json_text(role, "role");
		if (name == NULL || !within(role, "from", "until", at))
			continue;
		for (size_t k = 0; wanted[k] != NULL; k++)
			if (strcmp(name, wanted[k]) == 0)
				return true;
	}
	return false;
}

/* Neither the same key twice nor, where `keys` says whose they are, the same person twice. */
static enum cs_err check_signatures(
	const struct cs_signing *signing, const json_t *keys, struct cs_fault *fault)
{
	const json_t *signatures = json_object_get(signing->document, "signatures");
	const json_t *signature;
	size_t i;

	if (signatures != NULL && !json_is_array(signatures))
		return cs_fault_set(fault, CS_E_SIGNATURE_FORM, "/signatures", "not an array");
	json_array_foreach(signatures, i, signature) {
		const char *kid = cs_json_text(signature, "kid");
		const char *signer =
			kid != NULL ? cs_json_text(cs_json_find(keys, "kid", kid), "entity") : NULL;
		if (kid != NULL && strcmp(kid, signing->kid) == 0)
			return cs_fault_set(fault, CS_E_EXISTS, "/signatures",
				"'%s' signed it already", signing->kid);
		if (signer != NULL && strcmp(signer, signing->person) == 0)
			return cs_fault_set(fault, CS_E_EXISTS, "/signatures",
				"'%s' signed it already", signing->person);
	}
	if (json_array_size(signatures) >= TWO_PEOPLE)
		return cs_fault_set(
			fault, CS_E_EXISTS, "/signatures", "two people signed it already");
	return CS_OK;
}

static enum cs_err issue_time(
	const json_t *document, const char *path, cs_time *ret_at, struct cs_fault *fault)
{
	const char *text = cs_json_text_at(document, path);

	if (text == NULL || cs_time_parse(text, ret_at, NULL) != CS_OK)
		return cs_fault_set(fault, CS_E_TIME, path, "not a time");
	return CS_OK;
}

/* A later version stands on its predecessor: number, address, and whose keys and roles count. */
static enum cs_err check_follows(const struct cs_signing *signing, struct cs_fault *fault)
{
	int64_t version = cs_json_integer(signing->document, "version", 0);
	const char *named = cs_json_text(signing->document, "previous");
	char address[CS_ADDRESS_TEXT];

	if (version == 1)
		return CS_OK;
	if (signing->previous == NULL)
		return cs_fault_set(fault, CS_E_USAGE, "",
			"--previous is needed for every version but the first");
	enum cs_err err = cs_address_of(signing->previous, address);
	if (err != CS_OK)
		return cs_fault_set(fault, err, "--previous", "has no address");
	if (version != cs_json_integer(signing->previous, "version", 0) + 1 || named == NULL ||
		strcmp(named, address) != 0)
		return cs_fault_set(fault, CS_E_TRUST_CHAIN, "/previous",
			"the document does not follow the version given");
	return CS_OK;
}

static enum cs_err may_sign_trust_set(const struct cs_signing *signing, struct cs_fault *fault)
{
	static const char *const roles[] = {"security_officer", "sre_lead", "compliance", NULL};
	bool first = cs_json_integer(signing->document, "version", 0) == 1;
	const json_t *authority = first ? signing->document : signing->previous;
	cs_time at;
	enum cs_err err = check_follows(signing, fault);

	if (err == CS_OK && !first)
		err = cs_schema_check(
			signing->registry, "countersign.trust_set.v1", signing->previous, fault);
	if (err == CS_OK)
		err = cs_trust_check_content(signing->registry, signing->document,
			first ? NULL : signing->previous, signing->person, fault);
	if (err == CS_OK)
		err = issue_time(signing->document, "issued_at", &at, fault);
	if (err != CS_OK)
		return err;
	const json_t *keys = json_object_get(authority, "keys");
	const json_t *person =
		cs_json_find(json_object_get(authority, "persons"), "id", signing->person);
	err = check_key(signing, cs_json_find(keys, "kid", signing->kid), "/keys", at, fault);
	if (err != CS_OK)
		return err;
	const char *state = cs_json_text(person, "state");
	if (state == NULL || strcmp(state, "active") != 0 ||
		!holds_role(json_object_get(person, "roles"), roles, at))
		return cs_fault_set(fault, CS_E_TRUST_SIGNERS, "/persons",
			"'%s' is no active security officer, SRE lead or compliance",
			signing->person);
	return check_signatures(signing, keys, fault);
}

/*
 * A policy names no keys: whose signature counts is judged with the trust set, when the policy is
 * loaded.
 */
static enum cs_err may_sign_policy(const struct cs_signing *signing, struct cs_fault *fault)
{
	enum cs_err err = cs_policy_check_content(signing->registry, signing->document, fault);

	if (err == CS_OK)
		err = check_follows(signing, fault);
	return err == CS_OK ? check_signatures(signing, NULL, fault) : err;
}

static enum cs_err may_sign_published_keys(const struct cs_signing *signing, struct cs_fault *fault)
{
	static const char *const roles[] = {"security_officer", "sre_lead", "compliance", NULL};
	const json_t *keys = json_object_get(signing->document, "keys");
	const json_t *entry = cs_json_find(keys, "kid", signing->kid);
	cs_time at;
	enum cs_err err = cs_schema_check(
		signing->registry, "countersign.published_keys.v1", signing->document, fault);

	if (err == CS_OK)
		err = issue_time(signing->document, "countersign/issued_at", &at, fault);
	if (err == CS_OK)
		err = check_key(signing, entry, "/keys", at, fault);
	if (err != CS_OK)
		return err;
	if (!holds_role(json_object_get(entry, "roles"), roles, at))
		return cs_fault_set(fault, CS_E_TRUST_SIGNERS, "/keys",
			"'%s' is no security officer, SRE lead or compliance", signing->person);
	return check_signatures(signing, keys, fault);
}

static enum cs_err may_sign_grant(const struct cs_signing *signing, struct cs_fault *fault)
{
	const char *issuer = cs_json_text(signing->document, "issued_by");
	enum cs_err err = cs_grant_check_unsigned(signing->registry, signing->document, fault);

	if (err != CS_OK)
		return err;
	if (issuer == NULL || strcmp(issuer, signing->person) != 0)
		return cs_fault_set(fault, CS_E_KEY_ENTITY, "/issued_by",
			"the grant is issued by another person");
	if (!json_is_null(json_object_get(signing->document, "revoked_at")))
		return cs_fault_set(fault, CS_E_STATE, "/revoked_at", "the grant is revoked");
	return CS_OK;
}

static const struct cs_signable table[] = {
	{"countersign.trust_set.v1", false, may_sign_trust_set},
	{"countersign.policy.v1", false, may_sign_policy},
	{"countersign.published_keys.v1", false, may_sign_published_keys},
	{"kye.authority.grant.v1", true, may_sign_grant},
	{"kye.purpose.grant.v1", true, may_sign_grant},
};

const struct cs_signable *cs_signable_find(const json_t *document)
{
	const char *schema = cs_json_text(document, "schema");

	if (schema == NULL)
		schema = cs_grant_schema(document);
	for (size_t i = 0; schema != NULL && i < sizeof table / sizeof table[0]; i++)
		if (strcmp(table[i].schema, schema) == 0 &&
			cs_usage_may_sign(CS_USAGE_PERSON, schema))
			return &table[i];
	return NULL;
}
