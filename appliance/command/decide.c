#include "decide.h"
#include "caller.h"
#include "clock_now.h"
#include "jose.h"
#include "present.h"
#include "receipt.h"
#include "report.h"
#include "terminal.h"

#include <countersign/limits.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct deciding {
	struct cs_call *call;
	const char *decision;
	const char *rationale;
	struct cs_varlink *link;
	struct cs_approver *approver;
	struct cs_review review;
	json_t *earlier; /* decisions that the appliance has, as Show gave them */
	struct cs_signed_slot slots[CS_SLOTS_MAX];
	size_t slot_count;
	cs_time not_after; /* as shown and signed */
	json_t *facts;
	json_t *snapshot;
	json_t *signed_decision;
};

/* ---- asking ---- */

static enum cs_err open_brief(struct deciding *d, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *shown = NULL;
	CS_CLEANUP_JSON json_t *reply = NULL;
	const char *id = d->call->operand[0];
	const char *role;
	enum cs_err err = cs_caller_ask(
		d->call, d->link, "Show", json_pack("{s:s}", "id", id), &shown, fault);

	if (err != CS_OK)
		return err;
	if (!json_is_object(json_object_get(shown, "core")))
		return cs_fault_set(fault, CS_E_SERVICE, "core", "the appliance shows no action");
	/*
	 * This core only helps to find the role; what counts is the one that comes with the
	 * brief.
	 */
	err = cs_schema_check(d->approver->registry, "countersign.action_core.v1",
		json_object_get(shown, "core"), fault);
	if (err == CS_OK)
		err = cs_review_role(d->approver, json_object_get(shown, "core"),
			cs_call_value(d->call, "role"), cs_now(), &role, fault);
	if (err == CS_OK)
		err = cs_caller_ask(d->call, d->link, "OpenBrief",
			json_pack("{s:s, s:s, s:s}", "id", id, "role", role, "approver",
				d->approver->person),
			&reply, fault);
	if (err == CS_OK)
		err = cs_review_open(d->approver, reply, role, cs_now(), &d->review, fault);
	if (err == CS_OK && !cs_json_same(json_object_get(shown, "core"), d->review.core))
		err = cs_fault_set(fault, CS_E_APPROVAL_ACTION, "core",
			"the appliance shows one action and asks about another");
	if (err == CS_OK)
		d->earlier = json_incref(json_object_get(shown, "decisions"));
	return err;
}

/*
 * Puts the decisions that were made before into the slots; one that does not verify is shown as
 * claimed.
 */
static void fill_slots(struct deciding *d)
{
	const struct cs_oversight *oversight = &d->review.oversight;
	struct cs_approval_context context = cs_review_context(&d->review, cs_now());
	const json_t *decision;
	size_t k;

	d->slot_count = oversight->slot_count;
	for (size_t i = 0; i < oversight->slot_count; i++)
		d->slots[i].role = oversight->slots[i];
	json_array_foreach(d->earlier, k, decision) {
		const char *role = cs_json_text_at(decision, "binding/role");
		const char *approver = cs_json_text(decision, "approver");
		const char *value = cs_json_text(decision, "decision");
		for (size_t i = 0;
			role != NULL && approver != NULL && value != NULL && i < d->slot_count;
			i++) {
			if (d->slots[i].approver != NULL || strcmp(d->slots[i].role, role) != 0)
				continue;
			d->slots[i].approver = approver;
			d->slots[i].decision = value;
			d->slots[i].verified =
				cs_approval_check(&context, decision, NULL, NULL) == CS_OK;
			break;
		}
	}
}

/* Nobody is asked for a PIN to sign what cannot count. A rejection always does. */
static enum cs_err check_counts(const struct deciding *d, struct cs_fault *fault)
{
	bool open = false;

