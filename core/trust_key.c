/*
 * Tokens, keys, enrolments and appliances of a trust set.
 */
#include "trust_rules.h"
#include "jose.h"
#include "rule.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A serial that says nothing is what some modules print for every token. */
static bool says_nothing(const char *serial)
{
	return serial == NULL || serial[strspn(serial, "0 :.-")] == '\0';
}

static enum cs_err check_tokens(const json_t *version, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *seen = json_object();
	const json_t *tokens = json_object_get(version, "tokens");
	char path[64];

	for (size_t i = 0; i < json_array_size(tokens); i++) {
		CS_CLEANUP_BYTES struct cs_bytes identity = {0};
		const json_t *token = json_array_get(tokens, i);
		const char *serial = cs_json_text(token, "serial");
		snprintf(path, sizeof path, "/tokens/%zu/serial", i);
		if (says_nothing(serial))
			return cs_fault_set(fault, CS_E_TRUST_TOKEN, path,
				"'%s' identifies no token", serial ? serial : "");
		/*
		 * A newline cannot be in either. The same hexadecimal serial in the other case is
		 * the same token.
		 */
		cs_bytes_addf(&identity, "%s\n", cs_json_text(token, "product"));
		for (const char *c = serial; *c != '\0'; c++)
			cs_bytes_addf(
				&identity, "%c", *c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
		if (cs_bytes_check(&identity) != CS_OK)
			return CS_E_NOMEM;
		if (json_object_get(seen, (const char *)identity.data) != NULL)
			return cs_fault_set(fault, CS_E_TRUST_DUPLICATE, path,
				"%s %s is there already under another name",
				cs_json_text(token, "product"), serial);
		if (json_object_set_new(seen, (const char *)identity.data, json_true()) != 0)
			return CS_E_NOMEM;
	}
	return CS_OK;
}

static enum cs_err bad_enrolment(
	struct cs_fault *fault, const char *path, const char *kid, const char *why)
{
	return cs_fault_set(fault, CS_E_TRUST_ENROLMENT, path, "%s: %s", kid, why);
}

static bool same_text(const json_t *a, const char *a_key, const json_t *b, const char *b_key)
{
	const char *left = cs_json_text(a, a_key), *right = cs_json_text(b, b_key);

	return left != NULL && right != NULL && strcmp(left, right) == 0;
}

static enum cs_err check_enrolment(const json_t *entry, const struct cs_public_key *key,
	bool is_new, const json_t *earlier, const char *path, struct cs_fault *fault)
{
	const json_t *challenge = json_object_get(entry, "enrolment");
	const json_t *trust_set = json_object_get(challenge, "trust_set");
	const char *extended = json_string_value(trust_set);
	const char *kid = cs_json_text(entry, "kid");

	if (!json_is_object(challenge))
		return bad_enrolment(fault, path, kid, "no enrolment challenge");
	if (!same_text(challenge, "kid", entry, "kid") ||
		!same_text(challenge, "person", entry, "entity"))
		return bad_enrolment(
			fault, path, kid, "the challenge is for another key or person");
	if (!json_equal(json_object_get(challenge, "jwk"), json_object_get(entry, "jwk")))
		return bad_enrolment(fault, path, kid, "the challenge holds another public key");
	if (is_new && json_array_size(earlier) == 0 && !json_is_null(trust_set))
		return bad_enrolment(
			fault, path, kid, "the challenge of a genesis names a trust set");
	if (is_new && json_array_size(earlier) > 0 &&
		(extended == NULL || !cs_json_has_text(earlier, extended)))
		return bad_enrolment(
			fault, path, kid, "the challenge does not name a version before this one");
	if (cs_inline_verify(challenge, json_object_get(challenge, "signature"), kid, key) != CS_OK)
		return bad_enrolment(fault, path, kid, "the challenge is not signed by the key");
	return CS_OK;
}

/* Whose key may it be? */
static enum cs_err check_owner(const json_t *entry, enum cs_usage usage,
	const struct cs_trust_index *index, const char *path, struct cs_fault *fault)
{
	const char *entity = cs_json_text(entry, "entity");

	switch (usage) {
	case CS_USAGE_PERSON:
		return cs_trust_refers(entity, index->persons, NULL, path, fault);
	case CS_USAGE_SEAL:
	case CS_USAGE_CHECKPOINT:
	case CS_USAGE_DOCUMENT:
		return cs_trust_refers(entity, index->appliances, NULL, path, fault);
	case CS_USAGE_BINDING:
		return cs_trust_refers(
			entity, index->organisations, index->appliances, path, fault);
	case CS_USAGE_ENGINE:
	case CS_USAGE_COUNT:
		break;
	}
	return cs_fault_set(fault, CS_E_KEY_USAGE, path, "a trust set holds no keys of this usage");
}

static enum cs_err check_key(const json_t *entry, const json_t *previous, const json_t *earlier,
	const struct cs_trust_index *index, json_t *seen, const char *path, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes jwk = {0};
	enum cs_usage usage = cs_usage_by_name(cs_json_text(entry, "usage"));
	const char *kid = cs_json_text(entry, "kid");
	bool is_new = cs_json_find(json_object_get(previous, "keys"), "kid", kid) == NULL;
	struct cs_public_key key;
	enum cs_err err = check_owner(entry, usage, index, path, fault);

	if (err == CS_OK)
		err = cs_trust_refers(
			cs_json_text(entry, "token"), index->tokens, NULL, path, fault);
	if (err != CS_OK)
		return err;
	err = cs_public_key_from_jwk(json_object_get(entry, "jwk"), &key);
	if (err != CS_OK)
		return cs_fault_set(fault, err, path, "%s: %s", kid, cs_err_text(err));
	/* One key under two names would fill two slots, or have two usages. */
	err = cs_canonical_print(json_object_get(entry, "jwk"), &jwk);
	if (err != CS_OK)
		return err;
	if (json_object_get(seen, (const char *)jwk.data) != NULL)
		return cs_fault_set(fault, CS_E_TRUST_DUPLICATE, path,
			"the public key of %s is there already under another name", kid);
	if (json_object_set_new(seen, (const char *)jwk.data, json_true()) != 0)
		return CS_E_NOMEM;
	if (usage == CS_USAGE_PERSON)
		return check_enrolment(entry, &key, is_new, earlier, path, fault);
	return json_is_null(json_object_get(entry, "enrolment"))
		       ? CS_OK
		       : bad_enrolment(fault, path, kid, "only people enrol");
}

/* True when the key has neither ended nor been revoked at `at`. */
static bool is_live(const json_t *entry, cs_time at)
{
	cs_time not_after, revoked_at;

	return cs_member_time(entry, "not_after", CS_TIME_MAX, "", &not_after, NULL) == CS_OK &&
	       at < not_after &&
	       cs_revocation_time(json_object_get(entry, "revocation"), "", &revoked_at, NULL) ==
		       CS_OK &&
	       at < revoked_at;
}

static enum cs_err check_named(const json_t *version, const json_t *appliance, const char *member,
	enum cs_usage usage, cs_time at, const char *token, const char *path,
	struct cs_fault *fault)
{
	const json_t *keys = json_object_get(version, "keys");
	const char *kid = cs_json_text(appliance, member);
	const json_t *named = cs_json_find(keys, "kid", kid);

	if (named == NULL || !same_text(named, "entity", appliance, "id") ||
		(cs_rule_on(CS_RULE_APPLIANCE_KEYS) &&
			cs_usage_by_name(cs_json_text(named, "usage")) != usage))
		return cs_fault_set(fault, CS_E_TRUST_REFERENCE, path,
			"%s is no %s key of this appliance", kid, cs_usage_name(usage));
	if (strcmp(cs_json_text(named, "token"), token) != 0)
		return cs_fault_set(fault, CS_E_TRUST_REFERENCE, path,
			"%s is on another token than the seal key", kid);
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *other = json_array_get(keys, i);
		if (other != named && same_text(other, "entity", appliance, "id") &&
			is_live(other, at) &&
			cs_usage_by_name(cs_json_text(other, "usage")) == usage)
			return cs_fault_set(fault, CS_E_TRUST_REFERENCE, path,
				"%s has not ended beside %s: a log has one live %s key",
				cs_json_text(other, "kid"), kid, cs_usage_name(usage));
	}
	return CS_OK;
}

