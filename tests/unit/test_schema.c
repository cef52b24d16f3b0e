/* The validator: keywords, references and refusals of schemas. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fixture/schema_case.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct assertion {
	const char *schema;
	const char *good;
	const char *bad;
	const char *path; /* of the refusal */
	const char *keyword;
};

static const struct assertion assertions[] = {
	{"{\"type\":\"null\"}", "null", "0", "", "type:"},
	{"{\"type\":\"boolean\"}", "false", "null", "", "type:"},
	{"{\"type\":\"integer\"}", "1", "1.5", "", "type:"},
	{"{\"type\":\"integer\"}", "1.0", "\"1\"", "", "type:"},
	{"{\"type\":\"integer\"}", "1e300", "1e-300", "", "type:"},
	{"{\"type\":\"number\"}", "0.5", "\"0.5\"", "", "type:"},
	{"{\"type\":[\"string\",\"null\"]}", "\"\"", "[]", "", "type:"},
	{"{\"type\":\"array\"}", "[]", "{}", "", "type:"},
	{"{\"type\":\"object\"}", "{}", "true", "", "type:"},
	{"{\"const\":1}", "1.0", "true", "", "const:"},
	{"{\"const\":{\"a\":[1,2.5]}}", "{\"a\":[1.0,25e-1]}", "{\"a\":[2.5,1]}", "", "const:"},
	{"{\"const\":null}", "null", "0", "", "const:"},
	{"{\"enum\":[\"a\",2,[3]]}", "[3]", "\"b\"", "", "enum:"},
	{"{\"enum\":[false]}", "false", "0", "", "enum:"},
	{"{\"minimum\":1.5}", "1.5", "1", "", "minimum:"},
	{"{\"maximum\":3}", "3", "3.0000000000000004", "", "maximum:"},
	{"{\"exclusiveMinimum\":0}", "5e-324", "0", "", "exclusiveMinimum:"},
	{"{\"exclusiveMaximum\":0}", "-1", "0.0", "", "exclusiveMaximum:"},
	{"{\"multipleOf\":0.01}", "19.99", "19.995", "", "multipleOf:"},
	{"{\"multipleOf\":3}", "-9", "10", "", "multipleOf:"},
	{"{\"multipleOf\":0.0001}", "0.0075", "0.00751", "", "multipleOf:"},
	{"{\"multipleOf\":7}", "7e300", "1e300", "", "multipleOf:"},
	{"{\"multipleOf\":2.5e-320}", "0", "4e-320", "", "multipleOf:"},
	{"{\"multipleOf\":100}", "0", "50", "", "multipleOf:"},
	{"{\"minLength\":2}", "\"\u00e4\u00f6\"", "\"\U0001f512\"", "", "minLength:"},
	{"{\"maxLength\":2.0}", "\"\U0001f512\U0001f512\"", "\"abc\"", "", "maxLength:"},
	{"{\"pattern\":\"^a+$\"}", "\"aa\"", "\"aa\\n\"", "",
		"pattern: the string does not match '^a+$'"},
	{"{\"pattern\":\"b\"}", "\"abc\"", "\"ac\"", "", "pattern:"},
	{"{\"minItems\":1}", "[0]", "[]", "", "minItems:"},
	{"{\"maxItems\":1}", "{}", "[1,2]", "", "maxItems:"},
	{"{\"items\":{\"type\":\"string\"}}", "[\"a\"]", "[\"a\",1]", "/1", "type:"},
	{"{\"items\":false}", "[]", "[1]", "/0", "items:"},
	{"{\"prefixItems\":[{\"const\":1}],\"items\":{\"const\":2}}", "[1,2,2]", "[1,2,1]", "/2",
		"const:"},
	{"{\"prefixItems\":[{\"const\":1},{\"const\":2}]}", "[1]", "[1,1]", "/1", "const:"},
	{"{\"uniqueItems\":true}", "[1,\"1\",[1],true]", "[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1.0}]",
		"", "uniqueItems:"},
	{"{\"uniqueItems\":false}", "[1,1]", NULL, NULL, NULL},
	{"{\"contains\":{\"const\":1}}", "[0,1]", "[0]", "", "contains:"},
	{"{\"contains\":{\"const\":1},\"minContains\":2}", "[1,1]", "[1,0]", "", "minContains:"},
	{"{\"contains\":{\"const\":1},\"minContains\":0}", "[]", NULL, NULL, NULL},
	{"{\"contains\":{\"const\":1},\"maxContains\":1}", "[1]", "[1,1]", "", "maxContains:"},
	{"{\"minContains\":5}", "[]", NULL, NULL, NULL},
	{"{\"minProperties\":1}", "{\"a\":1}", "{}", "", "minProperties:"},
	{"{\"maxProperties\":1}", "{\"a\":1}", "{\"a\":1,\"b\":1}", "", "maxProperties:"},
	{"{\"required\":[\"a\",\"b\"]}", "{\"a\":1,\"b\":null}", "{\"a\":1}", "",
		"required: the member 'b' is missing"},
	{"{\"properties\":{\"a/b~\":{\"const\":1}}}", "{\"c\":0}", "{\"a/b~\":2}", "/a~1b~0",
		"const:"},
	{"{\"properties\":{\"a\":false}}", "{}", "{\"a\":1}", "/a", "properties:"},
	{"{\"properties\":{\"a\":true},\"additionalProperties\":false}", "{\"a\":1}", "{\"b\":1}",
		"/b", "additionalProperties:"},
	{"{\"patternProperties\":{\"^x\":{\"const\":1}}}", "{\"x1\":1,\"y\":2}", "{\"x2\":2}",
		"/x2", "const:"},
	{"{\"patternProperties\":{\"^x\":{}},\"additionalProperties\":{\"const\":1}}",
		"{\"x\":2,\"y\":1}", "{\"y\":2}", "/y", "const:"},
	{"{\"propertyNames\":{\"maxLength\":1}}", "{\"a\":[1,2]}", "{\"ab\":1}", "/ab",
		"propertyNames:"},
	{"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"b\":1}", "{\"a\":1}", "",
		"dependentRequired:"},
	{"{\"dependentSchemas\":{\"a\":{\"required\":[\"b\"]}}}", "{\"c\":1}", "{\"a\":1}", "",
		"required:"},
	{"{\"allOf\":[{\"minimum\":1},{\"maximum\":2}]}", "2", "3", "", "maximum:"},
	{"{\"anyOf\":[{\"const\":1},{\"const\":2}]}", "2", "3", "", "anyOf:"},
	{"{\"oneOf\":[{\"minimum\":1},{\"maximum\":2}]}", "3", "2", "", "oneOf: more than one"},
	{"{\"oneOf\":[{\"const\":1},{\"const\":2}]}", "1", "3", "", "oneOf: none"},
	{"{\"not\":{\"type\":\"null\"}}", "0", "null", "", "not:"},
	{"{\"if\":{\"const\":1},\"then\":{\"type\":\"string\"}}", "2", "1", "", "type:"},
	{"{\"if\":{\"const\":1},\"else\":{\"type\":\"string\"}}", "1", "2", "", "type:"},
	{"{\"then\":false,\"else\":false}", "1", NULL, NULL, NULL},
	{"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"const\":1}},\"maximum\":1}", "1", "0", "",
		"const:"},
	{"{\"$defs\":{\"a\":false}}", "1", NULL, NULL, NULL},
	{"true", "1", NULL, NULL, NULL},
	{"{}", "{\"a\":1}", NULL, NULL, NULL},
	{"{\"$comment\":\"\",\"title\":\"\",\"description\":\"\",\"default\":0,\"examples\":[],"
	 "\"deprecated\":true,"
	 "\"readOnly\":true,\"writeOnly\":false,\"contentEncoding\":\"base64\","
	 "\"contentMediaType\":\"text/plain\","
	 "\"contentSchema\":false,\"format\":\"email\"}",
		"\"x\"", NULL, NULL, NULL},
};