	if (strcmp(d->decision, "rejected") == 0)
		return CS_OK;
	for (size_t i = 0; i < d->slot_count; i++) {
		const struct cs_signed_slot *slot = &d->slots[i];
		bool filled = slot->verified && (strcmp(slot->decision, "approved") == 0 ||
							strcmp(slot->decision, "approved_with_restrictions") == 0);
		if (filled && strcmp(slot->approver, d->approver->person) == 0)
			return cs_fault_set(fault, CS_E_APPROVAL_SAME_PERSON, "", "you signed this action already, as %s", slot->role);
		open = open || (!filled && strcmp(slot->role, d->review.role) == 0);
	}
	return open ? CS_OK
		    : cs_fault_set(fault, CS_E_APPROVAL_SLOT, "", "somebody else signed as %s already", d->review.role);
}

/* ---- showing ---- */

static enum cs_err present(struct deciding *d, struct cs_fault *fault)
{
	CS_CLEANUP_SCREEN struct cs_screen *screen = NULL;
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	int64_t longest = cs_json_integer(
		json_object_get(cs_policy_document(d->approver->policy), "approval"),
		"not_after_seconds", 0);
	enum cs_err err = cs_screen_new(&screen);

	if (err != CS_OK)
		return err;
	d->not_after = cs_time_add_seconds(cs_now(), longest);
	cs_present_review(&d->review, d->slots, d->slot_count, screen);
	cs_present_signature(&d->review, d->decision, d->not_after, d->rationale, screen);
	err = cs_screen_facts(screen, &d->facts, fault);
	if (err == CS_OK)
		err = cs_screen_render(screen, &text);
	cs_bytes_add_text(&text,
		"\nverified: follows from what you sign, your own trust set and your own policy.\n"
		"claimed: somebody's word, which nothing here has checked.\n\n");
	return err == CS_OK ? cs_terminal_write(&text, fault) : err;
}

/* ---- signing ---- */

static enum cs_err compose(struct deciding *d, cs_time decided_at, struct cs_fault *fault)
{
	uint8_t random[10];
	char ulid[CS_ULID_TEXT];
	char id[64];
	struct cs_decision_input input = {
		.id = id,
		.decision = d->decision,
		.rationale = d->rationale,
		.core = d->review.core,
		.basis = d->review.basis,
		.brief = d->review.brief,
		.policy = d->approver->policy,
		.trust_set = cs_trust_address(d->approver->trust),
		.audience = d->approver->audience,
		.role = d->review.role,
		.decided_at = decided_at,
		.not_after = d->not_after,
	};
	enum cs_err err = cs_snapshot_compose(d->review.basis, d->review.brief, d->facts, NULL,
		d->approver->person, decided_at, &d->snapshot);

	if (err == CS_OK)
		err = cs_schema_check(d->approver->registry, "kye.approver_knowledge_snapshot.v1",
			d->snapshot, fault);
	if (err != CS_OK)
		return err;
	randombytes_buf(random, sizeof random);
	cs_ulid_print(decided_at, random, ulid);
	snprintf(id, sizeof id, "kye:approval-decision:%s", ulid);
	input.snapshot = d->snapshot;
	return cs_decision_compose(&input, &d->signed_decision, fault);
}

/* The PIN may have taken its time: windows are judged again at the moment of signing. */
static enum cs_err sign(struct deciding *d, struct cs_approver_token *token, struct cs_fault *fault)
{
	cs_time at = cs_now();
	struct cs_approval_context context;
	enum cs_err err = cs_review_check_window(&d->review, at, fault);

	if (err == CS_OK && at >= d->not_after)
		err = cs_fault_set(fault, CS_E_APPROVAL_EXPIRED, "not_after",
			"it took too long: what was shown has expired");
	/* The two clocks may differ by the minutes that the window check allows. */
	if (at < d->review.issued_at)
		at = d->review.issued_at;
	if (err == CS_OK)
		err = compose(d, at, fault);
	if (err != CS_OK)
		return err;
	err = cs_inline_sign(d->signed_decision, &token->signer.signer, false);
	if (err != CS_OK)
		return cs_fault_set(
			fault, err, token->signer.fault.path, "%s", token->signer.fault.detail);
	context = cs_review_context(&d->review, at);
	return cs_approval_check(&context, d->signed_decision, NULL, fault);
}

