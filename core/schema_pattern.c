#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "schema_node.h"

#include <stdlib.h>

#define MATCH_LIMIT 200000 /* backtracking steps from one place of the subject */
#define DEPTH_LIMIT 100000 /* nested backtracking */
#define HEAP_LIMIT_KIB (16 * 1024)

struct cs_schema_pattern {
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *limits;
};

static enum cs_err compile(
	struct cs_schema_pattern *pattern, const struct cs_bytes *text, const char **ret_why)
{
	int error;
	PCRE2_SIZE where;

	/* Without PCRE2_UCP: \b then means ASCII words, as in ECMA-262; \p works all the same. */
	pattern->code = pcre2_compile(text->data != NULL ? text->data : (PCRE2_SPTR) "", text->len,
		PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE,
		&error, &where, NULL);
	if (pattern->code == NULL) {
		switch (error) {
		case PCRE2_ERROR_HEAP_FAILED:
			return CS_E_NOMEM;
		case PCRE2_ERROR_QUANTIFIER_OUT_OF_ORDER:
			*ret_why = "a quantifier out of order";
			return CS_E_SCHEMA_INVALID;
		case PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH:
			*ret_why = "a lookbehind of no fixed length";
			return CS_E_SCHEMA_UNSUPPORTED;
		case PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY:
			*ret_why = "an unknown Unicode property";
			return CS_E_SCHEMA_UNSUPPORTED;
		default:
			*ret_why = "a pattern beyond the limits";
			return CS_E_SCHEMA_UNSUPPORTED;
		}
	}
	pattern->match = pcre2_match_data_create(1, NULL);
	pattern->limits = pcre2_match_context_create(NULL);
	if (pattern->match == NULL || pattern->limits == NULL)
		return CS_E_NOMEM;
	(void)pcre2_set_match_limit(pattern->limits, MATCH_LIMIT);
	(void)pcre2_set_depth_limit(pattern->limits, DEPTH_LIMIT);
	(void)pcre2_set_heap_limit(pattern->limits, HEAP_LIMIT_KIB);
	return CS_OK;
}

enum cs_err cs_schema_pattern_new(
	const char *text, size_t len, struct cs_schema_pattern **ret_pattern, const char **ret_why)
{
	CS_CLEANUP_BYTES struct cs_bytes translated = {0};
	struct cs_schema_pattern *pattern;
	enum cs_err err;

	if (len > CS_SCHEMA_PATTERN_MAX) {
		*ret_why = "a pattern beyond the limits";
		return CS_E_SCHEMA_UNSUPPORTED;
	}
	err = cs_schema_regex_translate(text, len, &translated, ret_why);
	if (err != CS_OK)
		return err;
	pattern = calloc(1, sizeof *pattern);
	if (pattern == NULL)
		return CS_E_NOMEM;
	err = compile(pattern, &translated, ret_why);
	if (err != CS_OK) {
		cs_schema_pattern_free(pattern);
		return err;
	}
	*ret_pattern = pattern;
	return CS_OK;
}

void cs_schema_pattern_free(struct cs_schema_pattern *pattern)
{
	if (pattern == NULL)
		return;
	pcre2_match_context_free(pattern->limits);
	pcre2_match_data_free(pattern->match);
	pcre2_code_free(pattern->code);
	free(pattern);
}

enum cs_err cs_schema_pattern_search(
	const struct cs_schema_pattern *pattern, const char *subject, size_t len, bool *ret_found)
{
	int rc;

	if (len > CS_SCHEMA_SUBJECT_MAX)
		return CS_E_MATCH_LIMIT;
	rc = pcre2_match(
		pattern->code, (PCRE2_SPTR)subject, len, 0, 0, pattern->match, pattern->limits);
	if (rc >= 0 || rc == PCRE2_ERROR_NOMATCH) {
		*ret_found = rc >= 0;
		return CS_OK;
	}
	switch (rc) {
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
	case PCRE2_ERROR_HEAPLIMIT:
		return CS_E_MATCH_LIMIT;
	case PCRE2_ERROR_NOMEMORY:
		return CS_E_NOMEM;
	default:
		/* What is left are the many codes for a subject that is not UTF-8. */
		return CS_E_JSON_UTF8;
	}
}
