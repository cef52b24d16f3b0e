/*
 * The named checks of the seven engines, and what the engines share.
 *
 * Every check is made in every run, in this order, so that one answer lists everything missing.
 * Names and reason codes are stable: docs/reason-codes.md lists them for people, and records carry
 * them for years.
 */
#ifndef CS_GATE_CHECKS_H
#define CS_GATE_CHECKS_H

#include "gate.h"

/* X(symbol, engine, name) */
#define CS_CHECKS(X) \
	X(CS_CHECK_ACTOR_DECLARED, "entity", "actor_declared") \
	X(CS_CHECK_ACTOR_REGISTERED, "entity", "actor_registered") \
	X(CS_CHECK_ACTOR_ACTIVE, "entity", "actor_active") \
	X(CS_CHECK_CALLER, "entity", "caller_speaks_for_actor") \
	X(CS_CHECK_REQUESTER, "entity", "requester_is_principal") \
	X(CS_CHECK_GRANT_CLASS, "authority", "grant_for_class") \
	X(CS_CHECK_GRANT_WINDOW, "authority", "grant_in_window") \
	X(CS_CHECK_GRANT_REVOKED, "authority", "grant_not_revoked") \
	X(CS_CHECK_GRANT_UPSTREAM, "authority", "grant_upstream_active") \
	X(CS_CHECK_DELEGATION, "authority", "delegation_chain") \
	X(CS_CHECK_DELEGATION_APPROVAL, "authority", "delegation_approval") \
	X(CS_CHECK_PURPOSE_FOUND, "purpose", "purpose_grant_found") \
	X(CS_CHECK_PRINCIPAL_MATCHES, "purpose", "principal_matches") \
	X(CS_CHECK_GRANTEE_MATCHES, "purpose", "grantee_matches") \
	X(CS_CHECK_PURPOSE_MATCHES, "purpose", "purpose_matches") \
	X(CS_CHECK_ACTION_IN_SCOPE, "purpose", "action_in_scope") \
	X(CS_CHECK_RESOURCE_IN_SCOPE, "purpose", "resource_in_scope") \
	X(CS_CHECK_DATA_CLASS_IN_SCOPE, "purpose", "data_class_in_scope") \
	X(CS_CHECK_WITHIN_TIME_WINDOW, "purpose", "within_time_window") \
	X(CS_CHECK_WITHIN_JURISDICTION, "purpose", "within_jurisdiction") \
	X(CS_CHECK_WITHIN_RATE_CAP, "purpose", "within_rate_cap") \
	X(CS_CHECK_NOT_REVOKED, "purpose", "not_revoked") \
	X(CS_CHECK_SIGNATURE_VALID, "purpose", "signature_valid") \
	X(CS_CHECK_DUAL_CONTROL, "purpose", "dual_control_satisfied") \
	X(CS_CHECK_RESTRICTIONS, "purpose", "restrictions_understood") \
	X(CS_CHECK_RESOURCE_DECLARED, "scope", "resource_declared") \
	X(CS_CHECK_RESOURCE_KNOWN, "scope", "resource_known") \
	X(CS_CHECK_CAPABILITY_DECLARED, "scope", "capability_declared") \
	X(CS_CHECK_RESOURCE_GRANTED, "scope", "resource_granted") \
	X(CS_CHECK_TARGET, "scope", "target_matches_resource") \
	X(CS_CHECK_JURISDICTION, "scope", "jurisdiction_granted") \
	X(CS_CHECK_ROLLBACK_TARGET, "scope", "rollback_same_target") \
	X(CS_CHECK_OPEN, "state", "action_open") \
	X(CS_CHECK_PRINCIPAL_ACTIVE, "state", "principal_active") \
	X(CS_CHECK_DELEGATOR_ACTIVE, "state", "delegator_active") \
	X(CS_CHECK_POLICY_IN_FORCE, "state", "policy_in_force") \
	X(CS_CHECK_CLASS, "rules", "action_class_known") \
	X(CS_CHECK_LEVEL, "rules", "level_permits_proposal") \
	X(CS_CHECK_DUE_DILIGENCE, "rules", "due_diligence_present") \
	X(CS_CHECK_IMPACT, "rules", "impact_stated") \
	X(CS_CHECK_BLAST_RADIUS, "rules", "blast_radius_stated") \
	X(CS_CHECK_SCREENS_PRESENT, "rules", "screens_present") \
	X(CS_CHECK_SCREENS_PASSED, "rules", "screens_passed") \
	X(CS_CHECK_SCREENS_FRESH, "rules", "screens_fresh") \
	X(CS_CHECK_SCREENS_INDEPENDENT, "rules", "screens_independent") \
	X(CS_CHECK_ROLLBACK_PLAN, "rules", "rollback_plan_present") \
	X(CS_CHECK_ROLLBACK_TESTED, "rules", "rollback_plan_tested") \
	X(CS_CHECK_ROLLBACK_EXECUTION, "rules", "rollback_execution_present") \
	X(CS_CHECK_VARIABLES, "rules", "environment_variables_allowed") \
	X(CS_CHECK_NO_REJECTION, "decision", "no_rejection") \
	X(CS_CHECK_APPROVALS_CURRENT, "decision", "approvals_current") \
	X(CS_CHECK_APPROVALS_FIT, "decision", "approvals_fit") \
	X(CS_CHECK_QUORUM, "decision", "quorum")

