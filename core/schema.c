#include "schema_node.h"
#include "schema_embedded.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

/* Largest schema that is built in. */
#define EMBEDDED_MAX (256 * 1024)

/* Members of more than one line: what a person writes, and a signed note. */
static const char *const newline_keys[] = {"rationale", "answer", "hypothesis", "last_trusted_checkpoint", NULL};

enum cs_err cs_schema_registry_new(struct cs_schema_registry **ret_registry)
{
	struct cs_schema_registry *registry = calloc(1, sizeof *registry);

	if (registry == NULL)
		return CS_E_NOMEM;
	registry->names = json_object();
	if (registry->names == NULL) {
		free(registry);
		return CS_E_NOMEM;
	}
	*ret_registry = registry;
	return CS_OK;
}

void cs_schema_registry_free(struct cs_schema_registry *registry)
{
	if (registry == NULL)
		return;
	cs_schema_program_clear(&registry->program);
	for (size_t i = 0; i < registry->count; i++) {
		free(registry->sources[i].base);
		json_decref(registry->sources[i].schema);
	}
	free(registry->sources);
	json_decref(registry->names);
	free(registry);
}

void cs_schema_assert_formats(struct cs_schema_registry *registry, bool on)
{
	registry->formats = on;
}

/*
 * Appends an absolute form of `reference` without the empty fragment that an identifier may end in.
 */
static enum cs_err identify(const char *base, const char *reference, struct cs_bytes *out)
{
	enum cs_err err = cs_schema_uri_resolve(base, reference, out);
	char *hash;

	if (err != CS_OK)
		return err;
	hash = out->len > 0 ? strchr((char *)out->data, '#') : NULL;
	if (hash != NULL && hash[1] == '\0') {
		*hash = '\0';
		out->len--;
		hash = NULL;
	}
	return out->len > 0 && hash == NULL ? CS_OK : CS_E_SCHEMA_INVALID;
}

static enum cs_err add_source(struct cs_schema_registry *registry, const char *base, json_t *schema)
{
	struct cs_schema_source *source;

	if (registry->count == registry->cap) {
		size_t cap = registry->cap == 0 ? 16 : registry->cap * 2;
		struct cs_schema_source *more = reallocarray(registry->sources, cap, sizeof *more);

		if (more == NULL)
			return CS_E_NOMEM;
		registry->sources = more;
		registry->cap = cap;
	}
	source = &registry->sources[registry->count];
	source->base = strdup(base);
	if (source->base == NULL)
		return CS_E_NOMEM;
	source->schema = json_incref(schema);
	registry->count++;
	return CS_OK;
}

enum cs_err cs_schema_add(struct cs_schema_registry *registry, const char *uri, json_t *schema,
	struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes name = {0};
	CS_CLEANUP_BYTES struct cs_bytes base = {0};
	const json_t *id = json_object_get(schema, "$id");
	const char *named = "", *by_id;
	enum cs_err err = CS_OK;

	if (!json_is_object(schema) && !json_is_boolean(schema))
		return cs_fault_set(
			fault, CS_E_SCHEMA_INVALID, "", "a schema must be an object or a boolean");
	if (id != NULL && !json_is_string(id))
		return cs_fault_set(fault, CS_E_SCHEMA_INVALID, "/$id", "$id: must be a string");
	if (uri != NULL) {
		err = identify("", uri, &name);
		if (err == CS_E_SCHEMA_INVALID)
			return cs_fault_set(fault, err, "", "'%s' is no name for a schema", uri);
		if (err != CS_OK)
			return err;
		named = (char *)name.data;
	} else if (id == NULL) {
		return cs_fault_set(fault, CS_E_SCHEMA_INVALID, "",
			"the schema has no $id and was given no name");
	}
	by_id = id != NULL ? json_string_value(id) : "";
	err = identify(named, by_id, &base);
	if (err == CS_E_SCHEMA_INVALID)
		return cs_fault_set(
			fault, err, "/$id", "$id: '%s' must be a URI without a fragment", by_id);
	if (err != CS_OK)
		return err;
	if (json_object_get(registry->names, (char *)base.data) != NULL)
		return cs_fault_set(fault, CS_E_EXISTS, "/$id", "the schema '%s' was added before",
			(char *)base.data);
	if (uri != NULL && json_object_get(registry->names, named) != NULL)
		return cs_fault_set(
			fault, CS_E_EXISTS, "", "the schema '%s' was added before", named);
	/*
	 * The names first: a name without its source is harmless, but must not stay when the source
	 * does not follow.
	 */
	if (json_object_set_new(
		    registry->names, (char *)base.data, json_string((char *)base.data)) != 0)
		return CS_E_NOMEM;
	err = CS_OK;
	if (uri != NULL && strcmp(named, (char *)base.data) != 0 &&
		json_object_set_new(registry->names, named, json_string((char *)base.data)) != 0)
		err = CS_E_NOMEM;
	if (err == CS_OK)
		err = add_source(registry, (char *)base.data, schema);
	if (err != CS_OK) {
		(void)json_object_del(registry->names, (char *)base.data);
		(void)json_object_del(registry->names, named);
		return err;
	}
	registry->compiled = false;
	return CS_OK;
}

enum cs_err cs_schema_compile(struct cs_schema_registry *registry, struct cs_fault *fault)
{
	enum cs_err err = CS_OK;

	if (registry->compiled)
		return CS_OK;
	cs_schema_program_clear(&registry->program);
	for (size_t i = 0; i < registry->count && err == CS_OK; i++)
		err = cs_schema_compile_source(&registry->program, &registry->sources[i], fault);
	if (err == CS_OK)
		err = cs_schema_link(registry, fault);
	registry->compiled = err == CS_OK;
	return err;
}

enum cs_err cs_schema_validate(struct cs_schema_registry *registry, const char *uri,
	const json_t *doc, struct cs_fault *fault)
{
	struct cs_schema_node *root = NULL;
	enum cs_err err = cs_schema_compile(registry, fault);

	if (err != CS_OK)
		return err;
	err = cs_schema_find(registry, "", uri, &root);
	if (err == CS_E_NOMEM)
		return err;
	if (root == NULL)
		return cs_fault_set(fault, CS_E_SCHEMA_UNKNOWN, "", "there is no schema '%s'", uri);
	return cs_schema_run(root, registry->formats, doc, fault);
}

enum cs_err cs_schema_registry_embedded(struct cs_schema_registry **ret_registry)
{
	struct cs_schema_registry *registry;
	enum cs_err err = cs_schema_registry_new(&registry);

	if (err != CS_OK)
		return err;
	cs_schema_assert_formats(registry, true);
	for (const struct cs_embedded_schema *one = cs_embedded_schemas;
		one->name != NULL && err == CS_OK; one++) {
		CS_CLEANUP_JSON json_t *schema = NULL;

		err = cs_json_read(one->data, one->len, EMBEDDED_MAX, &schema, NULL);
		if (err == CS_OK)
			err = cs_schema_add(registry, one->name, schema, NULL);
	}
	if (err == CS_OK)
		err = cs_schema_compile(registry, NULL);
	if (err != CS_OK) {
		cs_schema_registry_free(registry);
		return err;
	}
	*ret_registry = registry;
	return CS_OK;
}

enum cs_err cs_schema_check(struct cs_schema_registry *registry, const char *name,
	const json_t *doc, struct cs_fault *fault)
{
	enum cs_err err = cs_schema_validate(registry, name, doc, fault);

	return err == CS_OK ? cs_text_check_document(doc, newline_keys, fault) : err;
}
