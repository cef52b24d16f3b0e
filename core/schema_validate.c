#include "schema_node.h"

#include <string.h>

/* One step into the document; the steps up to the root are its JSON pointer. */
struct step {
	const struct step *up;
	const char *key; /* NULL: `index` counts */
	size_t index;
};

struct run {
	struct cs_fault *fault;
	unsigned quiet; /* above 0 while a failure may still be forgiven, as inside anyOf */
	unsigned depth;
	size_t steps;
	bool formats;
};

static enum cs_err apply(struct run *run, const struct cs_schema_node *node, const json_t *value,
	const struct step *at);

static enum cs_err add_pointer(const struct step *at, struct cs_bytes *out)
{
	const struct step *steps[CS_SCHEMA_RUN_DEPTH_MAX + 1];
	size_t count = 0;
	char index[24];

	for (; at->up != NULL && count < sizeof steps / sizeof steps[0]; at = at->up)
		steps[count++] = at;
	while (count > 0) {
		const struct step *step = steps[--count];

		(void)snprintf(index, sizeof index, "%zu", step->index);
		(void)cs_schema_pointer_add(out, step->key != NULL ? step->key : index);
	}
	return cs_bytes_check(out);
}

static enum cs_err fault_at(struct run *run, enum cs_err err, const struct step *at,
	const char *keyword, const char *detail)
{
	CS_CLEANUP_BYTES struct cs_bytes pointer = {0};

	if (run->fault == NULL || (run->quiet > 0 && err == CS_E_DOCUMENT_INVALID))
		return err;
	if (add_pointer(at, &pointer) != CS_OK)
		return CS_E_NOMEM;
	return cs_fault_set(run->fault, err, pointer.data != NULL ? (char *)pointer.data : "",
		"%s: %s", keyword, detail);
}

static enum cs_err fail(
	struct run *run, const struct step *at, const char *keyword, const char *detail)
{
	return fault_at(run, CS_E_DOCUMENT_INVALID, at, keyword, detail);
}

/* The same with a value of the schema or the document in the detail. */
static enum cs_err fail_with(struct run *run, const struct step *at, const char *keyword,
	const char *before, const char *text, const char *after)
{
	CS_CLEANUP_BYTES struct cs_bytes detail = {0};

	if (run->fault == NULL || run->quiet > 0)
		return CS_E_DOCUMENT_INVALID;
	(void)cs_bytes_addf(&detail, "%s'%.*s'%s", before, 200, text, after);
	if (cs_bytes_check(&detail) != CS_OK)
		return CS_E_NOMEM;
	return fail(run, at, keyword, (char *)detail.data);
}

static enum cs_err spend(struct run *run, size_t steps, const struct step *at, const char *keyword)
{
	run->steps += steps;
	if (run->steps > CS_SCHEMA_RUN_STEPS_MAX)
		return fault_at(run, CS_E_MATCH_LIMIT, at, keyword,
			"the validation needs more steps than allowed");
	return CS_OK;
}

/*
 * Whether `node` accepts `value`, without saying why not. Any other error than a mismatch is passed
 * on.
 */
static enum cs_err holds(struct run *run, const struct cs_schema_node *node, const json_t *value,
	const struct step *at, bool *ret_holds)
{
	enum cs_err err;

	run->quiet++;
	err = apply(run, node, value, at);
	run->quiet--;
	if (err != CS_OK && err != CS_E_DOCUMENT_INVALID)
		return err;
	*ret_holds = err == CS_OK;
	return CS_OK;
}

static enum cs_err search(struct run *run, const struct cs_schema_pattern *pattern,
	const char *text, size_t len, const struct step *at, const char *keyword, bool *ret_found)
{
	enum cs_err err = spend(run, CS_SCHEMA_PATTERN_STEPS + len / 16, at, keyword);

	if (err == CS_OK)
		err = cs_schema_pattern_search(pattern, text, len, ret_found);
	if (err == CS_E_MATCH_LIMIT)
		return fault_at(run, err, at, keyword, "the match needs more steps than allowed");
	return err;
}

