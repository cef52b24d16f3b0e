#include "schema_build.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What may stand behind a keyword. */
enum shape {
	ANNOTATION, /* anything; no effect */
	ANNOTATION_TEXT,
	ANNOTATION_FLAG,
	ANNOTATION_LIST,
	ANNOTATION_SCHEMA, /* compiled, so that references find it, but never applied */
	COUNT,		   /* integer >= 0 into a size_t */
	NUMBER,
	NUMBER_ABOVE_ZERO,
	FLAG,
	TEXT,
	VALUE,
	LIST,
	NAMES,	  /* array of strings */
	NAMES_OF, /* object of arrays of strings */
	TYPES,
	SCHEMA,
	SCHEMAS,	   /* non-empty array */
	SCHEMA_OF,	   /* object of schemas */
	SCHEMA_OF_PATTERN, /* object of schemas whose keys are patterns */
	DIALECT,	   /* $schema */
	IDENTIFIER,	   /* $id: taken care of before the other keywords */
	ANCHOR,		   /* likewise */
	FORMAT,
};

#define AT(member) offsetof(struct cs_schema_node, member)

static const struct keyword {
	const char *name;
	enum shape shape;
	size_t offset;
} keywords[] = {
	/* core */
	{"$schema", DIALECT, 0},
	{"$id", IDENTIFIER, 0},
	{"$anchor", ANCHOR, 0},
	{"$ref", TEXT, AT(reference)},
	{"$defs", SCHEMA_OF, 0},
	{"$comment", ANNOTATION_TEXT, 0},
	/* applicators */
	{"allOf", SCHEMAS, AT(all_of)},
	{"anyOf", SCHEMAS, AT(any_of)},
	{"oneOf", SCHEMAS, AT(one_of)},
	{"not", SCHEMA, AT(not_node)},
	{"if", SCHEMA, AT(if_node)},
	{"then", SCHEMA, AT(then_node)},
	{"else", SCHEMA, AT(else_node)},
	{"dependentSchemas", SCHEMA_OF, AT(dependent_schemas)},
	{"prefixItems", SCHEMAS, AT(prefix_items)},
	{"items", SCHEMA, AT(items)},
	{"contains", SCHEMA, AT(contains)},
	{"properties", SCHEMA_OF, AT(properties)},
	{"patternProperties", SCHEMA_OF_PATTERN, AT(pattern_properties)},
	{"additionalProperties", SCHEMA, AT(additional_properties)},
	{"propertyNames", SCHEMA, AT(property_names)},
	/* validation */
	{"type", TYPES, 0},
	{"enum", LIST, AT(enumeration)},
	{"const", VALUE, AT(constant)},
	{"multipleOf", NUMBER_ABOVE_ZERO, AT(multiple_of)},
	{"minimum", NUMBER, AT(minimum)},
	{"maximum", NUMBER, AT(maximum)},
	{"exclusiveMinimum", NUMBER, AT(exclusive_minimum)},
	{"exclusiveMaximum", NUMBER, AT(exclusive_maximum)},
	{"minLength", COUNT, AT(min_length)},
	{"maxLength", COUNT, AT(max_length)},
	{"pattern", TEXT, AT(pattern_text)},
	{"minItems", COUNT, AT(min_items)},
	{"maxItems", COUNT, AT(max_items)},
	{"minContains", COUNT, AT(min_contains)},
	{"maxContains", COUNT, AT(max_contains)},
	{"uniqueItems", FLAG, AT(unique_items)},
	{"minProperties", COUNT, AT(min_properties)},
	{"maxProperties", COUNT, AT(max_properties)},
	{"required", NAMES, AT(required)},
	{"dependentRequired", NAMES_OF, AT(dependent_required)},
	{"format", FORMAT, 0},
	/* annotations */
	{"title", ANNOTATION_TEXT, 0},
	{"description", ANNOTATION_TEXT, 0},
	{"default", ANNOTATION, 0},
	{"examples", ANNOTATION_LIST, 0},
	{"deprecated", ANNOTATION_FLAG, 0},
	{"readOnly", ANNOTATION_FLAG, 0},
	{"writeOnly", ANNOTATION_FLAG, 0},
	{"contentEncoding", ANNOTATION_TEXT, 0},
	{"contentMediaType", ANNOTATION_TEXT, 0},
	{"contentSchema", ANNOTATION_SCHEMA, 0},
};

