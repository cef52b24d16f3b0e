/* Bounds on what schemas and documents may cost the validator, and memory that runs out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fixture/schema_case.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static void add(
	struct cs_schema_registry *registry, const char *uri, const char *text, enum cs_err wanted)
{
	CS_CLEANUP_JSON json_t *schema = parse(text);
	struct cs_fault fault = {0};
	enum cs_err err = cs_schema_add(registry, uri, schema, &fault);

	if (err != wanted)
		fail_msg("adding %s: %s: %s", text, cs_err_name(err), fault.detail);
}

/* "[[[…value…]]]" or the like, `count` times. Caller frees. */
static char *wrap(const char *before, const char *middle, const char *after, size_t count)
{
	size_t size = (strlen(before) + strlen(after)) * count + strlen(middle) + 1;
	char *text = malloc(size), *to = text;

	assert_non_null(text);
	for (size_t i = 0; i < count; i++)
		to = stpcpy(to, before);
	to = stpcpy(to, middle);
	for (size_t i = 0; i < count; i++)
		to = stpcpy(to, after);
	return text;
}

static void test_depth_of_schemas_and_documents(void **state)
{
	char *deep = wrap("{\"items\":", "{\"const\":1}", "}", 60);
	char *good = wrap("[", "1", "]", 60), *bad = wrap("[", "2", "]", 60);
	char *tree = wrap("[", "", "]", 64);
	char *pointer = wrap("/0", "", "", 60);
	CS_CLEANUP_JSON json_t *deeper = json_object();
	CS_CLEANUP_JSON json_t *nested = json_array();
	struct cs_schema_registry *registry;

	(void)state;
	expect(deep, good, CS_OK, "", "");
	expect(deep, bad, CS_E_DOCUMENT_INVALID, pointer, "const:");
	expect("{\"items\":{\"$ref\":\"#\"}}", tree, CS_OK, "", "");

	/* Deeper than any text can be, as a program may have built it. */
	for (size_t i = 0; i < 100; i++) {
		deeper = json_pack("{s:o}", "items", deeper);
		nested = json_pack("[o]", nested);
	}
	assert_int_equal(cs_schema_registry_new(&registry), CS_OK);
	assert_int_equal(cs_schema_add(registry, "deeper", deeper, NULL), CS_OK);
	assert_int_equal(cs_schema_compile(registry, NULL), CS_E_JSON_DEPTH);
	cs_schema_registry_free(registry);

	for (size_t i = 0; i < 2000; i++)
		nested = json_pack("[o]", nested);
	assert_int_equal(cs_schema_registry_new(&registry), CS_OK);
	add(registry, "tree", "{\"items\":{\"$ref\":\"#\"}}", CS_OK);
	assert_int_equal(cs_schema_validate(registry, "tree", nested, NULL), CS_E_MATCH_LIMIT);
	cs_schema_registry_free(registry);
	free(deep);
	free(good);
	free(bad);
	free(tree);
	free(pointer);
}

/*
 * {"$defs":{"d0":{"$ref":"#/$defs/d1"},…,"dN":{"const":1}},"$ref":"#/$defs/d0"}, each step `width`
 * times.
 */
static json_t *chain(size_t length, size_t width)
{
	json_t *defs = json_object();
	char name[32];

	for (size_t i = 0; i < length; i++) {
		json_t *all = json_array();

		(void)snprintf(name, sizeof name, "#/$defs/d%zu", i + 1);
		for (size_t j = 0; j < width; j++)
			json_array_append_new(all, json_pack("{s:s}", "$ref", name));
		(void)snprintf(name, sizeof name, "d%zu", i);
		json_object_set_new(defs, name, json_pack("{s:o}", "allOf", all));
	}
	(void)snprintf(name, sizeof name, "d%zu", length);
	json_object_set_new(defs, name, json_pack("{s:i}", "const", 1));
	return json_pack("{s:o,s:s}", "$defs", defs, "$ref", "#/$defs/d0");
}

