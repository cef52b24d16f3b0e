/*
 * The executable rule: only a command that the class describes, argument for argument, keeps the
 * class's reversibility.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "policy_rules.h"

#include <string.h>

#define MATCH_LIMIT 100000
#define DEPTH_LIMIT 1000
#define HEAP_LIMIT_KIB 4096

static enum cs_err run(const pcre2_code *code, const char *argument, bool *ret_matches)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	pcre2_match_context *limits = pcre2_match_context_create(NULL);
	enum cs_err err = CS_E_NOMEM;

	if (data != NULL && limits != NULL) {
		pcre2_set_match_limit(limits, MATCH_LIMIT);
		pcre2_set_depth_limit(limits, DEPTH_LIMIT);
		pcre2_set_heap_limit(limits, HEAP_LIMIT_KIB);
		/*
		 * A limit that is exceeded and a subject that is no UTF-8 are negative too: no
		 * match.
		 */
		int rc = pcre2_match(
			code, (PCRE2_SPTR)argument, strlen(argument), 0, 0, data, limits);
		*ret_matches = rc >= 0;
		err = CS_OK;
	}
	pcre2_match_context_free(limits);
	pcre2_match_data_free(data);
	return err;
}

enum cs_err cs_pattern_match(const char *pattern, const char *argument, bool *ret_matches,
	char *ret_why, size_t why_size)
{
	int number;
	PCRE2_SIZE offset;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, strlen(pattern),
		PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY |
			PCRE2_NEVER_BACKSLASH_C,
		&number, &offset, NULL);
	enum cs_err err;

	if (code == NULL) {
		if (ret_why != NULL && why_size > 0 &&
			pcre2_get_error_message(number, (PCRE2_UCHAR *)ret_why, why_size) < 0)
			ret_why[0] = '\0';
		return number == PCRE2_ERROR_HEAP_FAILED ? CS_E_NOMEM : CS_E_POLICY;
	}
	err = run(code, argument, ret_matches);
	pcre2_code_free(code);
	return err;
}

/* Appends `text` so that a pattern matches it and nothing else. */
static void quote(const char *text, struct cs_bytes *out)
{
	for (; *text != '\0'; text++) {
		bool plain = (*text >= '0' && *text <= '9') || (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z') ||
			(unsigned char)*text >= 0x80;
		if (!plain)
			cs_bytes_add(out, "\\", 1);
		cs_bytes_add(out, text, 1);
	}
}

/*
 * `{service}` and `{environment}` in a pattern stand for what the execution says it is aimed at: authority and roles are judged on the target, so
 * the command must be about the same one.
 */
static enum cs_err expand(const char *pattern, const json_t *target, struct cs_bytes *out)
{
	static const char *const members[] = {"service", "environment"};

	while (*pattern != '\0') {
		size_t skip = 0;
		for (size_t i = 0; skip == 0 && i < sizeof members / sizeof members[0]; i++) {
			size_t len = strlen(members[i]);
			const char *value = cs_json_text(target, members[i]);
			if (pattern[0] != '{' || strncmp(pattern + 1, members[i], len) != 0 || pattern[len + 1] != '}')
				continue;
			if (value == NULL)
				return CS_E_NOT_FOUND;
			quote(value, out);
			skip = len + 2;
		}
		if (skip == 0) {
			cs_bytes_add(out, pattern, 1);
			skip = 1;
		}
		pattern += skip;
	}
	return cs_bytes_check(out);
}

static bool matches(const char *pattern, const json_t *target, const char *text)
{
	CS_CLEANUP_BYTES struct cs_bytes expanded = {0};
	bool found = false;

	if (expand(pattern, target, &expanded) != CS_OK)
		return false;
	return cs_pattern_match(expanded.data != NULL ? (const char *)expanded.data : "", text, &found, NULL, 0) == CS_OK && found;
}

static bool matches_all(const json_t *patterns, const json_t *arguments, const json_t *target)
{
	if (json_array_size(patterns) != json_array_size(arguments))
		return false;
	for (size_t i = 0; i < json_array_size(patterns); i++) {
		const json_t *argument = json_array_get(arguments, i);
		const char *pattern = json_string_value(json_array_get(patterns, i)),
			   *text = json_string_value(argument);
		if (pattern == NULL || text == NULL || strlen(text) != json_string_length(argument))
			return false;
		if (!matches(pattern, target, text))
			return false;
	}
	return true;
}

/* Listed by its last part or by its whole path. */
static bool listed(const json_t *interpreters, const char *executable)
{
	return cs_json_has_text(interpreters, executable) ||
	       cs_json_has_text(interpreters, strrchr(executable, '/') + 1);
}

/* Absolute, and the same file under no other spelling. */
static bool plain_path(const char *path)
{
	if (path[0] != '/' || strstr(path, "//") != NULL || strstr(path, "/./") != NULL ||
		strstr(path, "/../") != NULL)
		return false;
	const char *last = strrchr(path, '/') + 1;
	return last[0] != '\0' && strcmp(last, ".") != 0 && strcmp(last, "..") != 0;
}

/* A variable such as LD_PRELOAD or PATH makes another command of the same words. */
static bool variables_listed(const json_t *names, const json_t *execution)
{
	const char *name;
	json_t *value;

	json_object_foreach(
		(json_t *)(uintptr_t)json_object_get(execution, "environment_variables"), name,
		value) if (!cs_json_has_text(names, name)) return false;
	return true;
}

/* One of the commands of a list, argument for argument. */
static bool described(const json_t *commands, const char *executable, const json_t *execution)
{
	const json_t *command;
	size_t i;

	json_array_foreach(commands, i, command) {
		const char *path = cs_json_text(command, "path");
		if (path != NULL && strcmp(path, executable) == 0 &&
			matches_all(json_object_get(command, "arguments"), json_object_get(execution, "arguments"),
				json_object_get(execution, "target")))
			return true;
	}
	return false;
}

/* An executable that the class may run at all, whatever its arguments: named plainly, no interpreter, no variable that makes it another command. */
static bool harmless(const struct cs_policy *policy, const char *executable, const json_t *execution)
{
	const json_t *document = cs_policy_document(policy);

	return executable != NULL && json_is_array(json_object_get(execution, "arguments")) && plain_path(executable) &&
		!cs_is_interpreter(executable) && !listed(json_object_get(document, "interpreters"), executable) &&
		variables_listed(json_object_get(document, "environment_variables"), execution);
}

enum cs_change_class cs_policy_executable_rule(
	const struct cs_policy *policy, const json_t *action_class, const json_t *execution)
{
	const char *executable = cs_json_text(execution, "executable");

	if (harmless(policy, executable, execution) &&
		described(json_object_get(action_class, "executables"), executable, execution))
		return CS_CHANGE_REVERSIBLE;
	return CS_CHANGE_IRREVERSIBLE;
}

enum cs_change_class cs_policy_rollback_rule(
	const struct cs_policy *policy, const json_t *action_class, const json_t *rollback)
{
	const char *executable = cs_json_text(rollback, "executable");

	if (!json_is_object(rollback))
		return CS_CHANGE_REVERSIBLE;
	if (harmless(policy, executable, rollback) &&
		(described(json_object_get(action_class, "executables"), executable, rollback) ||
			described(json_object_get(action_class, "rollbacks"), executable, rollback)))
		return CS_CHANGE_REVERSIBLE;
	return CS_CHANGE_IRREVERSIBLE;
}
