#include "schema_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum cs_err walk(struct cs_schema_build *build, const json_t *schema,
	const struct cs_schema_place *place, struct cs_schema_node **ret_node);

enum cs_err cs_schema_refuse(const struct cs_schema_build *build, enum cs_err err,
	const struct cs_schema_place *place, const char *keyword, const char *why)
{
	CS_CLEANUP_BYTES struct cs_bytes pointer = {0};

	(void)cs_bytes_add_text(&pointer, place->pointer);
	(void)cs_schema_pointer_add(&pointer, keyword);
	if (cs_bytes_check(&pointer) != CS_OK)
		return CS_E_NOMEM;
	return cs_fault_set(build->fault, err, (char *)pointer.data, "%s: %s (in %s)", keyword, why,
		place->base);
}

/* Enters a name for a node in the program's index. */
enum cs_err cs_schema_enter(struct cs_schema_build *build, const char *place, size_t index)
{
	struct cs_schema_program *program = build->program;

	if (json_object_get(program->places, place) != NULL)
		return cs_fault_set(build->fault, CS_E_EXISTS, "",
			"$id or $anchor: two schemas are called '%s'", place);
	program->place_bytes += strlen(place);
	if (program->place_bytes > CS_SCHEMA_PLACES_MAX)
		return cs_fault_set(build->fault, CS_E_TOO_LARGE, "", "the schemas are too large");
	return json_object_set_new(program->places, place, json_integer((json_int_t)index)) == 0
		       ? CS_OK
		       : CS_E_NOMEM;
}

static enum cs_err new_node(struct cs_schema_build *build, const struct cs_schema_place *place,
	struct cs_schema_node **ret_node)
{
	struct cs_schema_program *program = build->program;
	struct cs_schema_node *node;
	size_t base_len = strlen(place->base), size = base_len + strlen(place->pointer) + 2;
	enum cs_err err;

	if (program->count == program->cap) {
		size_t cap = program->cap == 0 ? 64 : program->cap * 2;
		struct cs_schema_node **more;

		if (cap > CS_SCHEMA_NODES_MAX)
			return cs_fault_set(build->fault, CS_E_TOO_LARGE, place->pointer,
				"more than %d subschemas", CS_SCHEMA_NODES_MAX);
		more = reallocarray(program->nodes, cap, sizeof *more);
		if (more == NULL)
			return CS_E_NOMEM;
		program->nodes = more;
		program->cap = cap;
	}
	node = calloc(1, sizeof *node);
	if (node == NULL)
		return CS_E_NOMEM;
	node->place = malloc(size);
	if (node->place == NULL) {
		free(node);
		return CS_E_NOMEM;
	}
	(void)snprintf(node->place, size, "%s#%s", place->base, place->pointer);
	node->base_len = base_len;
	node->keyword = place->keyword;
	node->min_contains = 1;
	node->max_length = node->max_items = node->max_contains = node->max_properties = SIZE_MAX;
	/* From here on the program owns it, whatever happens. */
	program->nodes[program->count++] = node;
	err = cs_schema_enter(build, node->place, program->count - 1);
	if (err == CS_OK && place->outer != NULL)
		err = cs_schema_enter(build, place->outer, program->count - 1);
	if (err == CS_OK)
		*ret_node = node;
	return err;
}

/* Walks the subschema behind `keyword` and, when not NULL, the key or index `token`. */
enum cs_err cs_schema_descend(struct cs_schema_build *build, const json_t *schema,
	const struct cs_schema_place *place, const char *keyword, const char *token,
	struct cs_schema_node **ret_node)
{
	CS_CLEANUP_BYTES struct cs_bytes pointer = {0};
	struct cs_schema_place below = *place;

	(void)cs_bytes_add_text(&pointer, place->pointer);
	(void)cs_schema_pointer_add(&pointer, keyword);
	if (token != NULL)
		(void)cs_schema_pointer_add(&pointer, token);
	if (cs_bytes_check(&pointer) != CS_OK)
		return CS_E_NOMEM;
	below.pointer = (char *)pointer.data;
	below.keyword = keyword;
	below.outer = NULL;
	below.depth++;
	return walk(build, schema, &below, ret_node);
}

static enum cs_err walk(struct cs_schema_build *build, const json_t *schema,
	const struct cs_schema_place *place, struct cs_schema_node **ret_node)
{
	CS_CLEANUP_BYTES struct cs_bytes base = {0};
	CS_CLEANUP_BYTES struct cs_bytes outer = {0};
	struct cs_schema_place here = *place;
	struct cs_schema_node *node = NULL;
	const json_t *id = json_object_get(schema, "$id");
	enum cs_err err;

	if (place->depth > CS_JSON_DEPTH_MAX)
		return cs_fault_set(build->fault, CS_E_JSON_DEPTH, "",
			"the schema is nested deeper than %d levels", CS_JSON_DEPTH_MAX);
	if (!json_is_object(schema) && !json_is_boolean(schema))
		return cs_fault_set(build->fault, CS_E_SCHEMA_INVALID, place->pointer,
			"a schema must be an object or a boolean (in %s)", place->base);
	if (id != NULL && place->depth > 0) {
		const char *text = json_string_value(id);

		if (text == NULL || *text == '\0' || strchr(text, '#') != NULL)
			return cs_schema_refuse(build, CS_E_SCHEMA_INVALID, place, "$id",
				"must be a URI without a fragment");
		err = cs_schema_uri_resolve(place->base, text, &base);
		if (err == CS_E_SCHEMA_INVALID)
			return cs_schema_refuse(build, CS_E_SCHEMA_INVALID, place, "$id",
				"must be a URI of bounded length");
		(void)cs_bytes_addf(&outer, "%s#%s", place->base, place->pointer);
		if (err != CS_OK || cs_bytes_check(&outer) != CS_OK)
			return CS_E_NOMEM;
		here.base = (char *)base.data;
		here.pointer = "";
		here.outer = (char *)outer.data;
	}
	err = new_node(build, &here, &node);
	if (err != CS_OK)
		return err;
	node->never = json_is_false(schema);
	if (json_is_object(schema))
		err = cs_schema_take_object(build, schema, &here, node);
	if (err == CS_OK)
		*ret_node = node;
	return err;
}

enum cs_err cs_schema_compile_source(struct cs_schema_program *program,
	const struct cs_schema_source *source, struct cs_fault *fault)
{
	struct cs_schema_build build = {program, fault};
	struct cs_schema_place root = {.base = source->base, .pointer = "", .keyword = "false"};
	struct cs_schema_node *ignored;

	if (program->places == NULL)
		program->places = json_object();
	if (program->places == NULL)
		return CS_E_NOMEM;
	return walk(&build, source->schema, &root, &ignored);
}

static void free_children(struct cs_schema_children *children)
{
	for (size_t i = 0; i < children->count; i++)
		cs_schema_pattern_free(children->at[i].pattern);
	free(children->at);
}

void cs_schema_program_clear(struct cs_schema_program *program)
{
	for (size_t i = 0; i < program->count; i++) {
		struct cs_schema_node *node = program->nodes[i];

		free_children(&node->prefix_items);
		free_children(&node->properties);
		free_children(&node->pattern_properties);
		free_children(&node->dependent_schemas);
		free_children(&node->all_of);
		free_children(&node->any_of);
		free_children(&node->one_of);
		cs_schema_pattern_free(node->pattern);
		free(node->place);
		free(node);
	}
	free(program->nodes);
	json_decref(program->places);
	*program = (struct cs_schema_program){0};
}
