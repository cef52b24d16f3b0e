#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t cs_wire_evidence_cap(enum cs_wire_evidence tag)
{
	switch (tag) {
	case CS_WIRE_CORE:
		return CS_CORE_MAX;
	case CS_WIRE_APPROVAL:
		return CS_APPROVAL_MAX;
	case CS_WIRE_CONSTRAINTS:
	case CS_WIRE_DOCUMENT:
		return CS_EVIDENCE_MAX;
	}
	return 0;
}

enum cs_err cs_wire_length(
	const uint8_t header[CS_WIRE_HEADER], size_t *ret_len, struct cs_fault *fault)
{
	uint32_t len = (uint32_t)header[0] << 24 | (uint32_t)header[1] << 16 |
		       (uint32_t)header[2] << 8 | header[3];

	if (len == 0 || len > CS_MESSAGE_MAX)
		return cs_fault_set(fault, CS_E_FRAME, "length", "%u is not between 1 and %d",
			(unsigned)len, CS_MESSAGE_MAX);
	*ret_len = len;
	return CS_OK;
}

struct reader {
	const uint8_t *at;
	size_t left;
	struct cs_fault *fault;
};

static enum cs_err cut_short(struct reader *r, const char *field)
{
	return cs_fault_set(r->fault, CS_E_FRAME, field, "the frame is cut short");
}

static enum cs_err read_integer(struct reader *r, size_t width, const char *field, uint64_t *ret)
{
	uint64_t value = 0;

	if (r->left < width)
		return cut_short(r, field);
	for (size_t i = 0; i < width; i++)
		value = value << 8 | r->at[i];
	r->at += width;
	r->left -= width;
	*ret = value;
	return CS_OK;
}

static enum cs_err read_document(struct reader *r, size_t max, const char *field, json_t **ret)
{
	uint64_t len = 0;
	struct cs_fault inner = {0};
	json_t *doc = NULL;

	enum cs_err err = read_integer(r, 4, field, &len);
	if (err != CS_OK)
		return err;
	if (len > max)
		return cs_fault_set(r->fault, CS_E_TOO_LARGE, field,
			"%llu bytes, at most %zu are allowed", (unsigned long long)len, max);
	if (len > r->left)
		return cut_short(r, field);
	err = cs_json_read_canonical(r->at, (size_t)len, max, &doc, &inner);
	if (err != CS_OK)
		return cs_fault_set(r->fault, err, field, "%s", inner.detail);
	if (!json_is_object(doc)) {
		json_decref(doc);
		return cs_fault_set(r->fault, CS_E_DOCUMENT_INVALID, field, "not a JSON object");
	}
	r->at += len;
	r->left -= (size_t)len;
	*ret = doc;
	return CS_OK;
}

static enum cs_err nothing_left(const struct reader *r)
{
	if (r->left != 0)
		return cs_fault_set(r->fault, CS_E_FRAME, "", "%zu bytes are left over", r->left);
	return CS_OK;
}

static void entry_free(struct cs_wire_entry *entry)
{
	json_decref(entry->statement);
	json_decref(entry->core);
	json_decref(entry->approvals);
	json_decref(entry->constraints);
	json_decref(entry->document);
}

void cs_wire_request_free(struct cs_wire_request *request)
{
	for (size_t i = 0; i < request->count; i++)
		entry_free(&request->entries[i]);
	free(request->entries);
	json_decref(request->jwk);
	memset(request, 0, sizeof *request);
}

static enum cs_err read_evidence(struct reader *r, struct cs_wire_entry *entry, const char *field)
{
	uint64_t tag = 0;
	json_t *doc = NULL;
	json_t **place = NULL;

	enum cs_err err = read_integer(r, 1, field, &tag);
	if (err != CS_OK)
		return err;
	size_t max = cs_wire_evidence_cap((enum cs_wire_evidence)tag);
	if (max == 0)
		return cs_fault_set(r->fault, CS_E_FRAME, field, "evidence has the unknown tag %u",
			(unsigned)tag);
	if (tag == CS_WIRE_CORE)
		place = &entry->core;
	else if (tag == CS_WIRE_CONSTRAINTS)
		place = &entry->constraints;
	else if (tag == CS_WIRE_DOCUMENT)
		place = &entry->document;
	if (place != NULL && *place != NULL)
		return cs_fault_set(
			r->fault, CS_E_FRAME, field, "evidence of tag %u twice", (unsigned)tag);
	if (place == NULL && json_array_size(entry->approvals) == CS_APPROVALS_MAX)
		return cs_fault_set(r->fault, CS_E_TOO_LARGE, field, "more than %d approvals",
			CS_APPROVALS_MAX);
	err = read_document(r, max, field, &doc);
	if (err != CS_OK)
		return err;
	if (place != NULL)
		*place = doc;
	else if (json_array_append_new(entry->approvals, doc) != 0)
		return CS_E_NOMEM;
	return CS_OK;
}

static enum cs_err read_entry(
	struct reader *r, struct cs_wire_entry *entry, size_t index, size_t *documents)
{
	char field[64];
	uint64_t form = 0, count = 0;

	snprintf(field, sizeof field, "statements/%zu", index);
	entry->approvals = json_array();
	if (entry->approvals == NULL)
		return CS_E_NOMEM;
	enum cs_err err = read_integer(r, 1, field, &form);
	if (err == CS_OK)
		err = read_integer(r, 1, field, &count);
	if (err != CS_OK)
		return err;
	if (form != CS_SEAL_JWS && form != CS_SEAL_TLOG)
		return cs_fault_set(r->fault, CS_E_FRAME, field, "unknown form %u", (unsigned)form);
	entry->form = (enum cs_seal_form)form;
	*documents += (size_t)count + 1;
	if (*documents > CS_FRAME_DOCUMENTS_MAX)
		return cs_fault_set(r->fault, CS_E_TOO_LARGE, field, "more than %d documents",
			CS_FRAME_DOCUMENTS_MAX);
	err = read_document(r, CS_STATEMENT_MAX, field, &entry->statement);
	for (uint64_t i = 0; i < count && err == CS_OK; i++) {
		snprintf(field, sizeof field, "statements/%zu/evidence/%u", index, (unsigned)i);
		err = read_evidence(r, entry, field);
	}
	return err;
}