static enum cs_err check_number(struct run *run, const struct cs_schema_node *node,
	const json_t *value, const struct step *at)
{
	bool multiple;
	enum cs_err err;

	if (node->minimum != NULL && cs_schema_compare_numbers(value, node->minimum) < 0)
		return fail(run, at, "minimum", "the number is too small");
	if (node->maximum != NULL && cs_schema_compare_numbers(value, node->maximum) > 0)
		return fail(run, at, "maximum", "the number is too large");
	if (node->exclusive_minimum != NULL &&
		cs_schema_compare_numbers(value, node->exclusive_minimum) <= 0)
		return fail(run, at, "exclusiveMinimum", "the number is too small");
	if (node->exclusive_maximum != NULL &&
		cs_schema_compare_numbers(value, node->exclusive_maximum) >= 0)
		return fail(run, at, "exclusiveMaximum", "the number is too large");
	if (node->multiple_of == NULL)
		return CS_OK;
	err = cs_schema_is_multiple(value, node->multiple_of, &multiple);
	if (err == CS_OK && !multiple)
		return fail(run, at, "multipleOf", "the number is no multiple");
	return err;
}

static enum cs_err check_string(struct run *run, const struct cs_schema_node *node,
	const json_t *value, const struct step *at)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value), points = 0;
	bool found;
	enum cs_err err;

	if (node->min_length > 0 || node->max_length < SIZE_MAX) {
		for (size_t i = 0; i < len; i++)
			points += ((unsigned char)text[i] & 0xc0) != 0x80;
		if (points < node->min_length)
			return fail(run, at, "minLength", "the string is too short");
		if (points > node->max_length)
			return fail(run, at, "maxLength", "the string is too long");
	}
	if (node->pattern != NULL) {
		err = search(run, node->pattern, text, len, at, "pattern", &found);
		if (err != CS_OK)
			return err;
		if (!found)
			return fail_with(run, at, "pattern", "the string does not match ",
				node->pattern_text, "");
	}
	if (node->date_time && run->formats && !cs_schema_is_date_time(text, len))
		return fail(run, at, "format", "the string is no date-time (RFC 3339)");
	return CS_OK;
}

static enum cs_err check_contains(struct run *run, const struct cs_schema_node *node,
	const json_t *value, const struct step *at)
{
	size_t matches = 0;
	enum cs_err err;

	if (node->contains == NULL)
		return CS_OK;
	for (size_t i = 0; i < json_array_size(value); i++) {
		struct step below = {at, NULL, i};
		bool match;

		err = holds(run, node->contains, json_array_get(value, i), &below, &match);
		if (err != CS_OK)
			return err;
		matches += match;
	}
	if (matches < node->min_contains)
		return fail(run, at, node->min_contains == 1 ? "contains" : "minContains",
			"too few elements match");
	if (matches > node->max_contains)
		return fail(run, at, "maxContains", "too many elements match");
	return CS_OK;
}

static enum cs_err check_array(struct run *run, const struct cs_schema_node *node,
	const json_t *value, const struct step *at)
{
	size_t count = json_array_size(value);
	bool unique;
	enum cs_err err;

	if (count < node->min_items)
		return fail(run, at, "minItems", "the array is too short");
	if (count > node->max_items)
		return fail(run, at, "maxItems", "the array is too long");
	for (size_t i = 0; i < count; i++) {
		const struct cs_schema_node *item =
			i < node->prefix_items.count ? node->prefix_items.at[i].node : node->items;
		struct step below = {at, NULL, i};

		if (item == NULL)
			break;
		err = apply(run, item, json_array_get(value, i), &below);
		if (err != CS_OK)
			return err;
	}
	if (node->unique_items) {
		err = spend(run, count, at, "uniqueItems");
		if (err == CS_OK)
			err = cs_schema_all_unique(value, &unique);
		if (err != CS_OK)
			return err;
		if (!unique)
			return fail(run, at, "uniqueItems", "two elements are equal");
	}
	return check_contains(run, node, value, at);
}

static enum cs_err check_required(struct run *run, const json_t *names, const json_t *value,
	const struct step *at, const char *keyword)
{
	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));

		if (json_object_get(value, name) == NULL)
			return fail_with(run, at, keyword, "the member ", name, " is missing");
	}
	return CS_OK;
}

