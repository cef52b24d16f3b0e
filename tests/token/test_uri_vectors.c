/*
 * The RFC 7512 cases that p11-kit publishes. What it refuses we refuse; what it accepts we accept,
 * except where one of our stricter rules speaks against it, and then for that reason. `argv[1]` is
 * the folder of the vectors.
 */
#include "pkcs11/uri.h"
#include "core/canonical.h"
#include "tests/fixture/vector_file.h"

#include <regex.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- our stricter rules, told from the text of the URI by other means than the parser's ---- */

static bool holds(const char *uri, const char *pattern)
{
	regex_t regex;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		abort();
	bool found = regexec(&regex, uri, 0, NULL, 0) == 0;
	regfree(&regex);
	return found;
}

#define START "(^pkcs11:|[;?&])"
#define KNOWN \
	"(token|manufacturer|model|serial|slot-id|slot-description|slot-manufacturer|library-" \
	"description|" \
	"library-manufacturer|library-version|object|id|type|module-path|module-name|pin-value|" \
	"pin-source)"

static const struct {
	const char *rule;
	const char *pattern; /* the URIs it refuses */
	const char *reason;  /* what the fault says */
} rules[] = {
	/* p11-kit ignores white space, and with it a line break in a setting. */
	{"white space", "[ \n\r\t]", "does not begin with|percent-encoded"},
	{"names nothing", "^(pkcs11|PKCS11):$", "names nothing"},
	{"PIN", START "pin-(value|source)=", "never comes through a URI"},
	{"named otherwise", START "(module-name|library-version)=", "not supported"},
	{"empty value", "=([;?&]|$)", "is empty"},
	{"relative module", "module-path=[^/]", "not an absolute path"},
	{"unknown type", START "type=(unknown|banana)([;?&]|$)", "unknown type"},
	{"too long", "=[^;?&]{33}", "too long"},
};

#define RULES (sizeof rules / sizeof *rules)

static unsigned met[RULES + 1];

/*
 * The rule that refuses a URI which p11-kit accepts; RULES for an unknown attribute; -1 when it is
 * to be accepted.
 */
static int rule_of(const char *uri)
{
	char text[CS_URI_MAX];
	char *rest = NULL;

	for (size_t i = 0; i < RULES; i++)
		if (holds(uri, rules[i].pattern))
			return (int)i;
	snprintf(text, sizeof text, "%s", uri + strlen("pkcs11:"));
	for (char *item = strtok_r(text, ";?&", &rest); item != NULL;
		item = strtok_r(NULL, ";?&", &rest))
		if (!holds(item, "^" KNOWN "="))
			return (int)RULES;
	return -1;
}

/* NULL when the verdict is the right one, else what is wrong. */
static const char *judge(const char *uri, bool published_ok, char *why, size_t size)
{
	struct cs_token_uri parsed;
	struct cs_fault fault = {0};
	enum cs_err err = cs_token_uri_parse(uri, 0, &parsed, &fault);

	snprintf(why, size, "%s: %s", cs_err_name(err), fault.detail);
	if (!published_ok)
		return err == CS_E_URI ? NULL : why;
	int rule = rule_of(uri);
	if (rule < 0)
		return err == CS_OK ? NULL : why;
	met[rule]++;
	return err == CS_E_URI && holds(fault.detail, rule < (int)RULES ? rules[rule].reason
									: "unknown attribute")
		       ? NULL
		       : why;
}

int main(int argc, char **argv)
{
	CS_CLEANUP_BYTES struct cs_bytes data = {0};
	CS_CLEANUP_JSON json_t *cases = NULL;
	struct cs_fault fault = {0};
	char folder[512];
	char why[512];
	unsigned failed = 0, refused = 0;
	size_t index;
	const json_t *item;

	if (sodium_init() < 0)
		return 1;
	if (!cs_test_folder(argc, argv, "pkcs11-uri", "pkcs11-uri", folder))
		return CS_TEST_SKIP;
	if (cs_test_file_read(folder, "parse-cases.json", &data) != CS_OK ||
		cs_json_read(data.data, data.len, data.len, &cases, &fault) != CS_OK ||
		!json_is_array(cases)) {
		printf("parse-cases.json: cannot be read %s\n", fault.detail);
		return 1;
	}
	json_array_foreach(cases, index, item)
	{
		const char *uri = cs_json_text(item, "uri");
		const char *result = cs_json_text(item, "result");
		const char *wrong = uri == NULL || result == NULL
					    ? "no uri or no result"
					    : judge(uri, strcmp(result, "P11_KIT_URI_OK") == 0, why,
						      sizeof why);
		if (wrong != NULL) {
			printf("case %zu '%s': %s\n", index, uri != NULL ? uri : "", wrong);
			failed++;
		}
	}
	/* A rule that no case meets would be an excuse for nothing. */
	for (size_t i = 0; i <= RULES; i++) {
		refused += met[i];
		if (met[i] == 0) {
			printf("no case for the rule '%s'\n",
				i < RULES ? rules[i].rule : "unknown attribute");
			failed++;
		}
	}
	printf("conformance pkcs11-uri: %zu cases, %u of them refused by stricter rules, %u "
	       "failed\n",
		json_array_size(cases), refused, failed);
	return failed == 0 && json_array_size(cases) > 0 ? 0 : 1;
}
