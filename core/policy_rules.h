/*
 * Policies, inside. For core/policy*.c alone.
 */
#ifndef CS_POLICY_RULES_H
#define CS_POLICY_RULES_H

#include "policy.h"

/*
 * A pattern of `executables[].arguments` (PCRE2, UTF, anchored at both ends, without \C and with
 * match limits) on one argument. CS_OK with `ret_matches` false also when a limit is exceeded;
 * CS_E_POLICY when the pattern does not compile: then PCRE2's reason stands in `ret_why`, the
 * caller's buffer of `why_size` bytes (may be NULL). CS_E_NOMEM.
 */
CS_MUST_CHECK enum cs_err cs_pattern_match(const char *pattern, const char *argument,
	bool *ret_matches, char *ret_why, size_t why_size);

/*
 * policy_interpreter.c: a shell, an interpreter or a program whose work is to run another one, by
 * the last part of its path.
 */
bool cs_is_interpreter(const char *executable);

#endif