static enum cs_err check_dependents(struct run *run, const struct cs_schema_node *node,
	const json_t *value, const struct step *at)
{
	const char *key;
	json_t *names;
	enum cs_err err;

	json_object_foreach((json_t *)(uintptr_t)node->dependent_required, key, names)
	{
		if (json_object_get(value, key) == NULL)
			continue;
		err = check_required(run, names, value, at, "dependentRequired");
		if (err != CS_OK)
			return err;
	}
	for (size_t i = 0; i < node->dependent_schemas.count; i++) {
		const struct cs_schema_child *child = &node->dependent_schemas.at[i];

		if (json_object_get(value, child->name) == NULL)
			continue;
		err = apply(run, child->node, value, at);
		if (err != CS_OK)
			return err;
	}
	return CS_OK;
}

static enum cs_err check_name(
	struct run *run, const struct cs_schema_node *node, const char *key, const struct step *at)
{
	CS_CLEANUP_JSON json_t *name = NULL;
	bool match;
	enum cs_err err;

	if (node->property_names == NULL)
		return CS_OK;
	name = json_string(key);
	if (name == NULL)
		return CS_E_NOMEM;
	/* Quietly: a reason that points into the member would speak of its value. */
	err = holds(run, node->property_names, name, at, &match);
	if (err == CS_OK && !match)
		return fail(run, at, "propertyNames", "the member may not have this name");
	return err;
}

/*
 * One member against the patterns, and against additionalProperties when nothing else speaks of it.
 */
static enum cs_err check_member(struct run *run, const struct cs_schema_node *node, const char *key,
	const json_t *value, const struct step *at)
{
	bool known = node->known != NULL && json_object_get(node->known, key) != NULL;
	enum cs_err err;

	for (size_t i = 0; i < node->pattern_properties.count; i++) {
		const struct cs_schema_child *child = &node->pattern_properties.at[i];
		bool found;

		err = search(
			run, child->pattern, key, strlen(key), at, "patternProperties", &found);
		if (err == CS_OK && found)
			err = apply(run, child->node, value, at);
		if (err != CS_OK)
			return err;
		known = known || found;
	}
	if (known || node->additional_properties == NULL)
		return CS_OK;
	if (node->additional_properties->never)
		return fail(run, at, "additionalProperties", "the member is not allowed");
	return apply(run, node->additional_properties, value, at);
}

static enum cs_err check_members(struct run *run, const struct cs_schema_node *node,
	const json_t *value, const struct step *at)
{
	const char *key;
	json_t *member;
	enum cs_err err = CS_OK;

	json_object_foreach((json_t *)(uintptr_t)value, key, member)
	{
		struct step below = {at, key, 0};

		err = check_name(run, node, key, &below);
		if (err == CS_OK)
			err = check_member(run, node, key, member, &below);
		if (err != CS_OK)
			break;
	}
	return err;
}

static enum cs_err check_object(struct run *run, const struct cs_schema_node *node,
	const json_t *value, const struct step *at)
{
	size_t count = json_object_size(value);
	bool each = node->property_names != NULL || node->additional_properties != NULL ||
		    node->pattern_properties.count > 0;
	const json_t *member;
	enum cs_err err;

	if (count < node->min_properties)
		return fail(run, at, "minProperties", "the object has too few members");
	if (count > node->max_properties)
		return fail(run, at, "maxProperties", "the object has too many members");
	err = check_required(run, node->required, value, at, "required");
	if (err == CS_OK)
		err = spend(run, (each ? count : 0) + node->properties.count, at, "properties");
	for (size_t i = 0; i < node->properties.count && err == CS_OK; i++) {
		const struct cs_schema_child *child = &node->properties.at[i];
		struct step below = {at, child->name, 0};

		member = json_object_get(value, child->name);
		if (member != NULL)
			err = apply(run, child->node, member, &below);
	}
	if (err != CS_OK)
		return err;
	if (each)
		err = check_members(run, node, value, at);
	return err == CS_OK ? check_dependents(run, node, value, at) : err;
}

