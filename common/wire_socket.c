#include "wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

static enum cs_err io_fault(const char *what, struct cs_fault *fault)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return cs_fault_set(fault, CS_E_TIMEOUT, "", "%s: no answer in time", what);
	return cs_fault_set(fault, CS_E_IO, "", "%s: %s", what, strerror(errno));
}

/* The socket's SO_RCVTIMEO is for the whole frame: a byte now and then does not prolong it. */
struct patience {
	bool limited;
	struct timespec until;
};

static void begin_waiting(int fd, struct patience *patience)
{
	struct timeval limit = {0};
	socklen_t len = sizeof limit;

	patience->limited = getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &len) == 0 &&
			    (limit.tv_sec > 0 || limit.tv_usec > 0);
	clock_gettime(CLOCK_MONOTONIC, &patience->until);
	/*
	 * Rounded up: a whole second more is no harm, and the socket's own limit still cuts a
	 * silence short.
	 */
	patience->until.tv_sec += limit.tv_sec + (limit.tv_usec > 0);
}

static bool is_over(const struct patience *patience)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return patience->limited && (now.tv_sec > patience->until.tv_sec ||
					    (now.tv_sec == patience->until.tv_sec &&
						    now.tv_nsec > patience->until.tv_nsec));
}

/* `*got` is what was read when the stream ended or failed. */
static enum cs_err read_exactly(int fd, const struct patience *patience, uint8_t *data, size_t len,
	size_t *got, struct cs_fault *fault)
{
	*got = 0;
	while (*got < len) {
		ssize_t n = recv(fd, data + *got, len - *got, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return io_fault("receiving", fault);
		if (n == 0)
			return cs_fault_set(fault, *got == 0 ? CS_E_NOT_FOUND : CS_E_FRAME, "",
				"the other side closed the connection");
		*got += (size_t)n;
		if (*got < len && is_over(patience))
			return cs_fault_set(fault, CS_E_TIMEOUT, "",
				"receiving: the frame did not end in time");
	}
	return CS_OK;
}

enum cs_err cs_wire_receive(int fd, struct cs_bytes *ret_payload, struct cs_fault *fault)
{
	uint8_t header[CS_WIRE_HEADER];
	size_t len = 0, got = 0;
	struct patience patience;

	begin_waiting(fd, &patience);
	enum cs_err err = read_exactly(fd, &patience, header, sizeof header, &got, fault);
	if (err == CS_OK)
		err = cs_wire_length(header, &len, fault);
	if (err != CS_OK)
		return err;
	ret_payload->len = 0;
	/* Grow with what arrives: a length alone costs nothing. */
	for (size_t left = len; left > 0 && err == CS_OK;) {
		uint8_t part[16384];
		size_t step = left < sizeof part ? left : sizeof part;
		err = read_exactly(fd, &patience, part, step, &got, fault);
		if (err == CS_E_NOT_FOUND)
			err = CS_E_FRAME;
		if (err == CS_OK)
			err = cs_bytes_add(ret_payload, part, step);
		left -= step;
	}
	return err;
}

enum cs_err cs_wire_send(int fd, const struct cs_bytes *frame, struct cs_fault *fault)
{
	for (size_t sent = 0; sent < frame->len;) {
		ssize_t n = send(fd, frame->data + sent, frame->len - sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return io_fault("sending", fault);
		sent += (size_t)n;
	}
	return CS_OK;
}
