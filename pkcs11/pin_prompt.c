#include "pin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <sodium.h>

/*
 * Everything that would leave the terminal without echo behind us. All but the last two are
 * blocked except while the program waits for input, so that none can come between a look at
 * `pending` and the wait. The last two are the answer to a call of our own from the background and
 * cannot.
 */
static const int caught[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU};

#define CAUGHT (sizeof caught / sizeof *caught)
#define BLOCKED (CAUGHT - 2)

static volatile sig_atomic_t pending[CAUGHT];

static void remember(int number)
{
	for (size_t i = 0; i < CAUGHT; i++)
		if (caught[i] == number)
			pending[i] = 1;
}

static bool any_pending(void)
{
	for (size_t i = 0; i < CAUGHT; i++)
		if (pending[i])
			return true;
	return false;
}

static void write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t put = write(fd, text, len);
		if (put < 0 && errno == EINTR && !any_pending())
			continue;
		if (put <= 0)
			return;
		text += put;
		len -= (size_t)put;
	}
}

/*
 * Reads to the end of the line; what does not fit is read and dropped, so that the rest of a long
 * line does not become the answer to the next question. False when interrupted or at the end of
 * input.
 */
static bool read_line(
	int fd, const sigset_t *waiting, uint8_t *buffer, size_t size, size_t *ret_len)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	size_t len = 0;

	for (;;) {
		uint8_t c;
		int count = ppoll(&ready, 1, NULL, waiting);
		if (any_pending())
			return false;
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 || read(fd, &c, 1) != 1)
			return false;
		if (c == '\n')
			break;
		if (len < size)
			buffer[len++] = c;
		sodium_memzero(&c, sizeof c);
	}
	*ret_len = len;
	return true;
}

/* Echo off, line in, terminal and handlers as they were. */
static bool ask(int fd, const char *prompt, uint8_t *buffer, size_t size, size_t *ret_len)
{
	struct sigaction action = {.sa_handler = remember}, before[CAUGHT];
	struct termios saved, quiet;
	sigset_t blocked, mask;
	bool done = false;

	if (tcgetattr(fd, &saved) < 0)
		return false;
	sigemptyset(&action.sa_mask);
	sigemptyset(&blocked);
	for (size_t i = 0; i < BLOCKED; i++)
		sigaddset(&blocked, caught[i]);
	pthread_sigmask(SIG_BLOCK, &blocked, &mask);
	for (size_t i = 0; i < CAUGHT; i++) {
		pending[i] = 0;
		/* A signal that the program ignores stays ignored. */
		sigaction(caught[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(caught[i], &action, NULL);
	}
	quiet = saved;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	quiet.c_lflag |= ICANON | ISIG;
	/* TCSAFLUSH: what was typed before the question was asked is not its answer. */
	if (tcsetattr(fd, TCSAFLUSH, &quiet) == 0) {
		write_all(fd, prompt);
		done = read_line(fd, &mask, buffer, size, ret_len);
		write_all(fd, "\n");
		while (tcsetattr(fd, TCSAFLUSH, &saved) < 0 && errno == EINTR &&
			!pending[CAUGHT - 1])
			;
	}
	for (size_t i = 0; i < CAUGHT; i++)
		sigaction(caught[i], &before[i], NULL);
	/* What came while it was blocked is delivered now, to the program's own handlers. */
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	for (size_t i = 0; i < CAUGHT; i++)
		if (pending[i]) {
			done = false;
			raise(caught[i]);
		}
	return done;
}

enum cs_err cs_pin_prompt(const char *prompt, struct cs_pin **ret_pin, struct cs_fault *fault)
{
	/* One byte more than a PIN, so that a longer line is refused and not cut. */
	const size_t size = CS_PIN_MAX + 1;
	size_t len = 0;
	enum cs_err err;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return cs_fault_set(fault, CS_E_PIN_SOURCE, "pin",
			"no terminal to ask for the PIN: %s", strerror(errno));
	uint8_t *buffer = sodium_malloc(size);
	if (buffer == NULL) {
		err = cs_fault_set(fault, CS_E_NOMEM, "pin", "no guarded memory for the PIN");
		goto out;
	}
	if (!ask(fd, prompt, buffer, size, &len)) {
		err = cs_fault_set(fault, CS_E_PIN_SOURCE, "pin", "no PIN was entered");
		goto out;
	}
	err = cs_pin_copy(buffer, len, ret_pin, fault);
out:
	sodium_free(buffer);
	close(fd);
	return err;
}