static enum cs_err run_chain(size_t length, size_t width)
{
	CS_CLEANUP_JSON json_t *schema = chain(length, width);
	CS_CLEANUP_JSON json_t *doc = json_integer(1);
	struct cs_schema_registry *registry;
	enum cs_err err;

	assert_int_equal(cs_schema_registry_new(&registry), CS_OK);
	assert_int_equal(cs_schema_add(registry, "chain", schema, NULL), CS_OK);
	err = cs_schema_validate(registry, "chain", doc, NULL);
	cs_schema_registry_free(registry);
	return err;
}

/* Two chains, of which each is short enough, the second one measured first. */
static enum cs_err run_halves(size_t length)
{
	CS_CLEANUP_JSON json_t *first = chain(length / 2, 1);
	CS_CLEANUP_JSON json_t *second = chain(length / 2, 1);
	CS_CLEANUP_JSON json_t *doc = json_integer(1);
	struct cs_schema_registry *registry;
	char last[32];
	enum cs_err err;

	(void)snprintf(last, sizeof last, "d%zu", length / 2);
	json_object_set_new(
		json_object_get(first, "$defs"), last, json_pack("{s:s}", "$ref", "second"));
	assert_int_equal(cs_schema_registry_new(&registry), CS_OK);
	assert_int_equal(cs_schema_add(registry, "second", second, NULL), CS_OK);
	assert_int_equal(cs_schema_add(registry, "first", first, NULL), CS_OK);
	err = cs_schema_validate(registry, "first", doc, NULL);
	cs_schema_registry_free(registry);
	return err;
}

static void test_bounded_work(void **state)
{
	(void)state;
	assert_int_equal(run_chain(50, 1), CS_OK);
	assert_int_equal(run_chain(200, 1), CS_E_SCHEMA_UNSUPPORTED);
	assert_int_equal(run_chain(5000, 1), CS_E_SCHEMA_UNSUPPORTED);
	assert_int_equal(run_halves(60), CS_OK);
	assert_int_equal(run_halves(100), CS_E_SCHEMA_UNSUPPORTED);
	/* 2^40 ways through forty definitions. */
	assert_int_equal(run_chain(10, 2), CS_OK);
	assert_int_equal(run_chain(40, 2), CS_E_MATCH_LIMIT);
}

static void test_bounded_matching(void **state)
{
	char *many = wrap("a", "b\"", "", 200), *document = wrap("\"", many, "", 1);
	char *longer = wrap("a", "\"", "", CS_SCHEMA_SUBJECT_MAX + 1),
	     *too_long = wrap("\"", longer, "", 1);

	(void)state;
	expect("{\"pattern\":\"^(a|aa)+$\"}", "\"aaaa\"", CS_OK, "", "");
	expect("{\"pattern\":\"^(a|aa)+$\"}", document, CS_E_MATCH_LIMIT, "", "pattern:");
	/* A limit is no mismatch: it may not turn into 'valid' behind a negation. */
	expect("{\"not\":{\"pattern\":\"^(a|aa)+$\"}}", document, CS_E_MATCH_LIMIT, "", "pattern:");
	expect("{\"anyOf\":[{\"pattern\":\"^(a|aa)+$\"},true]}", document, CS_E_MATCH_LIMIT, "",
		"pattern:");
	expect("{\"pattern\":\"a\"}", too_long, CS_E_MATCH_LIMIT, "", "pattern:");
	free(many);
	free(document);
	free(longer);
	free(too_long);
}

