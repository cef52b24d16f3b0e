/*
 * The switch of the teeth build: CS_RULES_OFF names the rules that are off, comma separated. Linked into that build alone.
 */
#include "rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
#define CS_RULE_NAME(symbol, name) [symbol] = name,
	CS_RULES(CS_RULE_NAME)
#undef CS_RULE_NAME
};

static bool off[CS_RULE_COUNT];

static bool switch_off(const char *name, size_t len)
{
	for (size_t i = 0; i < CS_RULE_COUNT; i++)
		if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0)
			return off[i] = true;
	return false;
}

__attribute__((constructor)) static void read_switches(void)
{
	const char *list = getenv("CS_RULES_OFF");

	while (list != NULL && *list != '\0') {
		size_t len = strcspn(list, ",");
		if (!switch_off(list, len)) {
			fprintf(stderr, "CS_RULES_OFF: no rule '%.*s'\n", (int)len, list);
			exit(2);
		}
		list += len + (list[len] == ',');
	}
}

bool cs_rule_on(enum cs_rule rule)
{
	return !off[rule];
}