static enum cs_err invalid(const struct cs_schema_build *build, const struct cs_schema_place *place,
	const char *keyword, const char *why)
{
	return cs_schema_refuse(build, CS_E_SCHEMA_INVALID, place, keyword, why);
}

static enum cs_err make_children(size_t count, struct cs_schema_children *children)
{
	children->at = calloc(count > 0 ? count : 1, sizeof *children->at);
	return children->at != NULL ? CS_OK : CS_E_NOMEM;
}

static enum cs_err take_schemas(struct cs_schema_build *build, const json_t *value,
	const struct cs_schema_place *place, const char *keyword,
	struct cs_schema_children *children)
{
	enum cs_err err;

	if (!json_is_array(value) || json_array_size(value) == 0)
		return invalid(build, place, keyword, "must be a non-empty array");
	err = make_children(json_array_size(value), children);
	for (size_t i = 0; i < json_array_size(value) && err == CS_OK; i++) {
		char index[24];

		(void)snprintf(index, sizeof index, "%zu", i);
		err = cs_schema_descend(build, json_array_get(value, i), place, keyword, index,
			&children->at[i].node);
		children->count = i + 1;
	}
	return err;
}

static enum cs_err take_pattern(struct cs_schema_build *build, const char *text, size_t len,
	const struct cs_schema_place *place, const char *keyword,
	struct cs_schema_pattern **ret_pattern)
{
	const char *why = "is not usable";
	enum cs_err err = cs_schema_pattern_new(text, len, ret_pattern, &why);
	CS_CLEANUP_BYTES struct cs_bytes reason = {0};

	if (err != CS_E_SCHEMA_INVALID && err != CS_E_SCHEMA_UNSUPPORTED)
		return err;
	(void)cs_bytes_addf(&reason, "'%.*s' has %s", (int)(len < 200 ? len : 200), text, why);
	if (cs_bytes_check(&reason) != CS_OK)
		return CS_E_NOMEM;
	return cs_schema_refuse(build, err, place, keyword, (char *)reason.data);
}

/* `children` is NULL for $defs, which only names schemas. */
static enum cs_err take_schema_of(struct cs_schema_build *build, const json_t *value,
	const struct cs_schema_place *place, const struct keyword *keyword,
	struct cs_schema_children *children)
{
	struct cs_schema_node *ignored;
	enum cs_err err = CS_OK;
	const char *key;
	json_t *schema;

	if (!json_is_object(value))
		return invalid(build, place, keyword->name, "must be an object");
	if (children != NULL)
		err = make_children(json_object_size(value), children);
	if (err != CS_OK)
		return err;
	json_object_foreach((json_t *)(uintptr_t)value, key, schema)
	{
		struct cs_schema_child *child =
			children != NULL ? &children->at[children->count++] : NULL;

		if (child != NULL)
			child->name = key;
		if (child != NULL && keyword->shape == SCHEMA_OF_PATTERN)
			err = take_pattern(
				build, key, strlen(key), place, keyword->name, &child->pattern);
		if (err == CS_OK)
			err = cs_schema_descend(build, schema, place, keyword->name, key,
				child != NULL ? &child->node : &ignored);
		if (err != CS_OK)
			return err;
	}
	return CS_OK;
}