static void test_large_arrays_are_unique(void **state)
{
	CS_CLEANUP_JSON json_t *doc = json_array();
	struct cs_schema_registry *registry;

	(void)state;
	for (int i = 0; i < 20000; i++)
		json_array_append_new(doc, json_pack("{s:i,s:s}", "n", i, "t", "text"));
	assert_int_equal(cs_schema_registry_new(&registry), CS_OK);
	add(registry, "unique", "{\"uniqueItems\":true}", CS_OK);
	assert_int_equal(cs_schema_validate(registry, "unique", doc, NULL), CS_OK);
	json_array_append_new(doc, json_pack("{s:s,s:f}", "t", "text", "n", 77.0));
	assert_int_equal(cs_schema_validate(registry, "unique", doc, NULL), CS_E_DOCUMENT_INVALID);
	cs_schema_registry_free(registry);
}

/* `count` definitions, under a key of `key_len` bytes. */
static enum cs_err compile_definitions(size_t count, size_t key_len)
{
	CS_CLEANUP_JSON json_t *defs = json_object();
	CS_CLEANUP_JSON json_t *outer = json_object();
	CS_CLEANUP_JSON json_t *schema = NULL;
	struct cs_schema_registry *registry;
	char *key = wrap("k", "", "", key_len);
	char name[32];
	enum cs_err err;

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(name, sizeof name, "%zu", i);
		json_object_set_new(defs, name, json_true());
	}
	json_object_set_new(outer, key, json_pack("{s:O}", "$defs", defs));
	free(key);
	schema = json_pack("{s:O}", "$defs", outer);
	assert_int_equal(cs_schema_registry_new(&registry), CS_OK);
	assert_int_equal(cs_schema_add(registry, "many", schema, NULL), CS_OK);
	err = cs_schema_compile(registry, NULL);
	cs_schema_registry_free(registry);
	return err;
}

static void test_bounded_memory(void **state)
{
	(void)state;
	assert_int_equal(compile_definitions(1000, 10), CS_OK);
	assert_int_equal(compile_definitions(CS_SCHEMA_NODES_MAX, 10), CS_E_TOO_LARGE);
	assert_int_equal(compile_definitions(1000, 20000), CS_E_TOO_LARGE);
}

/* ---- memory that runs out inside jansson ---- */

static size_t allocations_left;

static void *limited_malloc(size_t size)
{
	if (allocations_left == 0)
		return NULL;
	allocations_left--;
	return malloc(size);
}

static void test_out_of_memory(void **state)
{
	CS_CLEANUP_JSON json_t *schema =
		parse("{\"$id\":\"u:a\",\"properties\":{\"a\":{\"$ref\":\"#b\"},\"b\":{\"$anchor\":"
		      "\"b\",\"items\":{\"$id\":\"u:c\"},"
		      "\"propertyNames\":{\"minLength\":1}}}}");
	CS_CLEANUP_JSON json_t *doc = parse("{\"a\":{\"x\":1}}");
	enum cs_err err = CS_E_NOMEM;
	size_t count;

	(void)state;
	for (count = 0; err != CS_OK && count < 1000; count++) {
		struct cs_schema_registry *registry = NULL;

		json_set_alloc_funcs(limited_malloc, free);
		allocations_left = count;
		err = cs_schema_registry_new(&registry);
		if (err == CS_OK)
			err = cs_schema_add(registry, "name", schema, NULL);
		if (err == CS_OK)
			err = cs_schema_validate(registry, "name", doc, NULL);
		allocations_left = SIZE_MAX;
		if (err != CS_OK)
			assert_int_equal(err, CS_E_NOMEM);
		/* What failed half way works as soon as there is memory again. */
		if (registry != NULL && json_object_size(registry->names) > 0)
			assert_int_equal(cs_schema_validate(registry, "name", doc, NULL), CS_OK);
		cs_schema_registry_free(registry);
		json_set_alloc_funcs(malloc, free);
	}
	assert_int_equal(err, CS_OK);
	assert_true(count > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_depth_of_schemas_and_documents),
		cmocka_unit_test(test_bounded_work),
		cmocka_unit_test(test_bounded_matching),
		cmocka_unit_test(test_large_arrays_are_unique),
		cmocka_unit_test(test_bounded_memory),
		cmocka_unit_test(test_out_of_memory),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
