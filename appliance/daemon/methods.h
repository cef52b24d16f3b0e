/*
 * Telling those who wait. The methods themselves are a table, cs_methods in varlink.h.
 */
#ifndef CS_METHODS_H
#define CS_METHODS_H

#include "daemon.h"

#define CS_VERSION "1"

/* This action, or an approval of it, changed. */
void cs_methods_changed(struct cs_daemon *daemon, const char *action);
/*
 * Nothing can be sealed at present: calls that wait for a seal are answered with SignerUnavailable.
 */
void cs_methods_stalled(struct cs_daemon *daemon, const char *detail);

#endif
