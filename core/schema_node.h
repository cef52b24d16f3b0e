/*
 * JSON Schema, inside: a registry's schemas compiled into nodes, one for each subschema.
 *
 * A node borrows values from the schema's JSON, which the registry keeps alive as long as the
 * nodes. Nothing here is for use outside core/schema*.c.
 */
#ifndef CS_SCHEMA_NODE_H
#define CS_SCHEMA_NODE_H

#include "schema.h"
#include <countersign/limits.h>

/* Caps, so that a schema from a stranger costs bounded memory and time. */
#define CS_SCHEMA_URI_MAX 2048			/* bytes of an absolute URI with its fragment */
#define CS_SCHEMA_NODES_MAX 65536		/* subschemas in one registry */
#define CS_SCHEMA_PLACES_MAX (16 * 1024 * 1024) /* bytes of all their locations together */
#define CS_SCHEMA_CHAIN_MAX 128		  /* subschemas applied in place, one inside the other */
#define CS_SCHEMA_RUN_DEPTH_MAX 1024	  /* subschemas being applied at the same time */
#define CS_SCHEMA_RUN_STEPS_MAX 10000000u /* subschemas applied in one validation */
#define CS_SCHEMA_PATTERN_MAX 4096	  /* bytes of a pattern */
#define CS_SCHEMA_SUBJECT_MAX 65536	  /* bytes of a string that a pattern is tried on */
#define CS_SCHEMA_PATTERN_STEPS 200	  /* what one try costs of the run's steps */

enum cs_schema_type {
	CS_SCHEMA_NULL = 1,
	CS_SCHEMA_BOOLEAN = 2,
	CS_SCHEMA_INTEGER = 4,
	CS_SCHEMA_NUMBER = 8,
	CS_SCHEMA_STRING = 16,
	CS_SCHEMA_ARRAY = 32,
	CS_SCHEMA_OBJECT = 64,
};

struct cs_schema_pattern;

struct cs_schema_child {
	const char *name;		   /* member name, the pattern's text, or NULL in a list */
	struct cs_schema_pattern *pattern; /* patternProperties only; owned */
	struct cs_schema_node *node;
};

struct cs_schema_children {
	struct cs_schema_child *at;
	size_t count;
};

struct cs_schema_node {
	char *place;	     /* "URI#pointer", owned */
	size_t base_len;     /* bytes of URI in it */
	const char *keyword; /* the keyword that holds this subschema; static */
	bool never;	     /* the schema `false` */

	unsigned types; /* set of enum cs_schema_type, 0 without `type` */
	const json_t *constant, *enumeration;

	const json_t *multiple_of, *minimum, *maximum, *exclusive_minimum, *exclusive_maximum;

	size_t min_length, max_length;
	const char *pattern_text;
	struct cs_schema_pattern *pattern;
	bool date_time;

	size_t min_items, max_items, min_contains, max_contains;
	bool unique_items;
	struct cs_schema_children prefix_items;
	struct cs_schema_node *items, *contains;

	size_t min_properties, max_properties;
	const json_t *required, *dependent_required, *known; /* `known`: the JSON of `properties` */
	struct cs_schema_children properties, pattern_properties, dependent_schemas;
	struct cs_schema_node *additional_properties, *property_names;

	const char *reference; /* text of `$ref` */
	struct cs_schema_node *target;
	struct cs_schema_children all_of, any_of, one_of;
	struct cs_schema_node *not_node, *if_node, *then_node, *else_node;

	unsigned height; /* longest chain applied in place from here; 0 while unknown */
	bool visiting;
};

/* The compiled state of a registry; freed and rebuilt as a whole. */
struct cs_schema_program {
	struct cs_schema_node **nodes;
	size_t count, cap, place_bytes;
	json_t *places; /* "URI#pointer" and "URI#anchor" to the node's index */
};

struct cs_schema_source {
	char *base; /* absolute URI: the root's `$id`, or the name given */
	json_t *schema;
};

struct cs_schema_registry {
	struct cs_schema_source *sources;
	size_t count, cap;
	json_t *names; /* every name to the base it stands for */
	struct cs_schema_program program;
	bool compiled;
	bool formats;
};

/* ---- schema_uri.c ---- */

/*
 * Resolves `reference` against `base` (RFC 3986 section 5.2; the base may be relative or empty) and
 * appends the result, fragment included. CS_E_SCHEMA_INVALID when longer than CS_SCHEMA_URI_MAX,
 * CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_schema_uri_resolve(
	const char *base, const char *reference, struct cs_bytes *out);
/*
 * Appends the bytes behind the percent-encoding of a fragment. CS_E_SCHEMA_INVALID for a bad escape
 * or %00.
 */
