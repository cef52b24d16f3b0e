/*
 * Command lines of the programs that people run: a subcommand, long options, operands.
 *
 * An option is `--name`, or `--name VALUE` and `--name=VALUE`; `--` ends the options. Options and
 * operands may be mixed. Each program has one table of subcommands; what is not in it is refused.
 */
#ifndef CS_ARGUMENTS_H
#define CS_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <countersign/error.h>

#define CS_GIVEN_MAX 64 /* options on one command line */
#define CS_OPERANDS_MAX 8

#define CS_OPTION_VALUE 1u  /* takes a value, which must not be empty */
#define CS_OPTION_NEEDED 2u /* must be there */
#define CS_OPTION_MANY 4u   /* may be given more than once */

struct cs_option {
	const char *name; /* without the dashes; NULL ends a list */
	unsigned flags;
};

/* Exit statuses; every program keeps to them. */
enum cs_exit {
	CS_EXIT_DONE = 0,	 /* done, or allowed */
	CS_EXIT_REFUSED = 1,	 /* refused, not verified, or a file that is not what it must be */
	CS_EXIT_USAGE = 2,	 /* wrong usage, or a file that cannot be read */
	CS_EXIT_UNAVAILABLE = 3, /* service or token unavailable: try again */
	CS_EXIT_UNSUPPORTED = 4,
	CS_EXIT_WAITING = 5, /* still waiting */
	CS_EXIT_ENDED = 6,   /* expired or withdrawn */
};

struct cs_given {
	const char *name;
	const char *value; /* NULL for an option without one */
};

struct cs_subcommand;

struct cs_call {
	const struct cs_subcommand *subcommand;
	size_t given_count;
	struct cs_given given[CS_GIVEN_MAX];
	size_t operand_count;
	const char *operand[CS_OPERANDS_MAX];
	bool json;   /* `--json` was given */
	int exit;    /* status after CS_OK; CS_EXIT_DONE unless the subcommand says otherwise */
	int failure; /* status after an error, when not 0; else cs_exit_of() decides */
};

struct cs_subcommand {
	const char *name;     /* one word, or two with a space between */
	const char *synopsis; /* what follows the name in the usage text */
	const struct cs_option *options;
	size_t least; /* operands */
	size_t most;
	/* Prints its result itself, once; an error it only returns. */
	enum cs_err (*run)(struct cs_call *call, struct cs_fault *fault);
};

/* The option's value, or NULL when it was not given. */
const char *cs_call_value(const struct cs_call *call, const char *name);
/* The n-th value (from 0) of an option that may be repeated; NULL past the last. */
const char *cs_call_nth(const struct cs_call *call, const char *name, size_t n);
bool cs_call_has(const struct cs_call *call, const char *name);

/*
 * Finds the subcommand in `table` (ended by name NULL) and reads its options. `everywhere` (may
 * be NULL) are options that each subcommand takes besides its own, and that may stand before its
 * name. CS_E_USAGE with the reason.
 */
CS_MUST_CHECK enum cs_err cs_call_parse(const struct cs_subcommand *table,
	const struct cs_option *everywhere, int argc, char *const *argv, struct cs_call *ret_call,
	struct cs_fault *fault);

/*
 * A whole program: libsodium first, SIGPIPE ignored (a peer or PKCS#11 server that dies is an
 * error, not a death), parse, run, report. `--help` prints the usage of every subcommand. Gives
 * the exit status.
 */
int cs_program(const char *name, const struct cs_subcommand *table,
	const struct cs_option *everywhere, int argc, char *const *argv);

#endif
