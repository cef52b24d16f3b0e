/*
 * The service manager's two conventions without its library: readiness messages (sd_notify(3)) and
 * passed sockets (sd_listen_fds(3)).
 */
#ifndef CS_NOTIFY_H
#define CS_NOTIFY_H

#include <countersign/error.h>

/*
 * Sends `message` ("READY=1", lines separated by LF) as one datagram to the Unix socket named by
 * $NOTIFY_SOCKET; a leading '@' names an abstract one. Does nothing, and is CS_OK, when the
 * variable is not set. CS_E_CONFIG for a name that is neither absolute nor abstract or too long,
 * CS_E_IO.
 */
CS_MUST_CHECK enum cs_err cs_notify(const char *message, struct cs_fault *fault);

/*
 * The one listening Unix stream socket that the manager passed (descriptor 3, when $LISTEN_PID is
 * this process and $LISTEN_FDS is 1), made close-on-exec; CS_E_NOT_FOUND when none was passed.
 * CS_E_CONFIG when there are several or it is something else. Removes the three variables from the
 * environment, so that it answers once.
 */
CS_MUST_CHECK enum cs_err cs_listen_fd(int *ret_fd, struct cs_fault *fault);

#endif
