#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

enum cs_err cs_notify(const char *message, struct cs_fault *fault)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (name == NULL || name[0] == '\0')
		return CS_OK;
	size_t len = strlen(name);
	if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof address.sun_path)
		return cs_fault_set(
			fault, CS_E_CONFIG, "NOTIFY_SOCKET", "'%s' is no socket address", name);
	memcpy(address.sun_path, name, len);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return cs_fault_set(fault, CS_E_IO, "NOTIFY_SOCKET", "socket: %s", strerror(errno));
	/* An abstract name has no NUL at its end; a path may have one or not. */
	socklen_t address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	ssize_t sent = sendto(fd, message, strlen(message), MSG_NOSIGNAL,
		(struct sockaddr *)&address, address_len);
	int error = errno;
	close(fd);
	if (sent < 0)
		return cs_fault_set(
			fault, CS_E_IO, "NOTIFY_SOCKET", "%s: %s", name, strerror(error));
	return CS_OK;
}

static bool number(const char *text, long *ret)
{
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*ret = strtol(text, &end, 10);
	return errno == 0 && *end == '\0';
}

static bool is_listening_stream(int fd)
{
	int domain = 0, type = 0, listening = 0;
	socklen_t len = sizeof domain;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0 || domain != AF_UNIX)
		return false;
	len = sizeof type;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_STREAM)
		return false;
	len = sizeof listening;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening;
}

enum cs_err cs_listen_fd(int *ret_fd, struct cs_fault *fault)
{
	long pid = 0, count = 0;
	bool ours = number(getenv("LISTEN_PID"), &pid) && pid == (long)getpid() &&
		    number(getenv("LISTEN_FDS"), &count) && count > 0;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (!ours)
		return CS_E_NOT_FOUND;
	if (count != 1)
		return cs_fault_set(fault, CS_E_CONFIG, "LISTEN_FDS",
			"%ld sockets were passed, one is needed", count);
	if (!is_listening_stream(FIRST_FD))
		return cs_fault_set(fault, CS_E_CONFIG, "LISTEN_FDS",
			"the passed descriptor is no listening Unix stream socket");
	if (fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC) != 0)
		return cs_fault_set(fault, CS_E_IO, "LISTEN_FDS", "%s", strerror(errno));
	*ret_fd = FIRST_FD;
	return CS_OK;
}
