#include "command.h"
#include "file.h"
#include "report.h"
#include "schema.h"
#include "schema_embedded.h"

#include <countersign/limits.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_embedded(const char *name)
{
	for (const struct cs_embedded_schema *s = cs_embedded_schemas; s->name != NULL; s++)
		if (strcmp(s->name, name) == 0)
			return true;
	return false;
}

/*
 * A file: URI of the whole path, so that relative references find the files beside it (RFC 8089).
 */
static enum cs_err file_uri(const char *path, struct cs_bytes *uri, struct cs_fault *fault)
{
	static const char digits[] = "0123456789ABCDEF";
	char *whole = realpath(path, NULL);

	if (whole == NULL)
		return cs_fault_set(fault, CS_E_IO, path, "cannot find its directory");
	cs_bytes_add_text(uri, "file://");
	for (const char *c = whole; *c != '\0'; c++) {
		unsigned char byte = (unsigned char)*c;
		char escape[3] = {'%', digits[byte >> 4], digits[byte & 15]};
		bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
			     (byte >= '0' && byte <= '9') || strchr("/._-~", byte) != NULL;
		cs_bytes_add(uri, plain ? (const void *)c : escape, plain ? 1 : 3);
	}
	free(whole);
	return cs_bytes_check(uri);
}

static enum cs_err add_file(struct cs_schema_registry *registry, const char *path,
	struct cs_bytes *uri, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *schema = NULL;
	struct cs_fault inner = {0};
	enum cs_err err = cs_file_read_json(path, CS_MESSAGE_MAX, &schema, fault);

	if (err == CS_OK)
		err = file_uri(path, uri, fault);
	if (err != CS_OK)
		return err;
	err = cs_schema_add(registry, (const char *)uri->data, schema, &inner);
	return err == CS_OK ? CS_OK
			    : cs_fault_set(fault, err, path, "%s %s", inner.path, inner.detail);
}

/*
 * A file by that name, or else one of ours by its name. The registry of ours is made for the
 * latter alone: names stay apart.
 */
static enum cs_err collect(const struct cs_call *call, struct cs_schema_registry **ret_registry,
	struct cs_bytes *uri, struct cs_fault *fault)
{
	const char *schema = cs_call_value(call, "schema");
	bool embedded = access(schema, F_OK) != 0 && is_embedded(schema);
	struct cs_schema_registry *registry = NULL;
	const char *with;
	enum cs_err err = embedded ? cs_schema_registry_embedded(&registry)
				   : cs_schema_registry_new(&registry);

	if (err == CS_OK)
		err = embedded ? cs_bytes_add_text(uri, schema)
			       : add_file(registry, schema, uri, fault);
	for (size_t i = 0; err == CS_OK && (with = cs_call_nth(call, "with", i)) != NULL; i++) {
		CS_CLEANUP_BYTES struct cs_bytes other = {0};
		err = add_file(registry, with, &other, fault);
	}
	/*
	 * By default a format only annotates (JSON Schema 2020-12); documents of ours always
	 * assert it.
	 */
	if (err == CS_OK && cs_call_has(call, "format"))
		cs_schema_assert_formats(registry, true);
	if (err == CS_OK)
		err = cs_schema_compile(registry, fault);
	if (err != CS_OK) {
		cs_schema_registry_free(registry);
		return err;
	}
	*ret_registry = registry;
	return CS_OK;
}

enum cs_err cs_command_validate(struct cs_call *call, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes uri = {0};
	CS_CLEANUP_JSON json_t *doc = NULL;
	struct cs_schema_registry *registry = NULL;
	struct cs_fault inner = {0};
	enum cs_err err = collect(call, &registry, &uri, fault);

	if (err != CS_OK)
		return err;
	err = cs_file_read_json(call->operand[0], CS_COMMAND_FILE_MAX, &doc, fault);
	if (err == CS_OK) {
		err = cs_schema_validate(registry, (const char *)uri.data, doc, &inner);
		/* The fault is safe to show as it is; setting it again would escape it twice. */
		if (err != CS_OK && inner.path[0] == '\0')
			snprintf(inner.path, sizeof inner.path, "\"\" (the whole document)");
		if (err != CS_OK)
			*fault = inner;
	}
	cs_schema_registry_free(registry);
	if (err != CS_OK || !call->json)
		return err;
	CS_CLEANUP_JSON json_t *result = json_pack("{s:b}", "valid", 1);
	return result == NULL ? CS_E_NOMEM : cs_report_json(result, fault);
}