static enum cs_err check_appliance(
	const json_t *version, const json_t *appliance, const char *path, struct cs_fault *fault)
{
	const json_t *seal = cs_json_find(
		json_object_get(version, "keys"), "kid", cs_json_text(appliance, "seal_key"));
	const char *token = cs_json_text(seal, "token");
	cs_time at;
	enum cs_err err = cs_member_time(version, "issued_at", 0, "/issued_at", &at, fault);

	if (err == CS_OK && token == NULL)
		err = cs_fault_set(fault, CS_E_TRUST_REFERENCE, path, "%s is no entry",
			cs_json_text(appliance, "seal_key"));
	if (err == CS_OK)
		err = check_named(
			version, appliance, "seal_key", CS_USAGE_SEAL, at, token, path, fault);
	if (err == CS_OK)
		err = check_named(version, appliance, "checkpoint_key", CS_USAGE_CHECKPOINT, at,
			token, path, fault);
	if (err == CS_OK)
		err = check_named(version, appliance, "document_key", CS_USAGE_DOCUMENT, at, token,
			path, fault);
	return err;
}

enum cs_err cs_trust_keys(const json_t *version, const json_t *previous, const json_t *earlier,
	const struct cs_trust_index *index, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *seen = json_object();
	const json_t *keys = json_object_get(version, "keys");
	const json_t *appliances = json_object_get(version, "appliances");
	char path[64];
	enum cs_err err = check_tokens(version, fault);

	for (size_t i = 0; err == CS_OK && i < json_array_size(keys); i++) {
		snprintf(path, sizeof path, "/keys/%zu", i);
		err = check_key(
			json_array_get(keys, i), previous, earlier, index, seen, path, fault);
	}
	for (size_t i = 0; err == CS_OK && i < json_array_size(appliances); i++) {
		snprintf(path, sizeof path, "/appliances/%zu", i);
		err = check_appliance(version, json_array_get(appliances, i), path, fault);
	}
	return err;
}