static void test_assertions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof assertions / sizeof assertions[0]; i++) {
		const struct assertion *a = &assertions[i];

		expect(a->schema, a->good, CS_OK, "", "");
		if (a->bad != NULL)
			expect(a->schema, a->bad, CS_E_DOCUMENT_INVALID, a->path, a->keyword);
	}
	expect("false", "1", CS_E_DOCUMENT_INVALID, "", "false:");
}

struct refusal {
	const char *schema;
	enum cs_err err;
	const char *path;
	const char *detail;
};

static const struct refusal refusals[] = {
	/* not supported */
	{"{\"properties\":{\"a\":{\"minimun\":1}}}", CS_E_SCHEMA_UNSUPPORTED,
		"/properties/a/minimun", "minimun:"},
	{"{\"$dynamicRef\":\"#a\"}", CS_E_SCHEMA_UNSUPPORTED, "/$dynamicRef", "$dynamicRef:"},
	{"{\"$dynamicAnchor\":\"a\"}", CS_E_SCHEMA_UNSUPPORTED, "/$dynamicAnchor",
		"$dynamicAnchor:"},
	{"{\"unevaluatedProperties\":false}", CS_E_SCHEMA_UNSUPPORTED, "/unevaluatedProperties",
		"unevaluatedProperties:"},
	{"{\"unevaluatedItems\":false}", CS_E_SCHEMA_UNSUPPORTED, "/unevaluatedItems",
		"unevaluatedItems:"},
	{"{\"$vocabulary\":{}}", CS_E_SCHEMA_UNSUPPORTED, "/$vocabulary", "$vocabulary:"},
	{"{\"definitions\":{}}", CS_E_SCHEMA_UNSUPPORTED, "/definitions", "definitions:"},
	{"{\"a/b\":1}", CS_E_SCHEMA_UNSUPPORTED, "/a~1b", "a/b:"},
	{"{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}", CS_E_SCHEMA_UNSUPPORTED,
		"/$schema", "$schema:"},
	{"{\"items\":{\"$ref\":\"http://example.com/x\"}}", CS_E_SCHEMA_UNSUPPORTED, "/items",
		"$ref: 'http://example.com/x'"},
	{"{\"$ref\":\"#/$defs/a\"}", CS_E_SCHEMA_UNSUPPORTED, "", "$ref: '#/$defs/a'"},
	{"{\"$ref\":\"#a\"}", CS_E_SCHEMA_UNSUPPORTED, "", "$ref: '#a'"},
	{"{\"const\":{\"type\":\"null\"},\"$ref\":\"#/const\"}", CS_E_SCHEMA_UNSUPPORTED, "",
		"$ref: '#/const'"},
	{"{\"pattern\":\"(a)\\\\1\"}", CS_E_SCHEMA_UNSUPPORTED, "/pattern",
		"pattern: '(a)\\\\1' has a back reference"},
	/* wrong */
	{"{\"items\":[{}]}", CS_E_SCHEMA_INVALID, "/items", "a schema must be"},
	{"{\"properties\":{\"a\":null}}", CS_E_SCHEMA_INVALID, "/properties/a", "a schema must be"},
	{"{\"properties\":[]}", CS_E_SCHEMA_INVALID, "/properties", "properties:"},
	{"{\"$defs\":1}", CS_E_SCHEMA_INVALID, "/$defs", "$defs:"},
	{"{\"allOf\":[]}", CS_E_SCHEMA_INVALID, "/allOf", "allOf:"},
	{"{\"anyOf\":{}}", CS_E_SCHEMA_INVALID, "/anyOf", "anyOf:"},
	{"{\"type\":\"text\"}", CS_E_SCHEMA_INVALID, "/type", "type:"},
	{"{\"type\":[]}", CS_E_SCHEMA_INVALID, "/type", "type:"},
	{"{\"type\":[\"null\",\"null\"]}", CS_E_SCHEMA_INVALID, "/type", "type:"},
	{"{\"type\":1}", CS_E_SCHEMA_INVALID, "/type", "type:"},
	{"{\"enum\":1}", CS_E_SCHEMA_INVALID, "/enum", "enum:"},
	{"{\"minimum\":\"1\"}", CS_E_SCHEMA_INVALID, "/minimum", "minimum:"},
	{"{\"multipleOf\":0}", CS_E_SCHEMA_INVALID, "/multipleOf", "multipleOf:"},
	{"{\"multipleOf\":-1}", CS_E_SCHEMA_INVALID, "/multipleOf", "multipleOf:"},
	{"{\"minLength\":-1}", CS_E_SCHEMA_INVALID, "/minLength", "minLength:"},
	{"{\"maxItems\":1.5}", CS_E_SCHEMA_INVALID, "/maxItems", "maxItems:"},
	{"{\"uniqueItems\":1}", CS_E_SCHEMA_INVALID, "/uniqueItems", "uniqueItems:"},
	{"{\"required\":\"a\"}", CS_E_SCHEMA_INVALID, "/required", "required:"},
	{"{\"required\":[1]}", CS_E_SCHEMA_INVALID, "/required", "required:"},
	{"{\"dependentRequired\":{\"a\":\"b\"}}", CS_E_SCHEMA_INVALID, "/dependentRequired",
		"dependentRequired:"},
	{"{\"pattern\":1}", CS_E_SCHEMA_INVALID, "/pattern", "pattern:"},
	{"{\"pattern\":\"(\"}", CS_E_SCHEMA_INVALID, "/pattern", "pattern: '(' has ( without )"},
	{"{\"patternProperties\":{\"[\":{}}}", CS_E_SCHEMA_INVALID, "/patternProperties",
		"patternProperties: '['"},
	{"{\"format\":1}", CS_E_SCHEMA_INVALID, "/format", "format:"},
	{"{\"title\":1}", CS_E_SCHEMA_INVALID, "/title", "title:"},
	{"{\"deprecated\":1}", CS_E_SCHEMA_INVALID, "/deprecated", "deprecated:"},
	{"{\"examples\":1}", CS_E_SCHEMA_INVALID, "/examples", "examples:"},
	{"{\"contentSchema\":1}", CS_E_SCHEMA_INVALID, "/contentSchema", "a schema must be"},
	{"{\"$schema\":1}", CS_E_SCHEMA_INVALID, "/$schema", "$schema:"},
	{"{\"$ref\":1}", CS_E_SCHEMA_INVALID, "/$ref", "$ref:"},
	{"{\"$ref\":\"#/%4\"}", CS_E_SCHEMA_INVALID, "", "$ref:"},
	{"{\"$ref\":\"#/%00\"}", CS_E_SCHEMA_INVALID, "", "$ref:"},
	{"{\"$anchor\":\"1a\"}", CS_E_SCHEMA_INVALID, "/$anchor", "$anchor:"},
	{"{\"$anchor\":\"\"}", CS_E_SCHEMA_INVALID, "/$anchor", "$anchor:"},
	{"{\"$id\":\"http://example.com/a#b\"}", CS_E_SCHEMA_INVALID, "/$id", "$id:"},
	{"{\"$id\":1}", CS_E_SCHEMA_INVALID, "/$id", "$id:"},
	{"{\"items\":{\"$id\":\"http://example.com/a#\"}}", CS_E_SCHEMA_INVALID, "/items/$id",
		"$id:"},
	{"{\"items\":{\"$id\":\"\"}}", CS_E_SCHEMA_INVALID, "/items/$id", "$id:"},
	{"1", CS_E_SCHEMA_INVALID, "", "a schema must be"},
	{"{\"items\":{\"$anchor\":\"a\"},\"not\":{\"$anchor\":\"a\"}}", CS_E_EXISTS, "",
		"$id or $anchor:"},
	{"{\"items\":{\"$id\":\"u:a\"},\"not\":{\"$id\":\"u:a\"}}", CS_E_EXISTS, "",
		"$id or $anchor:"},
	/* without end */
	{"{\"$ref\":\"#\"}", CS_E_SCHEMA_INVALID, "", "$ref: the schema applies itself"},
	{"{\"$defs\":{\"a\":{\"anyOf\":[{\"not\":{\"$ref\":\"#/$defs/a\"}}]}}}",
		CS_E_SCHEMA_INVALID, "/$defs/a", "$ref: the schema applies itself"},
};

