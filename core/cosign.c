#include "cosign.h"
#include "jose.h"
#include "rule.h"

#include <stdio.h>
#include <string.h>

static const struct signers {
	const char *schema;
	const char *one;
	const char *other[3];		/* any of these; NULL-terminated */
} table[] = {
	{"countersign.trust_set.v1", "security_officer", {"sre_lead", "compliance", NULL}},
	{"countersign.published_keys.v1", "security_officer", {"sre_lead", "compliance", NULL}},
	{"countersign.policy.v1", "sre_lead", {"compliance", NULL}},
};

static const struct signers *signers_of(const char *schema)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strcmp(table[i].schema, schema) == 0)
			return &table[i];
	return NULL;
}

static enum cs_err check_signature(const struct cs_keyring *ring, const json_t *doc,
	const char *schema, size_t index, cs_time at, const struct cs_key_info **ret_key,
	struct cs_fault *fault)
{
	const json_t *signature = json_array_get(json_object_get(doc, "signatures"), index);
	const struct cs_key_info *key = NULL;
	const char *kid = cs_json_text(signature, "kid");
	char path[32];
	enum cs_err err;

	snprintf(path, sizeof path, "/signatures/%zu", index);
	err = cs_keyring_key_at(ring, kid, schema, NULL, at, path, &key, fault);
	if (err != CS_OK)
		return err;
	err = cs_inline_verify(doc, signature, kid, &key->key);
	if (err != CS_OK)
		return cs_fault_set(fault, err, path, "%s: %s", kid, cs_err_text(err));
	*ret_key = key;
	return CS_OK;
}

static bool holds(
	const struct cs_keyring *ring, const struct cs_key_info *key, const char *role, cs_time at)
{
	return cs_keyring_role(ring, key->entity, role, NULL, NULL, at, NULL) == CS_OK;
}

static bool fills(const struct cs_keyring *ring, const struct signers *who,
	const struct cs_key_info *one, const struct cs_key_info *other, cs_time at)
{
	if (!holds(ring, one, who->one, at))
		return false;
	for (size_t i = 0; who->other[i] != NULL; i++)
		if (holds(ring, other, who->other[i], at))
			return true;
	return false;
}

static enum cs_err check_pair(const struct cs_keyring *ring, const struct signers *who,
	const struct cs_key_info *const keys[2], cs_time at, struct cs_fault *fault)
{
	const struct cs_key_info *a = keys[0], *b = keys[1];

	if (strcmp(a->entity, b->entity) == 0)
		return cs_fault_set(
			fault, CS_E_TRUST_SIGNERS, "/signatures", "%s signed twice", a->entity);
	if (cs_public_key_equal(&a->key, &b->key))
		return cs_fault_set(fault, CS_E_TRUST_SIGNERS, "/signatures",
			"%s and %s are one key", a->kid, b->kid);
	if (strcmp(a->product, b->product) == 0 && strcmp(a->serial, b->serial) == 0)
		return cs_fault_set(fault, CS_E_TRUST_SIGNERS, "/signatures",
			"%s and %s are on one token", a->kid, b->kid);
	if (!fills(ring, who, a, b, at) && !fills(ring, who, b, a, at))
		return cs_fault_set(fault, CS_E_TRUST_SIGNERS, "/signatures",
			"%s and %s are not %s and %s%s%s", a->entity, b->entity, who->one,
			who->other[0], who->other[1] ? " or " : "",
			who->other[1] ? who->other[1] : "");
	return CS_OK;
}

enum cs_err cs_cosign_check(const struct cs_keyring *ring, const json_t *doc, const char *schema,
	cs_time at, const char *ret_persons[2], struct cs_fault *fault)
{
	const struct signers *who = signers_of(schema);
	const struct cs_key_info *keys[2] = {NULL, NULL};
	size_t count = json_array_size(json_object_get(doc, "signatures"));

	if (who == NULL)
		return cs_fault_set(fault, CS_E_KEY_USAGE, "",
			"%s is not a document that two people sign", schema);
	if (cs_rule_on(CS_RULE_TWO_SIGNERS) && count < 2)
		return cs_fault_set(
			fault, CS_E_TRUST_UNSIGNED, "/signatures", "%zu of 2 signatures", count);
	if (count > 2)
		return cs_fault_set(fault, CS_E_TRUST_SIGNERS, "/signatures",
			"%zu signatures where two people sign", count);
	for (size_t i = 0; i < count; i++) {
		enum cs_err err = check_signature(ring, doc, schema, i, at, &keys[i], fault);
		if (err != CS_OK)
			return err;
	}
	if (cs_rule_on(CS_RULE_TWO_SIGNERS)) {
		enum cs_err err = check_pair(ring, who, keys, at, fault);
		if (err != CS_OK)
			return err;
	}
	for (size_t i = 0; ret_persons != NULL && i < 2; i++)
		ret_persons[i] = keys[i] != NULL ? keys[i]->entity : NULL;
	return CS_OK;
}
