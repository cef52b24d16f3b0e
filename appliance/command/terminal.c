#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#define ANSWER_MAX 64

static enum cs_err open_terminal(int *ret_fd, struct cs_fault *fault)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return cs_fault_set(fault, CS_E_PIN_SOURCE, "/dev/tty", "no terminal to ask on: %s",
			strerror(errno));
	*ret_fd = fd;
	return CS_OK;
}

static enum cs_err write_all(int fd, const void *data, size_t len, struct cs_fault *fault)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return cs_fault_set(
				fault, CS_E_IO, "/dev/tty", "cannot write: %s", strerror(errno));
		at += n;
		len -= (size_t)n;
	}
	return CS_OK;
}

enum cs_err cs_terminal_write(const struct cs_bytes *text, struct cs_fault *fault)
{
	int fd = -1;
	enum cs_err err = cs_bytes_check(text);

	if (err == CS_OK)
		err = open_terminal(&fd, fault);
	if (err != CS_OK)
		return err;
	err = write_all(fd, text->data, text->len, fault);
	close(fd);
	return err;
}

/*
 * One line without its newline; what does not fit is read and dropped, and makes the answer none.
 */
static enum cs_err read_line(int fd, char line[ANSWER_MAX], struct cs_fault *fault)
{
	size_t len = 0;
	bool fits = true;

	for (;;) {
		char c;
		ssize_t n = read(fd, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cs_fault_set(
				fault, CS_E_IO, "/dev/tty", "cannot read: %s", strerror(errno));
		if (n == 0) {
			/* Nobody pressed return: what is printed next begins a line of its own. */
			line[0] = '\0';
			return write_all(fd, "\n", 1, fault);
		}
		if (c == '\n')
			break;
		if (len + 1 < ANSWER_MAX)
			line[len++] = c;
		else
			fits = false;
	}
	line[fits ? len : 0] = '\0';
	return CS_OK;
}

enum cs_err cs_terminal_confirm(const char *question, bool *ret_yes, struct cs_fault *fault)
{
	char line[ANSWER_MAX];
	int fd = -1;
	enum cs_err err = open_terminal(&fd, fault);

	if (err != CS_OK)
		return err;
	/* A `y` that was typed ahead answers a question that nobody has read. */
	if (tcflush(fd, TCIFLUSH) != 0)
		err = cs_fault_set(fault, CS_E_IO, "/dev/tty",
			"cannot drop what was typed ahead: %s", strerror(errno));
	if (err == CS_OK)
		err = write_all(fd, question, strlen(question), fault);
	if (err == CS_OK)
		err = read_line(fd, line, fault);
	close(fd);
	if (err != CS_OK)
		return err;
	*ret_yes = strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0;
	return CS_OK;
}