static void test_refused_schemas(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
		expect(refusals[i].schema, "1", refusals[i].err, refusals[i].path,
			refusals[i].detail);
}

static void add(
	struct cs_schema_registry *registry, const char *uri, const char *text, enum cs_err wanted)
{
	CS_CLEANUP_JSON json_t *schema = parse(text);
	struct cs_fault fault = {0};
	enum cs_err err = cs_schema_add(registry, uri, schema, &fault);

	if (err != wanted)
		fail_msg("adding %s: %s: %s", text, cs_err_name(err), fault.detail);
}

static void check(
	struct cs_schema_registry *registry, const char *uri, const char *text, enum cs_err wanted)
{
	CS_CLEANUP_JSON json_t *doc = parse(text);
	struct cs_fault fault = {0};
	enum cs_err err = cs_schema_validate(registry, uri, doc, &fault);

	if (err != wanted)
		fail_msg("%s with %s: %s: %s", uri, text, cs_err_name(err), fault.detail);
}

static void test_registry(void **state)
{
	struct cs_schema_registry *registry;

	(void)state;
	assert_int_equal(cs_schema_registry_new(&registry), CS_OK);
	check(registry, "https://example.com/s/main.json", "1", CS_E_SCHEMA_UNKNOWN);
	add(registry, NULL,
		"{\"$id\":\"https://example.com/s/"
		"main.json\",\"properties\":{\"id\":{\"$ref\":\"common.json#/$defs/Id\"},"
		"\"n\":{\"$ref\":\"/s/./x/../common.json#num\"},\"self\":{\"$ref\":\"#\"},"
		"\"abs\":{\"$ref\":\"https://example.com/s/common.json#/%24defs/a%25~1\"},"
		"\"plain\":{\"$ref\":\"plain\"}},\"additionalProperties\":false}",
		CS_OK);
	/* What it refers to is not there yet. */
	check(registry, "https://example.com/s/main.json", "{}", CS_E_SCHEMA_UNSUPPORTED);
	add(registry, "common",
		"{\"$id\":\"https://example.com/s/"
		"common.json#\",\"$defs\":{\"Id\":{\"type\":\"string\"},"
		"\"n\":{\"$anchor\":\"num\",\"type\":\"number\"},\"a%/\":{\"const\":1},"
		"\"in\":{\"$id\":\"inner.json\",\"$defs\":{\"x\":{\"const\":2}},\"$ref\":\"#/$defs/"
		"x\"}}}",
		CS_OK);
	check(registry, "https://example.com/s/main.json", "{}", CS_E_SCHEMA_UNSUPPORTED);
	add(registry, "https://example.com/s/plain", "{\"const\":3}", CS_OK);

	check(registry, "https://example.com/s/main.json",
		"{\"id\":\"a\",\"n\":1,\"abs\":1,\"plain\":3}", CS_OK);
	check(registry, "https://example.com/s/main.json", "{\"self\":{\"self\":{\"n\":\"x\"}}}",
		CS_E_DOCUMENT_INVALID);
	check(registry, "https://example.com/s/main.json", "{\"id\":1}", CS_E_DOCUMENT_INVALID);
	check(registry, "https://example.com/s/main.json", "{\"abs\":2}", CS_E_DOCUMENT_INVALID);
	check(registry, "https://example.com/s/main.json", "{\"plain\":2}", CS_E_DOCUMENT_INVALID);
	/* Both names of a schema, its parts and an embedded resource. */
	check(registry, "common", "1", CS_OK);
	check(registry, "common#/$defs/Id", "1", CS_E_DOCUMENT_INVALID);
	check(registry, "common#num", "1", CS_OK);
	check(registry, "https://example.com/s/inner.json", "2", CS_OK);
	check(registry, "https://example.com/s/inner.json", "3", CS_E_DOCUMENT_INVALID);
	check(registry, "common#/$defs/in", "3", CS_E_DOCUMENT_INVALID);
	check(registry, "common#/$defs/none", "1", CS_E_SCHEMA_UNKNOWN);
	check(registry, "common#/%zz", "1", CS_E_SCHEMA_UNKNOWN);
	check(registry, "", "1", CS_E_SCHEMA_UNKNOWN);

	add(registry, "common", "{}", CS_E_EXISTS);
	add(registry, "other", "{\"$id\":\"https://example.com/s/main.json\"}", CS_E_EXISTS);
	add(registry, NULL, "{}", CS_E_SCHEMA_INVALID);
	add(registry, "", "{}", CS_E_SCHEMA_INVALID);
	add(registry, "a#b", "{}", CS_E_SCHEMA_INVALID);
	/* What was refused left nothing behind. */
	check(registry, "other", "1", CS_E_SCHEMA_UNKNOWN);
	check(registry, "https://example.com/s/main.json", "{}", CS_OK);
	/* One schema that is not supported stops the whole registry, again and again. */
	add(registry, "bad", "{\"unknown\":1}", CS_OK);
	check(registry, "common", "1", CS_E_SCHEMA_UNSUPPORTED);
	check(registry, "common", "1", CS_E_SCHEMA_UNSUPPORTED);
	cs_schema_registry_free(registry);
	cs_schema_registry_free(NULL);
}

