#include "plan.h"
#include "address.h"
#include "file.h"

#include <countersign/limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum cs_err cs_plan_new_id(const char *prefix, char *id, struct cs_fault *fault)
{
	uint8_t random[10];
	char ulid[CS_ULID_TEXT];

	randombytes_buf(random, sizeof random);
	cs_ulid_print(cs_now(), random, ulid);
	if (snprintf(id, CS_ID_MAX + 1, "%s:%s", prefix, ulid) > CS_ID_MAX)
		return cs_fault_set(fault, CS_E_ID, "",
			"the identifier would have more than %d characters", CS_ID_MAX);
	return CS_OK;
}

enum cs_err cs_plan_read(const char *path, json_t **ret_plan, struct cs_fault *fault)
{
	static const char *const added[] = {
		"schema", "id", "version", "previous", "issued_at", "signatures"};
	CS_CLEANUP_JSON json_t *plan = NULL;
	enum cs_err err = cs_file_read_json(path, CS_TRUST_SET_MAX, &plan, fault);

	if (err != CS_OK)
		return err;
	if (!json_is_object(plan))
		return cs_fault_set(fault, CS_E_DOCUMENT_INVALID, path, "a plan is an object");
	for (size_t i = 0; i < sizeof added / sizeof added[0]; i++)
		if (json_object_get(plan, added[i]) != NULL)
			return cs_fault_set(fault, CS_E_DOCUMENT_INVALID, path,
				"a plan has no member '%s': the draft adds it", added[i]);
	*ret_plan = json_incref(plan);
	return CS_OK;
}

enum cs_err cs_plan_write(const char *path, const json_t *plan, struct cs_fault *fault)
{
	struct stat st;
	unsigned mode = stat(path, &st) == 0 ? st.st_mode & 0777 : 0644;

	return cs_file_write_json(path, plan, mode, fault);
}

/* The array member, made when absent. Borrowed. */
static enum cs_err array_of(
	json_t *plan, const char *name, json_t **ret_array, struct cs_fault *fault)
{
	json_t *array = json_object_get(plan, name);

	if (array == NULL) {
		array = json_array();
		if (array == NULL || json_object_set_new(plan, name, array) != 0)
			return CS_E_NOMEM;
	}
	if (!json_is_array(array))
		return cs_fault_set(
			fault, CS_E_DOCUMENT_INVALID, name, "the plan's member is no array");
	*ret_array = array;
	return CS_OK;
}

enum cs_err cs_plan_token(json_t *plan, const struct cs_token_identity *identity,
	const char **ret_id, struct cs_fault *fault)
{
	json_t *tokens = NULL;
	const json_t *entry;
	char id[CS_ID_MAX + 1];
	size_t i;
	enum cs_err err = cs_token_identity_check(identity, fault);

	if (err == CS_OK)
		err = array_of(plan, "tokens", &tokens, fault);
	if (err != CS_OK)
		return err;
	json_array_foreach(tokens, i, entry) {
		const char *product = cs_json_text(entry, "product");
		const char *serial = cs_json_text(entry, "serial");
		const char *known = cs_json_text(entry, "id");
		if (product == NULL || serial == NULL || known == NULL)
			continue;
		if (strcmp(product, identity->product) != 0 ||
			strcmp(serial, identity->serial) != 0)
			continue;
		*ret_id = known;
		return CS_OK;
	}
	err = cs_plan_new_id("kye:token", id, fault);
	if (err != CS_OK)
		return err;
	json_t *made = json_pack("{s:s, s:s, s:s, s:s}", "id", id, "product", identity->product,
		"serial", identity->serial, "assurance",
		identity->software ? "software" : "enrolled");
	if (made == NULL || json_array_append_new(tokens, made) != 0)
		return cs_fault_set(fault, CS_E_NOMEM, "",
			"no memory, or the token's product or serial is not UTF-8");
	*ret_id = cs_json_text(made, "id");
	return CS_OK;
}

enum cs_err cs_plan_add_key(json_t *plan, const struct cs_plan_key *key, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *jwk = NULL;
	json_t *keys = NULL;
	const json_t *entry;
	size_t i;
	enum cs_err err = array_of(plan, "keys", &keys, fault);

	if (err == CS_OK)
		err = cs_public_key_to_jwk(key->key, &jwk);
	if (err != CS_OK)
		return err;
	json_array_foreach(keys, i, entry) {
		const char *kid = cs_json_text(entry, "kid");
		struct cs_public_key other;
		if (kid != NULL && strcmp(kid, key->kid) == 0)
			return cs_fault_set(fault, CS_E_TRUST_DUPLICATE, "keys",
				"the plan holds a key '%s' already", key->kid);
		if (cs_public_key_from_jwk(json_object_get(entry, "jwk"), &other) == CS_OK &&
			cs_public_key_equal(&other, key->key))
			return cs_fault_set(fault, CS_E_TRUST_DUPLICATE, "keys",
				"the plan holds this public key already, as '%s'",
				kid != NULL ? kid : "?");
	}
	json_t *made = json_pack("{s:s, s:s, s:s, s:s, s:O, s:s, s:s?, s:n, s:s, s:s, s:O?}", "kid",
		key->kid, "entity", key->entity, "usage", key->usage, "token", key->token, "jwk",
		jwk, "not_before", key->not_before, "not_after", key->not_after, "revocation",
		"pin_policy", key->pin_policy, "touch_policy", key->touch_policy, "enrolment",
		key->enrolment);
	if (made == NULL || json_array_append_new(keys, made) != 0)
		return cs_fault_set(fault, CS_E_NOMEM, "", "no memory, or text that is not UTF-8");
	return CS_OK;
}
