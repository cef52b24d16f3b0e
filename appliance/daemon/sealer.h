/*
 * The lockstep with the signer. What is to be sealed is whatever the store says is decided and not
 * sealed; the sealer takes one thing after the other: composes it, makes the frame durable, sends
 * it, verifies what came back, and stores seal and new state in one transaction. Nothing else is in
 * memory, so that a crash at any point leaves a store from which it goes on.
 */
#ifndef CS_SEALER_H
#define CS_SEALER_H

#include <systemd/sd-event.h>
#include "compose.h"

struct cs_sealer;

struct cs_sealer_hooks {
	/*
	 * The action moved, was sealed or was refused; or an approval of it was logged or refused.
	 */
	void (*changed)(void *context, const char *action);
	/* Sealing is not possible at present: who waits for it should be told. */
	void (*stalled)(void *context, enum cs_err err, const char *detail);
	/*
	 * The signer has other versions in force: load ours again. True when the rule book is
	 * another one now, and cs_sealer_reloaded was called.
	 */
	bool (*outdated)(void *context);
	/*
	 * Once: everything that was open at start is done, or it turned out that it cannot be now.
	 */
	void (*settled)(void *context);
	void *context;
};

/*
 * Everything is borrowed and outlives the sealer; `book` is where the rule book in force stands.
 * `frontier` is the store's log.
 */
CS_MUST_CHECK enum cs_err cs_sealer_new(sd_event *event, const struct cs_daemon_settings *settings,
	struct cs_rulebook *const *book, struct cs_store *store, struct cs_engine *engine,
	const struct cs_frontier *frontier, const struct cs_sealer_hooks *hooks,
	struct cs_sealer **ret_sealer);
void cs_sealer_free(struct cs_sealer *sealer);

/* Something to seal was stored. */
void cs_sealer_kick(struct cs_sealer *sealer);
/* The rule book changed. */
void cs_sealer_reloaded(struct cs_sealer *sealer);

/*
 * Whether something stored now would be sealed at once: CS_OK, or CS_E_SIGNER_DOWN with the reason.
 */
CS_MUST_CHECK enum cs_err cs_sealer_ready(const struct cs_sealer *sealer, struct cs_fault *fault);

/*
 * For the status: CS_OK or what stalls it (`ret_detail` borrowed), the signer's last status
 * (borrowed, may be NULL), and the log's head.
 */
enum cs_err cs_sealer_state(
	const struct cs_sealer *sealer, const char **ret_detail, const json_t **ret_status);
const struct cs_frontier *cs_sealer_frontier(const struct cs_sealer *sealer);

#endif
