#include "approval.h"

#include <stdlib.h>
#include <string.h>

/* A restriction and its canonical bytes, by which it is sorted and compared. */
struct entry {
	struct cs_bytes bytes;
	const json_t *restriction;
};

static int compare(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	size_t len = left->bytes.len < right->bytes.len ? left->bytes.len : right->bytes.len;
	int order = len > 0 ? memcmp(left->bytes.data, right->bytes.data, len) : 0;

	if (order != 0)
		return order;
	return left->bytes.len < right->bytes.len ? -1 : left->bytes.len > right->bytes.len;
}

static size_t count_restrictions(const json_t *decisions)
{
	size_t count = 0, i;
	json_t *decision;

	json_array_foreach(decisions, i, decision) if (cs_approval_is_approval(decision)) count +=
		json_array_size(json_object_get(decision, "restrictions"));
	return count;
}

/*
 * The union, sorted; `ret_count` counts the entries made, which the caller frees also after an
 * error.
 */
static enum cs_err collect(const json_t *decisions, struct entry *entries, size_t *ret_count)
{
	size_t i, j;
	json_t *decision, *restriction;

	json_array_foreach(decisions, i, decision)
	{
		if (!cs_approval_is_approval(decision))
			continue;
		json_array_foreach(json_object_get(decision, "restrictions"), j, restriction)
		{
			struct entry *entry = &entries[(*ret_count)++];
			enum cs_err err = cs_canonical_print(restriction, &entry->bytes);

			entry->restriction = restriction;
			if (err != CS_OK)
				return err;
		}
	}
	qsort(entries, *ret_count, sizeof *entries, compare);
	return CS_OK;
}

static json_t *print(const struct entry *entries, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		if (i > 0 && compare(&entries[i - 1], &entries[i]) == 0)
			continue;
		if (json_array_append_new(list, cs_json_copied(entries[i].restriction)) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{ss so}", "schema", "countersign.constraints.v1", "restrictions", list);
}

enum cs_err cs_constraints_compose(const json_t *decisions, json_t **ret_constraints)
{
	size_t count = count_restrictions(decisions), made = 0;
	struct entry *entries;
	json_t *constraints = NULL;
	enum cs_err err;

	if (count == 0) {
		*ret_constraints = NULL;
		return CS_OK;
	}
	entries = calloc(count, sizeof *entries);
	if (entries == NULL)
		return CS_E_NOMEM;
	err = collect(decisions, entries, &made);
	if (err == CS_OK) {
		constraints = print(entries, made);
		if (constraints == NULL)
			err = CS_E_NOMEM;
		else
			*ret_constraints = constraints;
	}
	for (size_t i = 0; i < made; i++)
		cs_bytes_free(&entries[i].bytes);
	free(entries);
	return err;
}

static bool holds(const json_t *constraints, const json_t *restriction)
{
	size_t i;
	json_t *entry;

	json_array_foreach(json_object_get(constraints, "restrictions"), i,
		entry) if (json_equal(entry, restriction)) return true;
	return false;
}

enum cs_err cs_constraints_cover(
	const json_t *constraints, const json_t *decisions, struct cs_fault *fault)
{
	size_t i, j;
	json_t *decision, *restriction;

	json_array_foreach(decisions, i, decision)
	{
		if (!cs_approval_is_approval(decision))
			continue;
		json_array_foreach(json_object_get(decision, "restrictions"), j, restriction)
		{
			const char *id = cs_json_text(restriction, "restriction_id");

			if (constraints == NULL || !holds(constraints, restriction))
				return cs_fault_set(fault, CS_E_STATEMENT_MISMATCH, "/constraints",
					"restriction '%s' of %s is missing", id != NULL ? id : "",
					cs_json_text(decision, "approver") != NULL
						? cs_json_text(decision, "approver")
						: "");
		}
	}
	return CS_OK;
}
