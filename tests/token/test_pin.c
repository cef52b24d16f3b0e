/* Where a PIN may come from, and what is no PIN. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <sodium.h>
#include "pkcs11/pin.h"

#define SECRET "s3cret-pin"

static char directory[64];

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "/tmp/countersign-pin.XXXXXX");
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- what can be a PIN ---- */

static void expect_copy(const char *text, size_t len, enum cs_err want, const char *pin_or_reason)
{
	struct cs_pin *pin = NULL;
	struct cs_fault fault = {0};
	enum cs_err err = cs_pin_copy(text, len, &pin, &fault);

	assert_int_equal(err, want);
	if (want != CS_OK) {
		assert_null(pin);
		if (strstr(fault.detail, pin_or_reason) == NULL)
			fail_msg("%s", fault.detail);
		return;
	}
	assert_int_equal(cs_pin_len(pin), strlen(pin_or_reason));
	assert_memory_equal(cs_pin_bytes(pin), pin_or_reason, cs_pin_len(pin));
	assert_false(cs_pin_refused(pin));
	cs_pin_free(pin);
}

static void test_copy(void **state)
{
	char longest[CS_PIN_MAX + 3];

	(void)state;
	memset(longest, '7', sizeof longest);
	longest[CS_PIN_MAX] = '\0';
	expect_copy("1234", 4, CS_OK, "1234");
	expect_copy("1234\n", 5, CS_OK, "1234");
	expect_copy("1234\r\n", 6, CS_OK, "1234");
	expect_copy(" p\xc3\xa9 ", 5, CS_OK, " p\xc3\xa9 ");
	expect_copy(longest, CS_PIN_MAX, CS_OK, longest);
	longest[CS_PIN_MAX] = '\n';
	char kept[CS_PIN_MAX + 1];
	memcpy(kept, longest, CS_PIN_MAX);
	kept[CS_PIN_MAX] = '\0';
	expect_copy(longest, CS_PIN_MAX + 1, CS_OK, kept);
	longest[CS_PIN_MAX] = '7';
	expect_copy(longest, CS_PIN_MAX + 1, CS_E_PIN_SOURCE, "longer than 255");
	expect_copy("", 0, CS_E_PIN_SOURCE, "empty");
	expect_copy("\n", 1, CS_E_PIN_SOURCE, "empty");
	expect_copy("\r\n", 2, CS_E_PIN_SOURCE, "empty");
	expect_copy("1234\n\n", 6, CS_E_PIN_SOURCE, "control character");
	expect_copy("12\t34", 5, CS_E_PIN_SOURCE, "control character");
	expect_copy("12\0"
		    "34",
		5, CS_E_PIN_SOURCE, "control character");
	expect_copy("12\x7f", 3, CS_E_PIN_SOURCE, "control character");
}

static void test_marks(void **state)
{
	CS_CLEANUP_PIN struct cs_pin *one = NULL;
	CS_CLEANUP_PIN struct cs_pin *same = NULL;

	(void)state;
	assert_int_equal(cs_pin_copy("1234", 4, &one, NULL), CS_OK);
	assert_int_equal(cs_pin_copy("1234", 4, &same, NULL), CS_OK);
	cs_pin_mark_refused(one);
	assert_true(cs_pin_refused(one));
	assert_false(cs_pin_refused(same));
	assert_memory_equal(cs_pin_bytes(one), "1234", 4);
	cs_pin_free(NULL);
}

/* The memory is read-only, and gone after the free: a child that touches it dies. */
static bool child_dies(bool freed)
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct cs_pin *pin = NULL;
		if (cs_pin_copy("1234", 4, &pin, NULL) != CS_OK)
			_exit(0);
		volatile uint8_t *bytes = cs_pin_bytes(pin);
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		if (freed)
			cs_pin_free(pin);
		bytes[0] = 'x';
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status != 0;
}

static void test_guarded(void **state)
{
	(void)state;
	assert_true(child_dies(false));
	assert_true(child_dies(true));
}

/* ---- files ---- */

static const char *file(const char *name, const char *content, size_t len, mode_t mode)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	unlink(path);
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

static void expect_file(const char *path, enum cs_err want, const char *pin_or_reason)
{
	struct cs_pin *pin = NULL;
	struct cs_fault fault = {0};
	enum cs_err err = cs_pin_from_file(path, &pin, &fault);

	if (err != want)
		fail_msg("%s: %s: %s", path, cs_err_name(err), fault.detail);
	if (want != CS_OK) {
		assert_null(pin);
		if (strstr(fault.detail, pin_or_reason) == NULL ||
			strstr(fault.detail, path) == NULL)
			fail_msg("%s", fault.detail);
		assert_null(strstr(fault.detail, SECRET));
		return;
	}
	assert_memory_equal(cs_pin_bytes(pin), pin_or_reason, cs_pin_len(pin));
	assert_int_equal(cs_pin_len(pin), strlen(pin_or_reason));
	cs_pin_free(pin);
}

