#include "quirks.h"

#include <stddef.h>
#include <string.h>

/*
 * Both texts are prefixes: models carry firmware names ("YubiKey YK5") and manufacturers their
 * address.
 */
static const struct {
	const char *manufacturer;
	const char *model;
	struct cs_quirks quirks;
} table[] = {
	{"SoftHSM project", "SoftHSM", {"softhsm", true}},
	{"Yubico", "YubiHSM", {"1.3.6.1.4.1.41482.4", false}},
	{"Yubico", "YubiKey", {"1.3.6.1.4.1.41482.3", false}},
};

static const struct cs_quirks none;

static bool starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

const struct cs_quirks *cs_quirks_of(const char *manufacturer, const char *model)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (starts(manufacturer, table[i].manufacturer) && starts(model, table[i].model))
			return &table[i].quirks;
	return &none;
}

const char *cs_quirks_module_refused(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	if (starts(name, "pkcs11-spy"))
		return "pkcs11-spy writes the PIN to its log in clear";
	return NULL;
}