CS_MUST_CHECK enum cs_err cs_schema_uri_decode(const char *fragment, struct cs_bytes *out);
/* Appends "/" and a key as one JSON pointer token (RFC 6901 section 3). */
enum cs_err cs_schema_pointer_add(struct cs_bytes *out, const char *key);

/* ---- schema_compile.c ---- */

/* Compiles one source and its subschemas into `program`. The errors of cs_schema_compile. */
CS_MUST_CHECK enum cs_err cs_schema_compile_source(struct cs_schema_program *program,
	const struct cs_schema_source *source, struct cs_fault *fault);
void cs_schema_program_clear(struct cs_schema_program *program);

/* ---- schema_link.c ---- */

/*
 * The node that `reference` means when it stands in a schema whose base is `base`; NULL when the
 * registry holds none. CS_E_SCHEMA_INVALID when it is not a usable reference, CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_schema_find(const struct cs_schema_registry *registry,
	const char *base, const char *reference, struct cs_schema_node **ret_node);
/*
 * Connects every `$ref`. CS_E_SCHEMA_UNSUPPORTED for one that leaves the registry or a chain longer
 * than CS_SCHEMA_CHAIN_MAX, CS_E_SCHEMA_INVALID for one that comes back to itself without looking
 * deeper into the document.
 */
CS_MUST_CHECK enum cs_err cs_schema_link(
	struct cs_schema_registry *registry, struct cs_fault *fault);

/* ---- schema_property.c, schema_regex.c, schema_pattern.c ---- */

#define CS_SCHEMA_PROPERTY_TEXT 64

/*
 * What PCRE2 calls a property that ECMA-262 writes as \p{name}: a general category, a script or one
 * of some binary properties. False when it is none of these.
 */
bool cs_schema_unicode_property(const char *name, char text[CS_SCHEMA_PROPERTY_TEXT]);

/*
 * Rewrites a pattern in the syntax of ECMA-262 (section 22.2.1, with the flag "u", which JSON
 * Schema recommends) for PCRE2 and appends it. Groups become non-capturing. CS_E_SCHEMA_INVALID:
 * not ECMA-262; CS_E_SCHEMA_UNSUPPORTED: valid there, but not available here (back references, some
 * properties). `*ret_why` is static text.
 */
CS_MUST_CHECK enum cs_err cs_schema_regex_translate(
	const char *text, size_t len, struct cs_bytes *out, const char **ret_why);

CS_MUST_CHECK enum cs_err cs_schema_pattern_new(
	const char *text, size_t len, struct cs_schema_pattern **ret_pattern, const char **ret_why);
void cs_schema_pattern_free(struct cs_schema_pattern *pattern);
/*
 * Searches anywhere in `subject`. CS_E_MATCH_LIMIT when it is longer than CS_SCHEMA_SUBJECT_MAX or
 * PCRE2 needs more steps, depth or memory than allowed; CS_E_JSON_UTF8; CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_schema_pattern_search(
	const struct cs_schema_pattern *pattern, const char *subject, size_t len, bool *ret_found);

/* ---- schema_format.c ---- */

/*
 * `date-time` of RFC 3339 section 5.6 in full: lower case t and z, any offset, any number of digits
 * of fraction, and second 60 in the last minute (UTC) of a month only.
 */
bool cs_schema_is_date_time(const char *text, size_t len);

/* ---- schema_value.c ---- */

/* False for NaN and the infinities. */
bool cs_schema_is_integral(double real);
/*
 * Types of a value: an integral number is CS_SCHEMA_INTEGER | CS_SCHEMA_NUMBER, however jansson
 * holds it.
 */
unsigned cs_schema_types_of(const json_t *value);
/* Equality by value: 1 equals 1.0, objects without order. False beyond CS_JSON_DEPTH_MAX levels. */
bool cs_schema_equal(const json_t *a, const json_t *b);
/* -1, 0 or 1 of two numbers, exactly. */
int cs_schema_compare_numbers(const json_t *a, const json_t *b);
/*
 * True when `value` is an integer times `of` (which is above 0), in the decimal digits that both
 * are printed with.
 */
CS_MUST_CHECK enum cs_err cs_schema_is_multiple(
	const json_t *value, const json_t *of, bool *ret_multiple);
/*
 * True when no two elements are equal; by sorted canonical forms. CS_E_NOMEM and the errors of
 * cs_canonical_print.
 */
CS_MUST_CHECK enum cs_err cs_schema_all_unique(const json_t *array, bool *ret_unique);

/* ---- schema_validate.c ---- */

CS_MUST_CHECK enum cs_err cs_schema_run(
	const struct cs_schema_node *root, bool formats, const json_t *doc, struct cs_fault *fault);

#endif
