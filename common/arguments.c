#include "arguments.h"
#include "report.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

const char *cs_call_nth(const struct cs_call *call, const char *name, size_t n)
{
	for (size_t i = 0; i < call->given_count; i++)
		if (strcmp(call->given[i].name, name) == 0 && n-- == 0)
			return call->given[i].value;
	return NULL;
}

const char *cs_call_value(const struct cs_call *call, const char *name)
{
	return cs_call_nth(call, name, 0);
}

bool cs_call_has(const struct cs_call *call, const char *name)
{
	for (size_t i = 0; i < call->given_count; i++)
		if (strcmp(call->given[i].name, name) == 0)
			return true;
	return false;
}

static const struct cs_option *find_option(
	const struct cs_option *list, const char *name, size_t len)
{
	for (; list != NULL && list->name != NULL; list++)
		if (strlen(list->name) == len && memcmp(list->name, name, len) == 0)
			return list;
	return NULL;
}

/* Reads the option at argv[*at], which begins with two dashes, and steps over it and its value. */
static enum cs_err read_option(const struct cs_option *own, const struct cs_option *everywhere,
	int argc, char *const *argv, int *at, struct cs_call *call, struct cs_fault *fault)
{
	const char *text = argv[(*at)++] + 2;
	const char *equals = strchr(text, '=');
	size_t len = equals != NULL ? (size_t)(equals - text) : strlen(text);
	const struct cs_option *option = find_option(own, text, len);
	const char *value = equals != NULL ? equals + 1 : NULL;

	if (option == NULL)
		option = find_option(everywhere, text, len);
	if (option == NULL)
		return cs_fault_set(fault, CS_E_USAGE, "", "unknown option --%.*s",
			(int)(len > 64 ? 64 : len), text);
	if (!(option->flags & CS_OPTION_MANY) && cs_call_has(call, option->name))
		return cs_fault_set(fault, CS_E_USAGE, "", "--%s is given twice", option->name);
	if (!(option->flags & CS_OPTION_VALUE) && value != NULL)
		return cs_fault_set(fault, CS_E_USAGE, "", "--%s takes no value", option->name);
	if ((option->flags & CS_OPTION_VALUE) && value == NULL && *at < argc)
		value = argv[(*at)++];
	if ((option->flags & CS_OPTION_VALUE) && (value == NULL || value[0] == '\0'))
		return cs_fault_set(fault, CS_E_USAGE, "", "--%s needs a value", option->name);
	if (call->given_count == CS_GIVEN_MAX)
		return cs_fault_set(fault, CS_E_USAGE, "", "more than %d options", CS_GIVEN_MAX);
	call->given[call->given_count].name = option->name;
	call->given[call->given_count++].value = value;
	return CS_OK;
}

static bool is_option(const char *text)
{
	return text[0] == '-' && text[1] == '-' && text[2] != '\0';
}

/* How many of the words at argv[at] are the name, 0 when they are not. */
static int match_name(const char *name, int argc, char *const *argv, int at)
{
	const char *space = strchr(name, ' ');

	if (space == NULL)
		return strcmp(name, argv[at]) == 0 ? 1 : 0;
	size_t len = (size_t)(space - name);
	if (strlen(argv[at]) != len || memcmp(argv[at], name, len) != 0)
		return 0;
	return at + 1 < argc && strcmp(argv[at + 1], space + 1) == 0 ? 2 : 0;
}

static enum cs_err read_rest(const struct cs_option *everywhere, int argc, char *const *argv,
	int at, struct cs_call *call, struct cs_fault *fault)
{
	const struct cs_subcommand *sub = call->subcommand;
	bool options = true;

	while (at < argc) {
		if (options && strcmp(argv[at], "--") == 0) {
			options = false;
			at++;
		} else if (options && is_option(argv[at])) {
			enum cs_err err =
				read_option(sub->options, everywhere, argc, argv, &at, call, fault);
			if (err != CS_OK)
				return err;
		} else if (options && argv[at][0] == '-' && argv[at][1] != '\0') {
			return cs_fault_set(
				fault, CS_E_USAGE, "", "unknown option %.64s", argv[at]);
		} else if (call->operand_count == sub->most) {
			return cs_fault_set(
				fault, CS_E_USAGE, "", "one argument too many: '%.64s'", argv[at]);
		} else {
			call->operand[call->operand_count++] = argv[at++];
		}
	}
	if (call->operand_count < sub->least)
		return cs_fault_set(fault, CS_E_USAGE, "", "an argument is missing; usage: %s %s",
			sub->name, sub->synopsis);
	for (const struct cs_option *o = sub->options; o != NULL && o->name != NULL; o++)
		if ((o->flags & CS_OPTION_NEEDED) && !cs_call_has(call, o->name))
			return cs_fault_set(fault, CS_E_USAGE, "", "--%s is missing; usage: %s %s",
				o->name, sub->name, sub->synopsis);
	return CS_OK;
}

enum cs_err cs_call_parse(const struct cs_subcommand *table, const struct cs_option *everywhere,
	int argc, char *const *argv, struct cs_call *ret_call, struct cs_fault *fault)
{
	struct cs_call call = {0};
	enum cs_err err;
	int at = 1;

	while (at < argc && is_option(argv[at])) {
		err = read_option(NULL, everywhere, argc, argv, &at, &call, fault);
		if (err != CS_OK)
			return err;
	}
	if (at == argc)
		return cs_fault_set(fault, CS_E_USAGE, "", "no subcommand; --help lists them");
	for (const struct cs_subcommand *sub = table; sub->name != NULL; sub++) {
		int words = match_name(sub->name, argc, argv, at);
		if (words == 0)
			continue;
		call.subcommand = sub;
		at += words;
		break;
	}
	if (call.subcommand == NULL)
		return cs_fault_set(fault, CS_E_USAGE, "",
			"unknown subcommand '%.64s'; --help lists them", argv[at]);
	err = read_rest(everywhere, argc, argv, at, &call, fault);
	if (err != CS_OK)
		return err;
	call.json = cs_call_has(&call, "json");
	*ret_call = call;
	return CS_OK;
}

static bool asks_for_help(int argc, char *const *argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0)
			return true;
	return false;
}

static bool asks_for_json(int argc, char *const *argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

static enum cs_err help(
	const char *program, const struct cs_subcommand *table, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};

	for (const struct cs_subcommand *sub = table; sub->name != NULL; sub++)
		cs_bytes_addf(&text, "%s %s%s%s\n", program, sub->name,
			sub->synopsis[0] != '\0' ? " " : "", sub->synopsis);
	return cs_report_write(&text, fault);
}

int cs_program(const char *name, const struct cs_subcommand *table,
	const struct cs_option *everywhere, int argc, char *const *argv)
{
	struct cs_fault fault = {0};
	struct cs_call call = {0};
	bool parsed = false;
	enum cs_err err;

	if (sodium_init() < 0)
		err = cs_fault_set(&fault, CS_E_INTERNAL, "", "libsodium does not start");
	else if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		err = cs_fault_set(&fault, CS_E_INTERNAL, "", "cannot ignore SIGPIPE");
	else if (asks_for_help(argc, argv))
		err = help(name, table, &fault);
	else
		err = cs_call_parse(table, everywhere, argc, argv, &call, &fault);
	if (err == CS_OK && call.subcommand != NULL) {
		parsed = true;
		err = call.subcommand->run(&call, &fault);
	}
	if (err == CS_OK)
		return call.exit;
	cs_report_error(err, &fault, parsed ? call.json : asks_for_json(argc, argv));
	return call.failure != 0 ? call.failure : cs_exit_of(err);
}
