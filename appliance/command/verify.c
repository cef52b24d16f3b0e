#include "command.h"
#include "file.h"
#include "report.h"
#include "verify.h"

#include <countersign/limits.h>
#include <string.h>
#include <time.h>

struct keys {
	struct cs_keyring *published;  /* owned, from --jwks */
	struct cs_trust *trust;	       /* owned, from --trust */
	const struct cs_keyring *ring; /* the one of the two */
	char fingerprint[CS_ADDRESS_TEXT];
};

static enum cs_err check_usage(const struct cs_call *call, struct cs_fault *fault)
{
	const char *pin = cs_call_value(call, "pin");

	if (cs_call_has(call, "jwks") == cs_call_has(call, "trust"))
		return cs_fault_set(fault, CS_E_USAGE, "", "either --jwks or --trust is needed");
	if (cs_call_has(call, "expect-allow") != cs_call_has(call, "request"))
		return cs_fault_set(
			fault, CS_E_USAGE, "", "--expect-allow and --request belong together");
	if (pin != NULL && !cs_address_ok(pin))
		return cs_fault_set(fault, CS_E_USAGE, "",
			"--pin is an address: sha256: and 64 hexadecimal digits");
	return CS_OK;
}

/* Published keys: the pin is their address, which is their fingerprint. */
static enum cs_err load_published(const struct cs_call *call, struct cs_schema_registry *registry,
	struct keys *keys, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *jwks = NULL;
	const char *path = cs_call_value(call, "jwks");
	const char *pin = cs_call_value(call, "pin");
	enum cs_err err = cs_file_read_json(path, CS_COMMAND_FILE_MAX, &jwks, fault);

	if (err != CS_OK)
		return err;
	if (!json_is_object(jwks))
		return cs_fault_set(
			fault, CS_E_DOCUMENT_INVALID, path, "a set of keys is an object");
	err = cs_address_of(jwks, keys->fingerprint);
	if (err != CS_OK)
		return cs_fault_set(fault, err, path, "has no address");
	if (pin != NULL && strcmp(pin, keys->fingerprint) != 0)
		return cs_fault_set(fault, CS_E_ADDRESS_MISMATCH, path, "its fingerprint is %s",
			keys->fingerprint);
	err = cs_keyring_from_jwks(registry, jwks, &keys->published, fault);
	keys->ring = keys->published;
	return err;
}

/*
 * All trust sets: the pin is the genesis' address; without one the file's own first version is
 * taken as the genesis, and named.
 */
static enum cs_err load_trust(const struct cs_call *call, struct cs_schema_registry *registry,
	struct keys *keys, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *versions = NULL;
	const char *path = cs_call_value(call, "trust");
	const char *pin = cs_call_value(call, "pin");
	enum cs_err err = cs_file_read_json(path, CS_COMMAND_FILE_MAX, &versions, fault);

	if (err != CS_OK)
		return err;
	if (json_array_size(versions) == 0)
		return cs_fault_set(
			fault, CS_E_DOCUMENT_INVALID, path, "not an array of trust sets");
	if (!json_is_object(json_array_get(versions, 0)))
		return cs_fault_set(fault, CS_E_DOCUMENT_INVALID, path, "a trust set is an object");
	err = cs_address_of(json_array_get(versions, 0), keys->fingerprint);
	if (err != CS_OK)
		return cs_fault_set(fault, err, path, "has no address");
	err = cs_trust_load(
		registry, versions, pin != NULL ? pin : keys->fingerprint, &keys->trust, fault);
	if (err != CS_OK)
		return err;
	keys->ring = cs_trust_keyring(keys->trust);
	return CS_OK;
}

/* A row only where there is something to say. */
static void say(struct cs_bytes *text, const char *label, unsigned column, const char *value)
{
	if (value != NULL && value[0] != '\0')
		cs_report_field(text, label, column, value);
}