static void test_file(void **state)
{
	char big[4096];
	char path[128], link[128];

	(void)state;
	memset(big, '7', sizeof big);
	expect_file(file("pin", SECRET "\n", strlen(SECRET) + 1, 0600), CS_OK, SECRET);
	expect_file(file("pin", SECRET, strlen(SECRET), 0400), CS_OK, SECRET);
	expect_file(
		file("pin", SECRET "\n", strlen(SECRET) + 1, 0640), CS_E_PIN_SOURCE, "mode 0640");
	expect_file(
		file("pin", SECRET "\n", strlen(SECRET) + 1, 0604), CS_E_PIN_SOURCE, "mode 0604");
	expect_file(
		file("pin", SECRET "\n", strlen(SECRET) + 1, 0620), CS_E_PIN_SOURCE, "mode 0620");
	expect_file(
		file("pin", SECRET "\n", strlen(SECRET) + 1, 0601), CS_E_PIN_SOURCE, "mode 0601");
	expect_file(file("pin", "", 0, 0600), CS_E_PIN_SOURCE, "empty");
	expect_file(file("pin", "\n", 1, 0600), CS_E_PIN_SOURCE, "empty");
	expect_file(file("pin", SECRET "\nmore\n", strlen(SECRET) + 6, 0600), CS_E_PIN_SOURCE,
		"control character");
	expect_file(file("pin", big, CS_PIN_MAX + 1, 0600), CS_E_PIN_SOURCE, "longer than 255");
	expect_file(file("pin", big, sizeof big, 0600), CS_E_PIN_SOURCE, "longer than 255");

	snprintf(path, sizeof path, "%s/missing", directory);
	expect_file(path, CS_E_PIN_SOURCE, "No such file");
	expect_file(directory, CS_E_PIN_SOURCE, "not a regular file");
	expect_file("/dev/null", CS_E_PIN_SOURCE, "not a regular file");
	snprintf(link, sizeof link, "%s/link", directory);
	assert_int_equal(symlink(file("pin", SECRET, strlen(SECRET), 0600), link), 0);
	expect_file(link, CS_E_PIN_SOURCE, "symbolic link");
	/* Nobody writes to it: the program must not wait. */
	snprintf(path, sizeof path, "%s/fifo", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_file(path, CS_E_PIN_SOURCE, "not a regular file");
}

static void test_file_owner(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		printf("SKIP: only root can give a file away\n");
		skip();
	}
	const char *path = file("pin", SECRET, strlen(SECRET), 0600);
	assert_int_equal(chown(path, 4242, 4242), 0);
	expect_file(path, CS_E_PIN_SOURCE, "belongs to user 4242");
}

static void expect_credential(
	const char *where, const char *name, enum cs_err want, const char *reason)
{
	CS_CLEANUP_PIN struct cs_pin *pin = NULL;
	struct cs_fault fault = {0};
	enum cs_err err = cs_pin_from_credential(where, name, &pin, &fault);

	if (err != want || strstr(fault.detail, reason) == NULL)
		fail_msg("%s: %s", cs_err_name(err), fault.detail);
	if (want == CS_OK)
		assert_memory_equal(cs_pin_bytes(pin), SECRET, strlen(SECRET));
}

static void test_credential(void **state)
{
	(void)state;
	file("pin", SECRET "\n", strlen(SECRET) + 1, 0400);
	expect_credential(directory, "pin", CS_OK, "");
	/* The mask of an access control list looks like this. */
	file("pin", SECRET "\n", strlen(SECRET) + 1, 0440);
	expect_credential(directory, "pin", CS_OK, "");
	file("pin", SECRET "\n", strlen(SECRET) + 1, 0444);
	expect_credential(directory, "pin", CS_E_PIN_SOURCE, "mode 0444");
	expect_credential(directory, "other", CS_E_PIN_SOURCE, "No such file");
	expect_credential(NULL, "pin", CS_E_PIN_SOURCE, "no credentials directory");
	expect_credential("", "pin", CS_E_PIN_SOURCE, "no credentials directory");
	expect_credential("run/credentials", "pin", CS_E_PIN_SOURCE, "no credentials directory");
	expect_credential(directory, "", CS_E_PIN_SOURCE, "not the name of a credential");
	expect_credential(directory, "..", CS_E_PIN_SOURCE, "not the name of a credential");
	expect_credential(directory, "../pin", CS_E_PIN_SOURCE, "not the name of a credential");
	expect_credential(directory, "a/pin", CS_E_PIN_SOURCE, "not the name of a credential");
}

/* ---- the prompt, on a terminal of its own ---- */

enum outcome {
	GOT_SECRET = 10,
	GOT_OTHER,
	REFUSED_EMPTY,
	REFUSED_LONG,
	REFUSED_NONE,
	REFUSED_NO_TERMINAL,
	WRONG_ERROR
};

