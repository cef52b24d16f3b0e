/*
 * The security rules that can be switched off in the teeth build, to show that a test notices.
 *
 * In every other build cs_rule_on() is the constant true and the list leaves no trace in the
 * program. Each rule names one check, which may stand at several places; `make check` shows that
 * a test fails when it is switched off.
 */
#ifndef CS_RULE_H
#define CS_RULE_H

#include <stdbool.h>

/* X(symbol, name as the teeth build takes it in CS_RULES_OFF, comma separated) */
#define CS_RULES(X) \
	/* the signer, in the order of its checks */ \
	X(CS_RULE_PEER, "signer.peer") \
	X(CS_RULE_SHAPE, "signer.shape") \
	X(CS_RULE_CORE_ADDRESS, "signer.core-address") \
	X(CS_RULE_CLASS, "signer.class") \
	X(CS_RULE_CHANGE_CLASS, "signer.change-class") \
	X(CS_RULE_OVERSIGHT, "signer.oversight") \
	X(CS_RULE_QUORUM, "signer.quorum") \
	X(CS_RULE_CONSTRAINTS, "signer.constraints") \
	X(CS_RULE_VERSIONS, "signer.versions") \
	X(CS_RULE_ISSUED_AT, "signer.issued-at") \
	X(CS_RULE_NOT_AFTER, "signer.not-after") \
	X(CS_RULE_CONSUMED, "signer.consumed") \
	X(CS_RULE_LOG_NEXT, "signer.log-next") \
	X(CS_RULE_LOG_HEAD, "signer.log-head") \
	X(CS_RULE_USAGE, "signer.usage") \
	X(CS_RULE_SELF_VERIFY, "signer.self-verify") \
	/* approvals and quorum, shared by gate, signer and verifier */ \
	X(CS_RULE_TWO_PERSONS, "quorum.two-persons") \
	X(CS_RULE_TWO_KEYS, "quorum.two-keys") \
	X(CS_RULE_TWO_TOKENS, "quorum.two-tokens") \
	X(CS_RULE_REQUESTER, "quorum.requester") \
	X(CS_RULE_ROLE_HELD, "quorum.role-held") \
	X(CS_RULE_ROLE_SCOPE, "quorum.role-scope") \
	X(CS_RULE_BINDING, "quorum.binding") \
	X(CS_RULE_WINDOW, "quorum.window") \
	X(CS_RULE_REVOKED, "quorum.revoked") \
	X(CS_RULE_IS_APPROVAL, "quorum.is-approval") \
	X(CS_RULE_APPROVAL_SIGNATURE, "quorum.signature") \
	/* trust set and policy */ \
	X(CS_RULE_GENESIS, "trust.genesis") \
	X(CS_RULE_CHAIN, "trust.chain") \
	X(CS_RULE_ROLLBACK, "trust.rollback") \
	X(CS_RULE_TWO_SIGNERS, "trust.two-signers") \
	X(CS_RULE_SELF_RAISE, "trust.self-raise") \
	X(CS_RULE_NOTHING_REMOVED, "trust.nothing-removed") \
	X(CS_RULE_APPLIANCE_KEYS, "trust.appliance-keys") \
	X(CS_RULE_IRREVERSIBLE_QUORUM, "policy.irreversible-quorum") \
	/* the verifier */ \
	X(CS_RULE_VERIFY_SUBJECT, "verify.subject") \
	X(CS_RULE_VERIFY_STATEMENT, "verify.statement") \
	X(CS_RULE_VERIFY_OVERSIGHT, "verify.oversight") \
	X(CS_RULE_VERIFY_QUORUM, "verify.quorum") \
	X(CS_RULE_VERIFY_GATE, "verify.gate") \
	X(CS_RULE_VERIFY_ENVELOPES, "verify.envelopes") \
	X(CS_RULE_VERIFY_BRIEF, "verify.brief") \
	X(CS_RULE_VERIFY_ENGINE, "verify.engine") \
	X(CS_RULE_VERIFY_POLICY, "verify.policy") \
	X(CS_RULE_VERIFY_GRANTS, "verify.grants") \
	X(CS_RULE_VERIFY_REVOCATION, "verify.revocation") \
	X(CS_RULE_VERIFY_ADDRESSES, "verify.addresses")

enum cs_rule {
#define CS_RULE_SYMBOL(symbol, name) symbol,
	CS_RULES(CS_RULE_SYMBOL)
#undef CS_RULE_SYMBOL
	CS_RULE_COUNT
};

#ifdef CS_TEETH
bool cs_rule_on(enum cs_rule rule);	/* tests/teeth/rules_off.c */
#else
#define cs_rule_on(rule) ((void)(rule), true)
#endif

#endif
