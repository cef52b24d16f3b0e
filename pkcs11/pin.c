#include "pin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sodium.h>

struct cs_pin {
	size_t len;
	bool refused;
	uint8_t bytes[CS_PIN_MAX];
};

void cs_pin_free(struct cs_pin *pin)
{
	sodium_free(pin);
}

void cs_pin_cleanup(struct cs_pin **pin)
{
	cs_pin_free(*pin);
}

uint8_t *cs_pin_bytes(const struct cs_pin *pin)
{
	return (uint8_t *)(uintptr_t)pin->bytes;
}

size_t cs_pin_len(const struct cs_pin *pin)
{
	return pin->len;
}

void cs_pin_mark_refused(struct cs_pin *pin)
{
	if (sodium_mprotect_readwrite(pin) == 0) {
		pin->refused = true;
		sodium_mprotect_readonly(pin);
	}
}

bool cs_pin_refused(const struct cs_pin *pin)
{
	return pin->refused;
}

enum cs_err cs_pin_copy(
	const void *text, size_t len, struct cs_pin **ret_pin, struct cs_fault *fault)
{
	const uint8_t *bytes = text;

	if (len > 0 && bytes[len - 1] == '\n') {
		len--;
		if (len > 0 && bytes[len - 1] == '\r')
			len--;
	}
	if (len == 0)
		return cs_fault_set(fault, CS_E_PIN_SOURCE, "pin", "the PIN is empty");
	if (len > CS_PIN_MAX)
		return cs_fault_set(fault, CS_E_PIN_SOURCE, "pin",
			"the PIN is longer than %d bytes", CS_PIN_MAX);
	for (size_t i = 0; i < len; i++)
		if (bytes[i] < 0x20 || bytes[i] == 0x7f)
			return cs_fault_set(
				fault, CS_E_PIN_SOURCE, "pin", "the PIN holds a control character");
	struct cs_pin *pin = sodium_malloc(sizeof *pin);
	if (pin == NULL)
		return cs_fault_set(fault, CS_E_NOMEM, "pin", "no guarded memory for the PIN");
	memset(pin, 0, sizeof *pin);
	memcpy(pin->bytes, bytes, len);
	pin->len = len;
	sodium_mprotect_readonly(pin);
	*ret_pin = pin;
	return CS_OK;
}

/* `foreign` are the permission bits that nobody but the owner may have. */
static enum cs_err judge_file(int fd, mode_t foreign, const char *path, struct cs_fault *fault)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return cs_fault_set(fault, CS_E_PIN_SOURCE, path, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return cs_fault_set(fault, CS_E_PIN_SOURCE, path, "%s: not a regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return cs_fault_set(fault, CS_E_PIN_SOURCE, path,
			"%s: belongs to user %u, not to root or to this process", path, st.st_uid);
	if (st.st_mode & foreign)
		return cs_fault_set(fault, CS_E_PIN_SOURCE, path,
			"%s: mode %04o lets others at the PIN", path, st.st_mode & 07777);
	return CS_OK;
}

static enum cs_err read_file(
	const char *path, mode_t foreign, struct cs_pin **ret_pin, struct cs_fault *fault)
{
	/* Two bytes more than a PIN with its CR LF, so that a longer file shows itself. */
	const size_t size = CS_PIN_MAX + 4;
	uint8_t *buffer = NULL;
	size_t len = 0;
	/* O_NONBLOCK: a FIFO in the place of the file must not hang the program. */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return cs_fault_set(fault, CS_E_PIN_SOURCE, path, "%s: %s", path,
			errno == ELOOP ? "is a symbolic link" : strerror(errno));
	enum cs_err err = judge_file(fd, foreign, path, fault);
	if (err != CS_OK)
		goto out;
	buffer = sodium_malloc(size);
	if (buffer == NULL) {
		err = cs_fault_set(fault, CS_E_NOMEM, "pin", "no guarded memory for the PIN");
		goto out;
	}
	while (len < size) {
		ssize_t got = read(fd, buffer + len, size - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			err = cs_fault_set(
				fault, CS_E_PIN_SOURCE, path, "%s: %s", path, strerror(errno));
			goto out;
		}
		if (got == 0)
			break;
		len += (size_t)got;
	}
	err = cs_pin_copy(buffer, len, ret_pin, fault);
	if (err != CS_OK && fault != NULL) {
		char why[sizeof fault->detail];
		memcpy(why, fault->detail, sizeof why);
		(void)cs_fault_set(fault, err, path, "%s: %s", path, why);
	}
out:
	sodium_free(buffer);
	close(fd);
	return err;
}

enum cs_err cs_pin_from_file(const char *path, struct cs_pin **ret_pin, struct cs_fault *fault)
{
	return read_file(path, S_IRWXG | S_IRWXO, ret_pin, fault);
}

enum cs_err cs_pin_from_credential(
	const char *directory, const char *name, struct cs_pin **ret_pin, struct cs_fault *fault)
{
	char path[4096];

	if (directory == NULL || directory[0] != '/')
		return cs_fault_set(fault, CS_E_PIN_SOURCE, "pin",
			"no credentials directory: not started by systemd?");
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
		return cs_fault_set(fault, CS_E_PIN_SOURCE, "pin",
			"'%s' is not the name of a credential", name);
	int len = snprintf(path, sizeof path, "%s/%s", directory, name);
	if (len < 0 || (size_t)len >= sizeof path)
		return cs_fault_set(
			fault, CS_E_PIN_SOURCE, "pin", "the path of the credential is too long");
	return read_file(path, S_IRWXO, ret_pin, fault);
}
