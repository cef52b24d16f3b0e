/*
 * Which versions are in force while the daemon runs: loaded at start, on reload, when the time of a
 * version comes, and when the signer turns out to have others.
 *
 * Whenever the rule book changes, what was refused under the old one is tried again, and what waits
 * for people under other versions ends as invalidated. On any error the old rule book stays.
 */
#ifndef CS_IN_FORCE_H
#define CS_IN_FORCE_H

#include "daemon.h"

/*
 * Loads the first rule book, and waits for the next version. Errors of cs_rulebook_load;
 * CS_E_INTERNAL.
 */
CS_MUST_CHECK enum cs_err cs_in_force_start(struct cs_daemon *daemon, struct cs_fault *fault);
/* Ends the waiting. */
void cs_in_force_stop(struct cs_daemon *daemon);

/* Loads again because somebody asked for it, and logs what came of it. */
void cs_in_force_reload(struct cs_daemon *daemon);
/* Loads again because the signer has other versions in force. True when we have others now, too. */
bool cs_in_force_outdated(struct cs_daemon *daemon);

#endif