static void test_formats(void **state)
{
	struct cs_schema_registry *registry;

	(void)state;
	assert_int_equal(cs_schema_registry_new(&registry), CS_OK);
	add(registry, "time", "{\"format\":\"date-time\"}", CS_OK);
	add(registry, "mail", "{\"format\":\"email\"}", CS_OK);
	check(registry, "time", "\"noon\"", CS_OK);
	cs_schema_assert_formats(registry, true);
	check(registry, "time", "\"noon\"", CS_E_DOCUMENT_INVALID);
	check(registry, "time", "\"2026-11-20T10:00:00Z\"", CS_OK);
	check(registry, "time", "12", CS_OK);
	check(registry, "mail", "\"nobody\"", CS_OK);
	cs_schema_registry_free(registry);
}

/* Numbers that a program made: whole reals, and integers beyond 2^53. */
static void test_numbers_by_value(void **state)
{
	static const struct {
		const char *schema;
		json_int_t integer; /* used when `real` is 0 */
		double real;
		enum cs_err err;
	} cases[] = {
		{"{\"const\":7}", 0, 7.0, CS_OK},
		{"{\"type\":\"integer\"}", 0, 7.0, CS_OK},
		{"{\"type\":\"integer\"}", 0, 7.25, CS_E_DOCUMENT_INVALID},
		{"{\"maximum\":9007199254740992}", INT64_C(9007199254740993), 0,
			CS_E_DOCUMENT_INVALID},
		{"{\"maximum\":1e19}", INT64_MAX, 0, CS_OK},
		{"{\"minimum\":1e19}", INT64_MAX, 0, CS_E_DOCUMENT_INVALID},
		{"{\"minimum\":-1e19}", INT64_MIN, 0, CS_OK},
		{"{\"maximum\":-0.5}", -1, 0, CS_OK},
		{"{\"minimum\":-0.5}", -1, 0, CS_E_DOCUMENT_INVALID},
		{"{\"maximum\":1}", 0, 1.0000000000000002, CS_E_DOCUMENT_INVALID},
		{"{\"multipleOf\":10}", 0, 1e22, CS_OK},
		{"{\"multipleOf\":3}", INT64_MIN, 0, CS_E_DOCUMENT_INVALID},
		{"{\"multipleOf\":2}", INT64_MIN, 0, CS_OK},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CS_CLEANUP_JSON json_t *doc = cases[i].real != 0 ? json_real(cases[i].real)
								 : json_integer(cases[i].integer);
		struct cs_schema_registry *registry;

		assert_int_equal(cs_schema_registry_new(&registry), CS_OK);
		add(registry, "case", cases[i].schema, CS_OK);
		if (cs_schema_validate(registry, "case", doc, NULL) != cases[i].err)
			fail_msg("case %zu: %s", i, cases[i].schema);
		cs_schema_registry_free(registry);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_assertions),
		cmocka_unit_test(test_refused_schemas),
		cmocka_unit_test(test_registry),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_numbers_by_value),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
