#include "provision.h"

#define V CS_OPTION_VALUE
#define NEEDED (CS_OPTION_VALUE | CS_OPTION_NEEDED)
#define TOKEN \
	{"module", NEEDED}, {"token", NEEDED}, \
	{ \
		"pin-file", V \
	}
#define TOKEN_SYNOPSIS "--module FILE --token URI [--pin-file FILE]"

static const struct cs_option everywhere[] = {{"json", 0}, {NULL, 0}};
static const struct cs_option token_init[] = {{"module", NEEDED}, {"label", NEEDED},
	{"so-pin-file", NEEDED}, {"pin-file", NEEDED}, {NULL, 0}};
static const struct cs_option token_list[] = {{"module", NEEDED}, {NULL, 0}};
static const struct cs_option key_generate[] = {
	TOKEN, {"label", NEEDED}, {"type", NEEDED}, {NULL, 0}};
static const struct cs_option key_list[] = {TOKEN, {NULL, 0}};
static const struct cs_option appliance_key[] = {{"plan", NEEDED}, TOKEN, {"label", NEEDED},
	{"kid", NEEDED}, {"entity", NEEDED}, {"usage", NEEDED}, {NULL, 0}};
static const struct cs_option enrol[] = {{"plan", NEEDED}, TOKEN, {"label", NEEDED},
	{"kid", NEEDED}, {"person", NEEDED}, {"previous", V}, {"out", V}, {"not-after", V},
	{"pin-policy", V}, {"touch-policy", V}, {NULL, 0}};
static const struct cs_option draft[] = {
	{"plan", NEEDED}, {"previous", V}, {"issued-at", V}, {"out", NEEDED}, {NULL, 0}};
static const struct cs_option grant_draft[] = {{"plan", NEEDED}, {"out", NEEDED}, {NULL, 0}};
static const struct cs_option sign[] = {{"document", NEEDED}, {"previous", V}, {"as", NEEDED},
	{"kid", NEEDED}, TOKEN, {"label", NEEDED}, {NULL, 0}};
static const struct cs_option trust_verify[] = {{"genesis", NEEDED}, {NULL, 0}};
static const struct cs_option policy_verify[] = {
	{"genesis", NEEDED}, {"trust-directory", NEEDED}, {"trust-genesis", NEEDED}, {NULL, 0}};
static const struct cs_option publish[] = {
	{"trust-directory", NEEDED}, {"genesis", NEEDED}, {"out", NEEDED}, {NULL, 0}};

static const struct cs_subcommand table[] = {
	{"token init", "--module FILE --label LABEL --so-pin-file FILE --pin-file FILE [--json]",
		token_init, 0, 0, cs_provision_token_init},
	{"token list", "--module FILE [--json]", token_list, 0, 0, cs_provision_token_list},
	{"key generate", TOKEN_SYNOPSIS " --label LABEL --type ed25519|p256|p384 [--json]",
		key_generate, 0, 0, cs_provision_key_generate},
	{"key list", TOKEN_SYNOPSIS " [--json]", key_list, 0, 0, cs_provision_key_list},
	{"appliance-key",
		"--plan FILE " TOKEN_SYNOPSIS
		" --label LABEL --kid KID --entity ENTITY --usage seal|checkpoint|document",
		appliance_key, 0, 0, cs_provision_appliance_key},
	{"enrol",
		"--plan FILE " TOKEN_SYNOPSIS
		" --label LABEL --kid KID --person PERSON [--previous FILE] [--out FILE]"
		" [--not-after TIME] [--pin-policy always|once|never|unknown] [--touch-policy "
		"always|cached|never|unknown]",
		enrol, 0, 0, cs_provision_enrol},
	{"trust-set draft", "--plan FILE [--previous FILE] [--issued-at TIME] --out FILE", draft, 0,
		0, cs_provision_trust_draft},
	{"policy draft", "--plan FILE [--previous FILE] [--issued-at TIME] --out FILE", draft, 0, 0,
		cs_provision_policy_draft},
	{"grant draft", "--plan FILE --out FILE", grant_draft, 0, 0, cs_provision_grant_draft},
	{"sign",
		"--document FILE [--previous FILE] --as PERSON --kid KID " TOKEN_SYNOPSIS
		" --label LABEL",
		sign, 0, 0, cs_provision_sign},
	{"trust-set verify", "--genesis ADDRESS DIRECTORY", trust_verify, 1, 1,
		cs_provision_trust_verify},
	{"policy verify",
		"--genesis ADDRESS --trust-directory DIRECTORY --trust-genesis ADDRESS DIRECTORY",
		policy_verify, 1, 1, cs_provision_policy_verify},
	{"publish", "--trust-directory DIRECTORY --genesis ADDRESS --out FILE", publish, 0, 0,
		cs_provision_publish},
	{"address", "FILE", NULL, 1, 1, cs_provision_address},
	{NULL, NULL, NULL, 0, 0, NULL},
};

int main(int argc, char **argv)
{
	return cs_program("countersign-provision", table, everywhere, argc, argv);
}