static enum cs_err take_count(struct cs_schema_build *build, const json_t *value,
	const struct cs_schema_place *place, const char *keyword, size_t *count)
{
	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		*count = (size_t)json_integer_value(value);
	} else if (json_is_real(value) && json_real_value(value) >= 0 &&
		   cs_schema_is_integral(json_real_value(value))) {
		/* No document has as many of anything as a number beyond 2^53 says. */
		*count = json_real_value(value) > 9007199254740992.0
				 ? SIZE_MAX
				 : (size_t)json_real_value(value);
	} else {
		return invalid(build, place, keyword, "must be an integer of at least 0");
	}
	return CS_OK;
}

static bool all_text(const json_t *value)
{
	if (!json_is_array(value))
		return false;
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!json_is_string(json_array_get(value, i)))
			return false;
	return true;
}

static bool all_names(const json_t *value)
{
	const char *key;
	json_t *names;

	if (!json_is_object(value))
		return false;
	json_object_foreach ((json_t *)(uintptr_t)value, key, names)
		if (!all_text(names))
			return false;
	return true;
}

static enum cs_err take_types(struct cs_schema_build *build, const json_t *value,
	const struct cs_schema_place *place, struct cs_schema_node *node)
{
	static const struct {
		const char *name;
		unsigned type;
	} names[] = {
		{"null", CS_SCHEMA_NULL},
		{"boolean", CS_SCHEMA_BOOLEAN},
		{"integer", CS_SCHEMA_INTEGER},
		{"number", CS_SCHEMA_NUMBER},
		{"string", CS_SCHEMA_STRING},
		{"array", CS_SCHEMA_ARRAY},
		{"object", CS_SCHEMA_OBJECT},
	};
	size_t count = json_is_array(value) ? json_array_size(value) : 1;

	for (size_t i = 0; i < count; i++) {
		const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;
		unsigned before = node->types;

		for (size_t j = 0; j < sizeof names / sizeof names[0] && json_is_string(one); j++)
			if (strcmp(json_string_value(one), names[j].name) == 0)
				node->types |= names[j].type;
		if (node->types == before)
			return invalid(build, place, "type",
				"must be a type, or an array of different types");
	}
	return node->types != 0 ? CS_OK : invalid(build, place, "type", "must name a type");
}

static enum cs_err take_dialect(
	struct cs_schema_build *build, const json_t *value, const struct cs_schema_place *place)
{
	const char *text = json_string_value(value);

	if (text == NULL)
		return invalid(build, place, "$schema", "must be a URI");
	if (strcmp(text, "https://json-schema.org/draft/2020-12/schema") != 0)
		return cs_schema_refuse(build, CS_E_SCHEMA_UNSUPPORTED, place, "$schema",
			"only the 2020-12 dialect is supported");
	return CS_OK;
}

static enum cs_err take_anchor(
	struct cs_schema_build *build, const json_t *value, const struct cs_schema_place *place)
{
	const char *text = json_string_value(value);
	CS_CLEANUP_BYTES struct cs_bytes name = {0};

