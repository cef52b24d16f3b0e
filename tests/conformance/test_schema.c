/*
 * The official JSON Schema suite (draft 2020-12): argv[1] is the folder of vectors.
 *
 * A case whose schema is refused as unsupported counts as refused, and only the files and the
 * number of cases named here may be refused. Every other verdict must agree, with the numbers read
 * both as integers and as doubles.
 */
#include "schema.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * `refused` is the exact number of cases that may be refused: what rests on $dynamicRef,
 * unevaluated*, vocabularies, other dialects, the meta-schema, unknown keywords or documents on a
 * web server. A validator that refuses more fails.
 */
static const struct {
	const char *path;
	unsigned refused;
	bool formats;
} files[] = {
	{"additionalProperties", 0, false},
	{"allOf", 0, false},
	{"anchor", 0, false},
	{"anyOf", 0, false},
	{"boolean_schema", 0, false},
	{"const", 0, false},
	{"contains", 0, false},
	{"content", 0, false},
	{"default", 0, false},
	{"defs", 2, false},
	{"dependentRequired", 0, false},
	{"dependentSchemas", 0, false},
	{"dynamicRef", 44, false},
	{"enum", 0, false},
	{"exclusiveMaximum", 0, false},
	{"exclusiveMinimum", 0, false},
	{"format", 0, false},
	{"if-then-else", 0, false},
	{"infinite-loop-detection", 0, false},
	{"items", 0, false},
	{"maxContains", 0, false},
	{"maxItems", 0, false},
	{"maxLength", 0, false},
	{"maxProperties", 0, false},
	{"maximum", 0, false},
	{"minContains", 0, false},
	{"minItems", 0, false},
	{"minLength", 0, false},
	{"minProperties", 0, false},
	{"minimum", 0, false},
	{"multipleOf", 0, false},
	{"not", 2, false},
	{"oneOf", 0, false},
	{"pattern", 0, false},
	{"patternProperties", 0, false},
	{"prefixItems", 0, false},
	{"properties", 0, false},
	{"propertyNames", 0, false},
	{"ref", 3, false},
	{"refRemote", 31, false},
	{"required", 0, false},
	{"type", 0, false},
	{"unevaluatedItems", 71, false},
	{"unevaluatedProperties", 129, false},
	{"uniqueItems", 0, false},
	{"vocabulary", 5, false},
	{"optional/anchor", 0, false},
	{"optional/bignum", 0, false},
	{"optional/cross-draft", 1, false},
	{"optional/dependencies-compatibility", 36, false},
	{"optional/dynamicRef", 2, false},
	{"optional/ecmascript-regex", 0, false},
	{"optional/float-overflow", 0, false},
	{"optional/format/date-time", 0, true},
	{"optional/format/unknown", 0, true},
	{"optional/format-assertion", 4, false},
	{"optional/id", 0, false},
	{"optional/no-schema", 0, false},
	{"optional/non-bmp-regex", 0, false},
	{"optional/refOfUnknownKeyword", 10, false},
	{"optional/unknownKeyword", 3, false},
};

static unsigned agreed, refused, failed;

/* CS_OK, CS_E_DOCUMENT_INVALID, CS_E_SCHEMA_UNSUPPORTED, or whatever else went wrong. */
static enum cs_err judge(json_t *schema, json_t *doc, bool formats, struct cs_fault *fault)
{
	struct cs_schema_registry *registry;
	enum cs_err err = cs_schema_registry_new(&registry);

	if (err != CS_OK)
		return err;
	cs_schema_assert_formats(registry, formats);
	err = cs_schema_add(registry, "suite:case", schema, fault);
	if (err == CS_OK)
		err = cs_schema_validate(registry, "suite:case", doc, fault);
	cs_schema_registry_free(registry);
	return err;
}

static unsigned run_case(const char *path, json_t *group, json_t *test, bool formats)
{
	bool valid = json_is_true(json_object_get(test, "valid"));
	struct cs_fault fault = {0};
	enum cs_err err = judge(
		json_object_get(group, "schema"), json_object_get(test, "data"), formats, &fault);

	if (err == CS_E_SCHEMA_UNSUPPORTED) {
		refused++;
		return 1;
	}
	if (err == (valid ? CS_OK : CS_E_DOCUMENT_INVALID)) {
		agreed++;
		return 0;
	}
	failed++;
	printf("FAILED %s: %s: %s: expected %s, got %s (%s %s)\n", path,
		json_string_value(json_object_get(group, "description")),
		json_string_value(json_object_get(test, "description")),
		valid ? "valid" : "invalid", cs_err_name(err), fault.path, fault.detail);
	return 0;
}

/* Returns how many cases were refused, or -1 without the file. */
static int run_file(const char *folder, const char *name, bool formats, size_t flags)
{
	char path[1024];
	json_error_t error;
	unsigned count = 0;
	size_t i, j;
	json_t *groups, *group, *test;

	(void)snprintf(path, sizeof path, "%s/json-schema/draft2020-12/%s.json", folder, name);
	groups = json_load_file(path, JSON_ALLOW_NUL | flags, &error);
	if (groups == NULL) {
		/* Integers beyond 64 bits can be read as doubles only. */
		if ((flags & JSON_DECODE_INT_AS_REAL) == 0 && access(path, R_OK) == 0)
			return 0;
		failed++;
		printf("FAILED %s: %s\n", path, error.text);
		return -1;
	}
	json_array_foreach(groups, i, group) json_array_foreach(json_object_get(group, "tests"), j,
		test) count += run_case(name, group, test, formats);
	json_decref(groups);
	return (int)count;
}

int main(int argc, char **argv)
{
	unsigned kept_agreed, kept_refused;

	if (sodium_init() < 0)
		return 1;
	if (argc != 2) {
		fprintf(stderr, "usage: test_schema VECTORS\n");
		return 2;
	}
	char folder[1024];
	(void)snprintf(folder, sizeof folder, "%s/json-schema/draft2020-12", argv[1]);
	if (access(folder, R_OK) != 0) {
		printf("SKIP json-schema: no folder %s\n", folder);
		return 77;
	}
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		int count =
			run_file(argv[1], files[i].path, files[i].formats, JSON_DECODE_INT_AS_REAL);

		if (count > 0)
			printf("refused as unsupported: %s: %d\n", files[i].path, count);
		if (count >= 0 && (unsigned)count != files[i].refused) {
			failed++;
			printf("FAILED %s: %d cases refused instead of %u\n", files[i].path, count,
				files[i].refused);
		}
	}
	/*
	 * Once more with integers as integers: the verdicts may not depend on how a number is held.
	 */
	kept_agreed = agreed;
	kept_refused = refused;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		(void)run_file(argv[1], files[i].path, files[i].formats, 0);
	printf("conformance json-schema: %u cases agree, %u refused as unsupported, %u failed\n",
		kept_agreed, kept_refused, failed);
	return failed == 0 ? 0 : 1;
}
