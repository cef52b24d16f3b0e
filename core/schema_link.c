#include "schema_node.h"

#include <string.h>

enum cs_err cs_schema_find(const struct cs_schema_registry *registry, const char *base,
	const char *reference, struct cs_schema_node **ret_node)
{
	CS_CLEANUP_BYTES struct cs_bytes uri = {0};
	CS_CLEANUP_BYTES struct cs_bytes place = {0};
	const char *fragment = "", *named;
	const json_t *index;
	char *hash;
	enum cs_err err = cs_schema_uri_resolve(base, reference, &uri);

	if (err != CS_OK)
		return err;
	*ret_node = NULL;
	if (uri.len == 0)
		return CS_OK;
	hash = strchr((char *)uri.data, '#');
	if (hash != NULL) {
		*hash = '\0';
		fragment = hash + 1;
	}
	named = json_string_value(json_object_get(registry->names, (char *)uri.data));
	(void)cs_bytes_add_text(&place, named != NULL ? named : (char *)uri.data);
	(void)cs_bytes_add_text(&place, "#");
	err = cs_schema_uri_decode(fragment, &place);
	if (err != CS_OK)
		return err;
	index = json_object_get(registry->program.places, (char *)place.data);
	if (index != NULL)
		*ret_node = registry->program.nodes[json_integer_value(index)];
	return CS_OK;
}

static const char *pointer_of(const struct cs_schema_node *node)
{
	return node->place + node->base_len + 1;
}

static enum cs_err link_node(
	struct cs_schema_registry *registry, struct cs_schema_node *node, struct cs_fault *fault)
{
	char base[CS_SCHEMA_URI_MAX + 1];
	enum cs_err err;

	if (node->reference == NULL)
		return CS_OK;
	memcpy(base, node->place, node->base_len);
	base[node->base_len] = '\0';
	err = cs_schema_find(registry, base, node->reference, &node->target);
	if (err == CS_E_SCHEMA_INVALID)
		return cs_fault_set(fault, err, pointer_of(node),
			"$ref: '%s' is not a reference (in %s)", node->reference, base);
	if (err == CS_OK && node->target == NULL)
		return cs_fault_set(fault, CS_E_SCHEMA_UNSUPPORTED, pointer_of(node),
			"$ref: '%s' is not in the registry (in %s)", node->reference, base);
	return err;
}

static enum cs_err measure(struct cs_schema_node *node, unsigned depth, struct cs_fault *fault);

static enum cs_err measure_one(struct cs_schema_node *from, struct cs_schema_node *to,
	unsigned depth, struct cs_fault *fault)
{
	enum cs_err err;

	if (to == NULL)
		return CS_OK;
	err = measure(to, depth + 1, fault);
	if (err == CS_OK && to->height + 1 > from->height)
		from->height = to->height + 1;
	return err;
}

static enum cs_err measure_all(struct cs_schema_node *from,
	const struct cs_schema_children *children, unsigned depth, struct cs_fault *fault)
{
	enum cs_err err = CS_OK;

	for (size_t i = 0; i < children->count && err == CS_OK; i++)
		err = measure_one(from, children->at[i].node, depth, fault);
	return err;
}

/*
 * Everything that is applied to the same place of the document; the rest goes deeper and so ends
 * with the document.
 */
static enum cs_err measure_in_place(
	struct cs_schema_node *node, unsigned depth, struct cs_fault *fault)
{
	struct cs_schema_node *const single[] = {
		node->target, node->not_node, node->if_node, node->then_node, node->else_node};
	const struct cs_schema_children *const lists[] = {
		&node->all_of, &node->any_of, &node->one_of, &node->dependent_schemas};
	enum cs_err err = CS_OK;

	for (size_t i = 0; i < sizeof single / sizeof single[0] && err == CS_OK; i++)
		err = measure_one(node, single[i], depth, fault);
	for (size_t i = 0; i < sizeof lists / sizeof lists[0] && err == CS_OK; i++)
		err = measure_all(node, lists[i], depth, fault);
	return err;
}

static enum cs_err measure(struct cs_schema_node *node, unsigned depth, struct cs_fault *fault)
{
	enum cs_err err;

	if (node->visiting)
		return cs_fault_set(fault, CS_E_SCHEMA_INVALID, pointer_of(node),
			"$ref: the schema applies itself to the same value without end (in %.*s)",
			(int)node->base_len, node->place);
	if (node->height > 0)
		return CS_OK;
	if (depth >= CS_SCHEMA_CHAIN_MAX)
		return cs_fault_set(fault, CS_E_SCHEMA_UNSUPPORTED, pointer_of(node),
			"$ref: more than %d schemas are applied one inside the other (in %.*s)",
			CS_SCHEMA_CHAIN_MAX, (int)node->base_len, node->place);
	node->visiting = true;
	err = measure_in_place(node, depth, fault);
	node->visiting = false;
	if (node->height == 0)
		node->height = 1;
	if (err == CS_OK && node->height > CS_SCHEMA_CHAIN_MAX)
		return cs_fault_set(fault, CS_E_SCHEMA_UNSUPPORTED, pointer_of(node),
			"$ref: more than %d schemas are applied one inside the other (in %.*s)",
			CS_SCHEMA_CHAIN_MAX, (int)node->base_len, node->place);
	return err;
}

enum cs_err cs_schema_link(struct cs_schema_registry *registry, struct cs_fault *fault)
{
	struct cs_schema_program *program = &registry->program;
	enum cs_err err = CS_OK;

	for (size_t i = 0; i < program->count && err == CS_OK; i++)
		err = link_node(registry, program->nodes[i], fault);
	for (size_t i = 0; i < program->count && err == CS_OK; i++)
		err = measure(program->nodes[i], 0, fault);
	return err;
}