static enum cs_err check_choices(struct run *run, const struct cs_schema_node *node,
	const json_t *value, const struct step *at)
{
	size_t matches = 0;
	bool match = false;
	enum cs_err err;

	for (size_t i = 0; i < node->any_of.count && !match; i++) {
		err = holds(run, node->any_of.at[i].node, value, at, &match);
		if (err != CS_OK)
			return err;
	}
	if (node->any_of.count > 0 && !match)
		return fail(run, at, "anyOf", "none of the alternatives matches");
	for (size_t i = 0; i < node->one_of.count && matches < 2; i++) {
		err = holds(run, node->one_of.at[i].node, value, at, &match);
		if (err != CS_OK)
			return err;
		matches += match;
	}
	if (node->one_of.count > 0 && matches != 1)
		return fail(run, at, "oneOf",
			matches == 0 ? "none of the alternatives matches"
				     : "more than one of the alternatives matches");
	return CS_OK;
}

static enum cs_err check_conditions(struct run *run, const struct cs_schema_node *node,
	const json_t *value, const struct step *at)
{
	const struct cs_schema_node *branch;
	bool match;
	enum cs_err err;

	if (node->not_node != NULL) {
		err = holds(run, node->not_node, value, at, &match);
		if (err != CS_OK)
			return err;
		if (match)
			return fail(run, at, "not", "the value matches what it must not");
	}
	if (node->if_node == NULL || (node->then_node == NULL && node->else_node == NULL))
		return CS_OK;
	err = holds(run, node->if_node, value, at, &match);
	if (err != CS_OK)
		return err;
	branch = match ? node->then_node : node->else_node;
	return branch != NULL ? apply(run, branch, value, at) : CS_OK;
}

static enum cs_err check_any(struct run *run, const struct cs_schema_node *node,
	const json_t *value, const struct step *at)
{
	bool found = false;
	enum cs_err err;

	if (node->never)
		return fail(run, at, node->keyword, "nothing is allowed here");
	if (node->types != 0 && (node->types & cs_schema_types_of(value)) == 0)
		return fail(run, at, "type", "the value is of another type");
	if (node->constant != NULL && !cs_schema_equal(value, node->constant))
		return fail(run, at, "const", "the value is another one");
	if (node->enumeration == NULL)
		return CS_OK;
	err = spend(run, json_array_size(node->enumeration), at, "enum");
	if (err != CS_OK)
		return err;
	for (size_t i = 0; i < json_array_size(node->enumeration) && !found; i++)
		found = cs_schema_equal(value, json_array_get(node->enumeration, i));
	return found ? CS_OK : fail(run, at, "enum", "the value is none of those allowed");
}

static enum cs_err apply_all(struct run *run, const struct cs_schema_node *node,
	const json_t *value, const struct step *at)
{
	enum cs_err err = check_any(run, node, value, at);

	if (err == CS_OK && json_is_number(value))
		err = check_number(run, node, value, at);
	else if (err == CS_OK && json_is_string(value))
		err = check_string(run, node, value, at);
	else if (err == CS_OK && json_is_array(value))
		err = check_array(run, node, value, at);
	else if (err == CS_OK && json_is_object(value))
		err = check_object(run, node, value, at);
	if (err == CS_OK && node->target != NULL)
		err = apply(run, node->target, value, at);
	for (size_t i = 0; i < node->all_of.count && err == CS_OK; i++)
		err = apply(run, node->all_of.at[i].node, value, at);
	if (err == CS_OK)
		err = check_choices(run, node, value, at);
	return err == CS_OK ? check_conditions(run, node, value, at) : err;
}

static enum cs_err apply(struct run *run, const struct cs_schema_node *node, const json_t *value,
	const struct step *at)
{
	enum cs_err err = spend(run, 1, at, node->keyword);

	if (err != CS_OK)
		return err;
	if (run->depth == CS_SCHEMA_RUN_DEPTH_MAX)
		return fault_at(run, CS_E_MATCH_LIMIT, at, node->keyword,
			"the validation goes deeper than allowed");
	run->depth++;
	err = apply_all(run, node, value, at);
	run->depth--;
	return err;
}

enum cs_err cs_schema_run(
	const struct cs_schema_node *root, bool formats, const json_t *doc, struct cs_fault *fault)
{
	struct run run = {.fault = fault, .formats = formats};
	struct step top = {0};

	return apply(&run, root, doc, &top);
}