	for (size_t i = 0; text != NULL && (i == 0 || text[i] != '\0'); i++) {
		char c = text[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

		if (!letter && (i == 0 || ((c < '0' || c > '9') && c != '-' && c != '.')))
			text = NULL;
	}
	if (text == NULL)
		return invalid(build, place, "$anchor", "must be a plain name");
	(void)cs_bytes_addf(&name, "%s#%s", place->base, text);
	if (cs_bytes_check(&name) != CS_OK)
		return CS_E_NOMEM;
	return cs_schema_enter(build, (char *)name.data, build->program->count - 1);
}

static enum cs_err take_format(struct cs_schema_build *build, const json_t *value,
	const struct cs_schema_place *place, struct cs_schema_node *node)
{
	if (!json_is_string(value))
		return invalid(build, place, "format", "must be a string");
	node->date_time = strcmp(json_string_value(value), "date-time") == 0;
	return CS_OK;
}

static enum cs_err need(struct cs_schema_build *build, bool ok, const struct cs_schema_place *place,
	const char *keyword, const char *why)
{
	return ok ? CS_OK : invalid(build, place, keyword, why);
}

static enum cs_err take_keyword(struct cs_schema_build *build, const struct keyword *keyword,
	const json_t *value, const struct cs_schema_place *place, struct cs_schema_node *node)
{
	const char *name = keyword->name;
	void *member = (char *)node + keyword->offset;
	struct cs_schema_node *ignored;

	switch (keyword->shape) {
	case ANNOTATION:
	case IDENTIFIER:
	case ANCHOR:
		return CS_OK;
	case ANNOTATION_TEXT:
		return need(build, json_is_string(value), place, name, "must be a string");
	case ANNOTATION_FLAG:
		return need(build, json_is_boolean(value), place, name, "must be a boolean");
	case ANNOTATION_LIST:
		return need(build, json_is_array(value), place, name, "must be an array");
	case ANNOTATION_SCHEMA:
		return cs_schema_descend(build, value, place, name, NULL, &ignored);
	case COUNT:
		return take_count(build, value, place, name, member);
	case NUMBER:
		*(const json_t **)member = value;
		return need(build, json_is_number(value), place, name, "must be a number");
	case NUMBER_ABOVE_ZERO:
		*(const json_t **)member = value;
		return need(build, json_is_number(value) && json_number_value(value) > 0, place,
			name, "must be a number above 0");
	case FLAG:
		*(bool *)member = json_is_true(value);
		return need(build, json_is_boolean(value), place, name, "must be a boolean");
	case TEXT:
		*(const char **)member = json_string_value(value);
		return need(build, json_is_string(value), place, name, "must be a string");
	case VALUE:
		*(const json_t **)member = value;
		return CS_OK;
	case LIST:
		*(const json_t **)member = value;
		return need(build, json_is_array(value), place, name, "must be an array");
	case NAMES:
		*(const json_t **)member = value;
		return need(build, all_text(value), place, name, "must be an array of strings");
	case NAMES_OF:
		*(const json_t **)member = value;
		return need(build, all_names(value), place, name,
			"must be an object of arrays of strings");
	case TYPES:
		return take_types(build, value, place, node);
	case SCHEMA:
		return cs_schema_descend(build, value, place, name, NULL, member);
	case SCHEMAS:
		return take_schemas(build, value, place, name, member);
	case SCHEMA_OF:
	case SCHEMA_OF_PATTERN:
		if (keyword->offset == AT(properties))
			node->known = value;
		return take_schema_of(
			build, value, place, keyword, keyword->offset != 0 ? member : NULL);
	case DIALECT:
		return take_dialect(build, value, place);
	case FORMAT:
		return take_format(build, value, place, node);
	}
	return CS_E_INTERNAL;
}

static const struct keyword *find_keyword(const char *name)
{
	for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
		if (strcmp(keywords[i].name, name) == 0)
			return &keywords[i];
	return NULL;
}

enum cs_err cs_schema_take_object(struct cs_schema_build *build, const json_t *schema,
	const struct cs_schema_place *place, struct cs_schema_node *node)
{
	const json_t *pattern = json_object_get(schema, "pattern");
	const json_t *anchor = json_object_get(schema, "$anchor");
	enum cs_err err = CS_OK;
	const char *key;
	json_t *value;

	/* The anchor belongs to the node made last, so it is entered before any subschema is. */
	if (anchor != NULL)
		err = take_anchor(build, anchor, place);
	if (err != CS_OK)
		return err;
	json_object_foreach((json_t *)(uintptr_t)schema, key, value)
	{
		const struct keyword *keyword = find_keyword(key);

		if (keyword == NULL)
			return cs_schema_refuse(build, CS_E_SCHEMA_UNSUPPORTED, place, key,
				"the keyword is not supported");
		err = take_keyword(build, keyword, value, place, node);
		if (err != CS_OK)
			return err;
	}
	if (node->pattern_text == NULL)
		return CS_OK;
	return take_pattern(build, node->pattern_text, json_string_length(pattern), place,
		"pattern", &node->pattern);
}