static void print_verdict(const struct cs_call *call, const json_t *verdict,
	const struct keys *keys, struct cs_bytes *text)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(verdict, "checks"), i, entry) {
		cs_report_field(
			text, cs_json_text(entry, "result"), 13, cs_json_text(entry, "name"));
		say(text, "", 15, cs_json_text(entry, "code"));
		say(text, "", 15, cs_json_text(entry, "detail"));
	}
	cs_bytes_addf(text, "keys %s\n", keys->fingerprint);
	cs_bytes_add_text(
		text, cs_call_has(call, "pin")
			      ? "     pinned\n"
			      : "     not pinned: the file that you gave is trusted as it is\n");
	say(text, "revocations known as of", 24, cs_json_text(verdict, "revocations_as_of"));
	say(text, "assurance", 10, cs_json_text(verdict, "assurance"));
	json_array_foreach(json_object_get(verdict, "restrictions"), i, entry) {
		say(text, "only if", 10, cs_json_text(entry, "summary"));
	}
	cs_report_field(text, "verdict", 10, cs_json_text(verdict, "summary"));
}

/* The error line of a refusal: the first check that failed. */
static void report_refusal(const json_t *verdict, bool authentic)
{
	struct cs_fault fault = {0};
	enum cs_err err = authentic ? CS_E_NOT_AUTHORISED : CS_E_PACK;
	const json_t *entry;
	size_t i;

	cs_fault_set(&fault, err, "", "%s",
		cs_json_text(verdict, "summary") != NULL ? cs_json_text(verdict, "summary") : "");
	json_array_foreach(json_object_get(verdict, "checks"), i, entry) {
		const char *result = cs_json_text(entry, "result");
		const char *code = cs_json_text(entry, "code");
		const char *name = cs_json_text(entry, "name");
		const char *detail = cs_json_text(entry, "detail");
		if (result == NULL || strcmp(result, "failed") != 0)
			continue;
		if (code != NULL && cs_err_by_name(code) != CS_ERR_COUNT)
			err = cs_err_by_name(code);
		cs_fault_set(
			&fault, err, name != NULL ? name : "", "%s", detail != NULL ? detail : "");
		break;
	}
	cs_report_error(err, &fault, false);
}

static enum cs_err judge(struct cs_call *call, const struct keys *keys,
	struct cs_schema_registry *registry, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *document = NULL;
	CS_CLEANUP_JSON json_t *request = NULL;
	CS_CLEANUP_JSON json_t *verdict = NULL;
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	bool expect_allow = cs_call_has(call, "expect-allow");
	struct timespec now;
	enum cs_err err = cs_file_read_json(call->operand[0], CS_MESSAGE_MAX, &document, fault);

	if (err == CS_OK && expect_allow)
		err = cs_file_read_json(
			cs_call_value(call, "request"), CS_CORE_MAX, &request, fault);
	if (err != CS_OK)
		return err;
	clock_gettime(CLOCK_REALTIME, &now);
	struct cs_verify_input input = {
		.registry = registry,
		.ring = keys->ring,
		.trust = keys->trust,
		.document = document,
		.expect_allow = expect_allow,
		.request = request,
		.now = (cs_time)now.tv_sec * 1000 + now.tv_nsec / 1000000,
	};
	err = cs_verify(&input, &verdict);
	if (err != CS_OK)
		return err;
	bool authentic = json_is_true(json_object_get(verdict, "authentic"));
	bool good = authentic &&
		    (!expect_allow || json_is_true(json_object_get(verdict, "authorised")));
	call->exit = good ? CS_EXIT_DONE : CS_EXIT_REFUSED;
	if (!call->json)
		print_verdict(call, verdict, keys, &text);
	else if (json_object_set_new(verdict, "keys", json_string(keys->fingerprint)) != 0)
		return CS_E_NOMEM;
	err = call->json ? cs_report_json(verdict, fault) : cs_report_write(&text, fault);
	if (err == CS_OK && !good)
		report_refusal(verdict, authentic);
	return err;
}

enum cs_err cs_command_verify(struct cs_call *call, struct cs_fault *fault)
{
	struct cs_schema_registry *registry = NULL;
	struct keys keys = {0};
	enum cs_err err = check_usage(call, fault);

	if (err == CS_OK)
		err = cs_schema_registry_embedded(&registry);
	if (err == CS_OK)
		err = cs_call_has(call, "jwks") ? load_published(call, registry, &keys, fault)
						: load_trust(call, registry, &keys, fault);
	if (err == CS_OK)
		err = judge(call, &keys, registry, fault);
	cs_trust_free(keys.trust);
	cs_keyring_free(keys.published);
	cs_schema_registry_free(registry);
	return err;
}
