#include "version_chain.h"
#include "rule.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static enum cs_err check_first(const json_t *version, struct cs_fault *fault)
{
	int64_t number = cs_json_integer(version, "version", 0);

	if (number != 1)
		return cs_fault_set(fault, CS_E_TRUST_CHAIN, "/version",
			"%" PRId64 " where the first version must be 1", number);
	if (!json_is_null(json_object_get(version, "previous")))
		return cs_fault_set(fault, CS_E_TRUST_CHAIN, "/previous",
			"the first version names one before it");
	return CS_OK;
}

static enum cs_err check_next(const json_t *version, const json_t *previous, struct cs_fault *fault)
{
	int64_t number = cs_json_integer(version, "version", 0),
		before = cs_json_integer(previous, "version", 0);
	const char *text = cs_json_text(version, "issued_at"),
		   *text_before = cs_json_text(previous, "issued_at");
	char address[CS_ADDRESS_TEXT];
	cs_time at, at_before;
	enum cs_err err = cs_address_of(previous, address);

	if (err != CS_OK)
		return err;
	if (number != before + 1)
		return cs_fault_set(fault, CS_E_TRUST_CHAIN, "/version",
			"%" PRId64 " after %" PRId64, number, before);
	if (!cs_text_equal(cs_json_text(version, "previous"), address))
		return cs_fault_set(fault, CS_E_TRUST_CHAIN, "/previous",
			"not the address of version %" PRId64 ", %s", before, address);
	if (!cs_text_equal(cs_json_text(version, "id"), cs_json_text(previous, "id")))
		return cs_fault_set(
			fault, CS_E_TRUST_CHAIN, "/id", "another id than version %" PRId64, before);
	if (text == NULL || text_before == NULL || cs_time_parse(text, &at, NULL) != CS_OK ||
		cs_time_parse(text_before, &at_before, NULL) != CS_OK)
		return cs_fault_set(fault, CS_E_TIME, "/issued_at", "not a time in UTC");
	if (at <= at_before)
		return cs_fault_set(fault, CS_E_TRUST_CHAIN, "/issued_at",
			"%s is not after version %" PRId64 "'s %s", text, before, text_before);
	return CS_OK;
}

enum cs_err cs_version_follows(
	const json_t *version, const json_t *previous, struct cs_fault *fault)
{
	if (!cs_rule_on(CS_RULE_CHAIN))
		return CS_OK;
	return previous == NULL ? check_first(version, fault)
				: check_next(version, previous, fault);
}

enum cs_err cs_version_genesis(const json_t *first, const char *genesis, struct cs_fault *fault)
{
	char address[CS_ADDRESS_TEXT];
	enum cs_err err = cs_address_of(first, address);

	if (err != CS_OK)
		return err;
	if (cs_rule_on(CS_RULE_GENESIS) && !cs_text_equal(address, genesis))
		return cs_fault_set(fault, CS_E_TRUST_GENESIS, "",
			"its address is %s, pinned is %s", address, genesis ? genesis : "none");
	return CS_OK;
}

enum cs_err cs_fault_in_version(struct cs_fault *fault, size_t index, enum cs_err err)
{
	char path[sizeof fault->path];

	if (fault != NULL && err != CS_OK) {
		/* A path that does not fit is cut at its end, which says least. */
		int len = snprintf(path, sizeof path, "/%zu%.160s", index, fault->path);
		if (len > 0)
			memcpy(fault->path, path, (size_t)len + 1);
	}
	return err;
}
