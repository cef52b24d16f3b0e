/*
 * What a trust set owes by itself and against its predecessor, before and after anybody signs it.
 */
#include "trust_rules.h"
#include "rule.h"
#include "version_chain.h"

enum cs_err cs_trust_content(const json_t *version, const json_t *previous, const json_t *earlier,
	struct cs_fault *fault)
{
	struct cs_trust_index index = {0};
	enum cs_err err = cs_trust_index_make(version, &index, fault);

	if (err == CS_OK && previous != NULL && cs_rule_on(CS_RULE_NOTHING_REMOVED))
		err = cs_trust_nothing_removed(version, previous, fault);
	if (err == CS_OK)
		err = cs_trust_entities(version, &index, fault);
	if (err == CS_OK)
		err = cs_trust_keys(version, previous, earlier, &index, fault);
	if (err == CS_OK)
		err = cs_trust_grants(version, previous, &index, fault);
	cs_trust_index_free(&index);
	return err;
}

/* Versions before this one, as far as `previous` names them. */
static enum cs_err named_earlier(const json_t *previous, json_t *earlier)
{
	char address[CS_ADDRESS_TEXT];
	json_t *before = json_object_get(previous, "previous");
	enum cs_err err;

	if (previous == NULL)
		return CS_OK;
	err = cs_address_of(previous, address);
	if (err != CS_OK)
		return err;
	if (json_array_append_new(earlier, json_string(address)) != 0)
		return CS_E_NOMEM;
	return json_is_string(before) && json_array_append(earlier, before) != 0 ? CS_E_NOMEM
										 : CS_OK;
}

enum cs_err cs_trust_check_content(struct cs_schema_registry *registry, const json_t *version,
	const json_t *previous, const char *signer, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *earlier = json_array();
	enum cs_err err;

	if (earlier == NULL)
		return CS_E_NOMEM;
	err = cs_schema_check(registry, "countersign.trust_set.v1", version, fault);
	if (err == CS_OK && previous != NULL)
		err = cs_schema_check(registry, "countersign.trust_set.v1", previous, fault);
	if (err == CS_OK)
		err = named_earlier(previous, earlier);
	if (err == CS_OK)
		err = cs_version_follows(version, previous, fault);
	if (err == CS_OK && signer != NULL && previous != NULL && cs_rule_on(CS_RULE_SELF_RAISE))
		err = cs_trust_no_self_raise(version, previous, signer, fault);
	if (err == CS_OK)
		err = cs_trust_content(version, previous, earlier, fault);
	return err;
}