static enum cs_err read_append(struct reader *r, struct cs_wire_request *request)
{
	uint64_t count = 0;
	size_t documents = 0;

	enum cs_err err = read_integer(r, 2, "count", &count);
	if (err != CS_OK)
		return err;
	if (count == 0)
		return cs_fault_set(r->fault, CS_E_FRAME, "count", "no statement");
	if (count > CS_FRAME_DOCUMENTS_MAX)
		return cs_fault_set(r->fault, CS_E_TOO_LARGE, "count", "more than %d documents",
			CS_FRAME_DOCUMENTS_MAX);
	request->entries = calloc((size_t)count, sizeof *request->entries);
	if (request->entries == NULL)
		return CS_E_NOMEM;
	request->count = (size_t)count;
	for (size_t i = 0; i < request->count && err == CS_OK; i++)
		err = read_entry(r, &request->entries[i], i, &documents);
	return err;
}

static enum cs_err read_hello(struct reader *r, struct cs_wire_request *request)
{
	enum cs_err err = read_integer(r, 8, "size", &request->size);

	if (err != CS_OK)
		return err;
	if (r->left < CS_HASH)
		return cut_short(r, "root");
	memcpy(request->root, r->at, CS_HASH);
	r->at += CS_HASH;
	r->left -= CS_HASH;
	return CS_OK;
}

static enum cs_err read_certify(struct reader *r, struct cs_wire_request *request)
{
	CS_CLEANUP_JSON json_t *doc = NULL;

	enum cs_err err = read_document(r, CS_STATEMENT_MAX, "certify", &doc);
	if (err != CS_OK)
		return err;
	json_t *jwk = json_object_get(doc, "jwk");
	if (json_object_size(doc) != 1 || !json_is_object(jwk))
		return cs_fault_set(r->fault, CS_E_DOCUMENT_INVALID, "certify",
			"not exactly {\"jwk\": an object}");
	request->jwk = json_incref(jwk);
	return CS_OK;
}

static enum cs_err read_nothing(struct reader *r, struct cs_wire_request *request)
{
	(void)r;
	(void)request;
	return CS_OK;
}

static const struct {
	enum cs_wire_operation operation;
	enum cs_err (*read)(struct reader *r, struct cs_wire_request *request);
} operations[] = {
	{CS_WIRE_HELLO, read_hello},
	{CS_WIRE_APPEND, read_append},
	{CS_WIRE_CERTIFY, read_certify},
	{CS_WIRE_HEALTH, read_nothing},
};

enum cs_err cs_wire_request_parse(const uint8_t *payload, size_t len,
	struct cs_wire_request *ret_request, struct cs_fault *fault)
{
	struct reader r = {payload, len, fault};
	struct cs_wire_request request = {0};
	uint64_t operation = 0;
	size_t row = 0;

	enum cs_err err = read_integer(&r, 1, "operation", &operation);
	if (err != CS_OK)
		return err;
	while (row < sizeof operations / sizeof operations[0] &&
		operations[row].operation != operation)
		row++;
	if (row == sizeof operations / sizeof operations[0])
		return cs_fault_set(fault, CS_E_OPERATION, "operation", "%u", (unsigned)operation);
	request.operation = (enum cs_wire_operation)operation;
	err = operations[row].read(&r, &request);
	if (err == CS_OK)
		err = nothing_left(&r);
	if (err != CS_OK) {
		cs_wire_request_free(&request);
		return err;
	}
	*ret_request = request;
	return CS_OK;
}

static enum cs_err refusal(const json_t *doc, bool *ret_refused, struct cs_fault *fault)
{
	const char *code = cs_json_text(doc, "code");
	const char *detail = cs_json_text(doc, "detail");
	const char *path = cs_json_text(doc, "path");

	if (code == NULL || detail == NULL || path == NULL)
		return cs_fault_set(fault, CS_E_FRAME, "refusal", "has no code, detail and path");
	*ret_refused = true;
	enum cs_err err = cs_err_by_name(code);
	if (err == CS_OK || err == CS_ERR_COUNT)
		return cs_fault_set(fault, CS_E_INTERNAL, path,
			"the signer's unknown error '%s': %s", code, detail);
	return cs_fault_set(fault, err, path, "%s", detail);
}

enum cs_err cs_wire_answer_parse(const uint8_t *payload, size_t len, json_t **ret_document,
	bool *ret_refused, struct cs_fault *fault)
{
	struct reader r = {payload, len, fault};
	CS_CLEANUP_JSON json_t *doc = NULL;
	uint64_t status = 0;

	*ret_refused = false;
	enum cs_err err = read_integer(&r, 1, "status", &status);
	if (err == CS_OK && status != CS_WIRE_DONE && status != CS_WIRE_REFUSED)
		err = cs_fault_set(
			fault, CS_E_FRAME, "status", "%u is no status", (unsigned)status);
	if (err == CS_OK)
		err = read_document(&r, CS_MESSAGE_MAX, "answer", &doc);
	if (err == CS_OK)
		err = nothing_left(&r);
	if (err != CS_OK)
		return err;
	if (status == CS_WIRE_REFUSED)
		return refusal(doc, ret_refused, fault);
	*ret_document = doc;
	doc = NULL;
	return CS_OK;
}