static enum cs_err confirm_and_sign(struct deciding *d, struct cs_fault *fault)
{
	CS_CLEANUP_APPROVER_TOKEN struct cs_approver_token token = {0};
	bool yes = false;
	enum cs_err err = cs_approver_token_open(d->approver, &token, fault);

	if (err == CS_OK)
		err = cs_terminal_confirm("Sign? [y/N] ", &yes, fault);
	if (err == CS_OK && !yes)
		err = cs_fault_set(
			fault, CS_E_APPROVAL_MISSING, "", "you did not sign; nothing was sent");
	if (err == CS_OK)
		err = cs_approver_token_login(d->approver, &token, fault);
	return err == CS_OK ? sign(d, &token, fault) : err;
}

/* ---- sending ---- */

/* The decision is made and sent; a receipt that proves nothing is said to prove nothing. */
static enum cs_err print_receipt(
	const struct deciding *d, const json_t *reply, struct cs_fault *fault)
{
	CS_CLEANUP_BYTES struct cs_bytes text = {0};
	char address[CS_ADDRESS_TEXT];
	const json_t *receipt = json_object_get(reply, "receipt");
	uint64_t index;
	enum cs_err err = cs_address_of(d->signed_decision, address);

	if (err == CS_OK)
		err = cs_receipt_check(d->approver, receipt, address, cs_now(), &index, fault);
	if (err != CS_OK)
		return err;
	if (d->call->json) {
		CS_CLEANUP_JSON json_t *doc = json_pack("{s:s, s:s, s:s, s:O*, s:O}", "id",
			d->call->operand[0], "decision", d->decision, "address", address, "state",
			json_object_get(reply, "state"), "receipt", receipt);
		return doc == NULL ? CS_E_NOMEM : cs_report_json(doc, fault);
	}
	cs_report_field(&text, "decision", 9, d->decision);
	cs_report_field(&text, "address", 9, address);
	cs_report_field(&text, "state", 9, cs_json_text(reply, "state"));
	cs_bytes_addf(&text, "%-9sleaf %" PRIu64 " of the log %s, proof checked\n", "sealed", index,
		d->approver->audience);
	return cs_report_write(&text, fault);
}

static enum cs_err send_decision(struct deciding *d, struct cs_fault *fault)
{
	CS_CLEANUP_JSON json_t *reply = NULL;
	enum cs_err err = cs_caller_ask(d->call, d->link, "Decide",
		json_pack("{s:s, s:O, s:O}", "id", d->call->operand[0], "decision",
			d->signed_decision, "snapshot", d->snapshot),
		&reply, fault);

	return err == CS_OK ? print_receipt(d, reply, fault) : err;
}

enum cs_err cs_decide(struct cs_call *call, const char *decision, struct cs_fault *fault)
{
	struct deciding d = {
		.call = call, .decision = decision, .rationale = cs_call_value(call, "rationale")};
	enum cs_err err =
		cs_approver_load(cs_call_value(call, "config"), cs_now(), &d.approver, fault);

	if (d.rationale == NULL)
		d.rationale = "";
	if (err == CS_OK)
		err = cs_caller_connect(call, &d.link, fault);
	if (err == CS_OK)
		err = open_brief(&d, fault);
	if (err == CS_OK)
		fill_slots(&d);
	if (err == CS_OK)
		err = check_counts(&d, fault);
	if (err == CS_OK)
		err = present(&d, fault);
	if (err == CS_OK)
		err = confirm_and_sign(&d, fault);
	if (err == CS_OK)
		err = send_decision(&d, fault);
	json_decref(d.signed_decision);
	json_decref(d.snapshot);
	json_decref(d.facts);
	json_decref(d.earlier);
	cs_review_free(&d.review);
	cs_varlink_close(d.link);
	cs_approver_free(d.approver);
	return err;
}
