#include "command.h"

#define V CS_OPTION_VALUE
#define NEEDED (CS_OPTION_VALUE | CS_OPTION_NEEDED)

static const struct cs_option everywhere[] = {{"socket", V}, {"json", 0}, {NULL, 0}};
static const struct cs_option validate_options[] = {
	{"schema", NEEDED}, {"with", V | CS_OPTION_MANY}, {"format", 0}, {NULL, 0}};
static const struct cs_option signature_options[] = {{"alg", NEEDED}, {"key", NEEDED},
	{"message", NEEDED}, {"signature", NEEDED}, {"der", 0}, {NULL, 0}};
static const struct cs_option verify_options[] = {
	{"jwks", V}, {"trust", V}, {"pin", V}, {"expect-allow", 0}, {"request", V}, {NULL, 0}};
static const struct cs_option propose_options[] = {
	{"request", NEEDED}, {"idempotency-key", V}, {NULL, 0}};
static const struct cs_option wait_options[] = {{"timeout", V}, {NULL, 0}};
static const struct cs_option pending_options[] = {{"mine", 0}, {NULL, 0}};
static const struct cs_option pack_options[] = {{"out", V}, {NULL, 0}};
static const struct cs_option approve_options[] = {
	{"config", NEEDED}, {"role", V}, {"rationale", V}, {NULL, 0}};
static const struct cs_option reject_options[] = {
	{"config", NEEDED}, {"role", V}, {"rationale", NEEDED}, {NULL, 0}};

static const struct cs_subcommand table[] = {
	{"propose", "--request FILE [--idempotency-key KEY] [--json]", propose_options, 0, 0,
		cs_command_propose},
	{"wait", "ID [--timeout SECONDS] [--json]", wait_options, 1, 1, cs_command_wait},
	{"pending", "[--mine] [--json]", pending_options, 0, 0, cs_command_pending},
	{"show", "ID [--json]", NULL, 1, 1, cs_command_show},
	{"approve", "ID --config FILE [--role ROLE] [--rationale TEXT]", approve_options, 1, 1,
		cs_command_approve},
	{"reject", "ID --config FILE [--role ROLE] --rationale TEXT", reject_options, 1, 1,
		cs_command_reject},
	{"pack", "ID [--out FILE]", pack_options, 1, 1, cs_command_pack},
	{"status", "[--json]", NULL, 0, 0, cs_command_status},
	{"verify",
		"(--jwks FILE | --trust FILE) [--pin ADDRESS] [--json] [--expect-allow --request "
		"FILE] FILE",
		verify_options, 1, 1, cs_command_verify},
	{"canon", "FILE|-", NULL, 1, 1, cs_command_canon},
	{"validate", "--schema SCHEMA [--with SCHEMA]... [--format] FILE", validate_options, 1, 1,
		cs_command_validate},
	{"verify-signature",
		"--alg EdDSA|ES256|ES384 --key FILE --message FILE --signature FILE [--der]",
		signature_options, 0, 0, cs_command_verify_signature},
	{NULL, NULL, NULL, 0, 0, NULL},
};

int main(int argc, char **argv)
{
	return cs_program("countersign", table, everywhere, argc, argv);
}