enum cs_check {
#define CS_CHECK_SYMBOL(symbol, engine, name) symbol,
	CS_CHECKS(CS_CHECK_SYMBOL)
#undef CS_CHECK_SYMBOL
	CS_CHECK_COUNT
};

#define CS_CHAIN_MAX 8 /* delegations between the actor and a named person */

/* How far up the delegations lead. */
struct cs_chain {
	size_t count;
	const json_t *links[CS_CHAIN_MAX]; /* from the actor's own upwards; borrowed */
	const json_t *person;		   /* extract of who is at the end, NULL when nobody */
};

/*
 * One run: what the caller gave, what is derived from it once, and the checks so far. Borrowed
 * throughout but `list`.
 */
struct cs_gate {
	const struct cs_gate_input *input;
	const char *actor;	/* purpose_request.actor */
	const char *capability; /* proposed_action.requested_capability */
	const char *resource;	/* execution.target.resource */
	bool class_known;
	enum cs_err class_error;       /* why not */
	struct cs_oversight oversight; /* when class_known */
	const json_t *grant;	       /* authority grant that gets furthest, or NULL */
	const json_t *purpose;	       /* the claimed purpose grant, or NULL */
	struct cs_chain chain;
	const char *ended; /* reason code of how the action ended, NULL while it is open */
	const json_t *slots[CS_SLOTS_MAX]; /* extract of the approval in each slot, or NULL */
	size_t slots_open;
	json_t *list;
	enum cs_check next;		   /* the check that comes next */
	const char *first_reason;	   /* reason code of the first failed check, or NULL */
	bool out_of_order;		   /* an engine left a check out */
	bool out_of_memory;		   /* a check could not be recorded */
};

/*
 * Records one check. `code` is the reason when it failed; a check that passed has the code "ok".
 * `fmt` says with the values what was compared. Returns `passed`.
 */
bool cs_check(struct cs_gate *gate, enum cs_check check, bool passed, const char *code,
	const char *fmt, ...) CS_PRINTF(5, 6);
const char *cs_check_engine(enum cs_check check);
const char *cs_check_name(enum cs_check check);

/* "none" for NULL, so that a detail can always be printed. */
const char *cs_shown(const char *text);

/*
 * CS_OK when every check so far was recorded and `next` is the one that comes now; CS_E_NOMEM,
 * CS_E_INTERNAL.
 */
CS_MUST_CHECK enum cs_err cs_gate_recorded(const struct cs_gate *gate, enum cs_check next);

/*
 * Fills `gate` with what the engines share. CS_E_NOMEM, CS_E_INTERNAL. The caller frees gate->list.
 */
CS_MUST_CHECK enum cs_err cs_gate_prepare(const struct cs_gate_input *input, struct cs_gate *gate);

void cs_gate_entity(struct cs_gate *gate);
void cs_gate_authority(struct cs_gate *gate);
void cs_gate_purpose(struct cs_gate *gate);
void cs_gate_scope(struct cs_gate *gate);
void cs_gate_state(struct cs_gate *gate);
void cs_gate_rules(struct cs_gate *gate);
void cs_gate_decide(struct cs_gate *gate);
/* The record from a gate through which all engines went. CS_E_NOMEM, CS_E_INTERNAL. */
CS_MUST_CHECK enum cs_err cs_gate_record(struct cs_gate *gate, json_t **ret_decision);

/* Finds the grant and the way up; authority.c. */
const json_t *cs_gate_best_grant(const struct cs_gate *gate);
void cs_gate_walk(const struct cs_gate *gate, struct cs_chain *ret_chain);

/*
 * Whether a list of identifiers covers one: the identifier itself, or one that it continues after a
 * ':'.
 */
bool cs_covers(const json_t *list, const char *id);
/*
 * not_before <= now < not_after; a bound that is absent or null is open, one that is no time
 * closes.
 */
bool cs_in_window(const json_t *not_before, const json_t *not_after, cs_time now);
/*
 * The weekly window of a purpose grant (a subset of RFC 5545 section 3.3.10): FREQ=WEEKLY with
 * BYDAY and BYHOUR, in UTC.
 */
enum cs_weekly { CS_WEEKLY_INSIDE, CS_WEEKLY_OUTSIDE, CS_WEEKLY_UNKNOWN };
enum cs_weekly cs_weekly_window(const char *rule, cs_time now);

#endif