static volatile sig_atomic_t handled;

static void handler(int number)
{
	handled = number;
}

static enum outcome ask(bool with_handler)
{
	struct cs_pin *pin = NULL;
	struct cs_fault fault = {0};

	if (with_handler) {
		struct sigaction action = {.sa_handler = handler};
		sigaction(SIGTERM, &action, NULL);
	}
	enum cs_err err = cs_pin_prompt("PIN: ", &pin, &fault);
	if (with_handler && handled != SIGTERM)
		return WRONG_ERROR;
	if (err == CS_OK) {
		bool right = cs_pin_len(pin) == strlen(SECRET) &&
			     memcmp(cs_pin_bytes(pin), SECRET, strlen(SECRET)) == 0;
		cs_pin_free(pin);
		return right ? GOT_SECRET : GOT_OTHER;
	}
	if (err != CS_E_PIN_SOURCE)
		return WRONG_ERROR;
	if (strstr(fault.detail, "no terminal") != NULL)
		return REFUSED_NO_TERMINAL;
	if (strstr(fault.detail, "empty") != NULL)
		return REFUSED_EMPTY;
	return strstr(fault.detail, "longer") != NULL ? REFUSED_LONG : REFUSED_NONE;
}

static bool echo_is_on(int terminal)
{
	struct termios now;

	assert_int_equal(tcgetattr(terminal, &now), 0);
	return (now.c_lflag & ECHO) != 0;
}

/* Reads what the terminal shows until it holds `wanted` (NULL: until nothing comes for a while). */
static void read_screen(int master, char *screen, size_t size, const char *wanted)
{
	size_t len = strlen(screen);
	struct pollfd ready = {.fd = master, .events = POLLIN};

	while (len + 1 < size && (wanted == NULL || strstr(screen, wanted) == NULL)) {
		if (poll(&ready, 1, wanted != NULL ? 10000 : 200) <= 0)
			break;
		ssize_t got = read(master, screen + len, size - 1 - len);
		if (got <= 0)
			break;
		len += (size_t)got;
		screen[len] = '\0';
	}
}

/*
 * Runs ask() in a session whose terminal is a new one; types `typed`, or sends a signal. Gives
 * waitpid's status.
 */
static int on_terminal(const char *typed, int number, bool with_handler, bool *ret_echo_after)
{
	int master = -1, slave = -1, status = 0;
	char screen[1024] = "";

	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(master);
		setsid();
		if (ioctl(slave, TIOCSCTTY, 0) < 0)
			_exit(WRONG_ERROR);
		_exit((int)ask(with_handler));
	}
	read_screen(master, screen, sizeof screen, "PIN: ");
	assert_string_equal(screen, "PIN: ");
	assert_false(echo_is_on(slave));
	if (typed != NULL)
		assert_int_equal(write(master, typed, strlen(typed)), strlen(typed));
	else
		assert_int_equal(kill(child, number), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	*ret_echo_after = echo_is_on(slave);
	read_screen(master, screen, sizeof screen, NULL);
	assert_null(strstr(screen, SECRET));
	close(slave);
	close(master);
	return status;
}

static void expect_prompt(const char *typed, enum outcome want)
{
	bool echo = false;
	int status = on_terminal(typed, 0, false, &echo);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), want);
	assert_true(echo);
}

static void test_prompt(void **state)
{
	char line[CS_PIN_MAX + 50];

	(void)state;
	expect_prompt(SECRET "\n", GOT_SECRET);
	expect_prompt("typo\x15" SECRET "\n", GOT_SECRET);
	expect_prompt(SECRET "x\x7f\n", GOT_SECRET);
	expect_prompt("something else\n", GOT_OTHER);
	expect_prompt("\n", REFUSED_EMPTY);
	expect_prompt("\x04", REFUSED_NONE);
	memset(line, '7', sizeof line);
	line[sizeof line - 2] = '\n';
	line[sizeof line - 1] = '\0';
	expect_prompt(line, REFUSED_LONG);
}

static void test_prompt_signals(void **state)
{
	bool echo = false;
	int status;

	(void)state;
	/* The interrupt key ends the program, with the terminal as it was. */
	status = on_terminal("\x03", 0, false, &echo);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
	assert_true(echo);
	status = on_terminal(NULL, SIGTERM, false, &echo);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	assert_true(echo);
	/* A program with its own handler gets its signal, and no PIN. */
	status = on_terminal(NULL, SIGTERM, true, &echo);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), REFUSED_NONE);
	assert_true(echo);
}

static void test_no_terminal(void **state)
{
	int status = 0;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		setsid();
		_exit((int)ask(false));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), REFUSED_NO_TERMINAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_guarded),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_owner),
		cmocka_unit_test(test_credential),
		cmocka_unit_test(test_prompt),
		cmocka_unit_test(test_prompt_signals),
		cmocka_unit_test(test_no_terminal),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
