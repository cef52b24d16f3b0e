#include "wire.h"

#include <string.h>

static void begin(struct cs_bytes *frame, uint8_t operation)
{
	const uint8_t head[CS_WIRE_HEADER + 1] = {0, 0, 0, 0, operation};

	frame->len = 0;
	cs_bytes_add(frame, head, sizeof head);
}

static void add_integer(struct cs_bytes *frame, uint64_t value, size_t width)
{
	uint8_t raw[8];

	for (size_t i = 0; i < width; i++)
		raw[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
	cs_bytes_add(frame, raw, width);
}

static void put_length(struct cs_bytes *frame, size_t at, size_t len)
{
	for (size_t i = 0; i < 4; i++)
		frame->data[at + i] = (uint8_t)(len >> (8 * (3 - i)));
}

static enum cs_err add_document(struct cs_bytes *frame, const json_t *doc, size_t max)
{
	size_t at = frame->len;

	add_integer(frame, 0, 4);
	enum cs_err err = cs_canonical_print(doc, frame);
	if (err == CS_OK)
		err = cs_bytes_check(frame);
	if (err != CS_OK)
		return err;
	size_t len = frame->len - at - 4;
	if (len > max)
		return CS_E_TOO_LARGE;
	put_length(frame, at, len);
	return CS_OK;
}

static enum cs_err finish(struct cs_bytes *frame)
{
	enum cs_err err = cs_bytes_check(frame);

	if (err != CS_OK)
		return err;
	if (frame->len - CS_WIRE_HEADER > CS_MESSAGE_MAX)
		return CS_E_TOO_LARGE;
	put_length(frame, 0, frame->len - CS_WIRE_HEADER);
	return CS_OK;
}

enum cs_err cs_wire_hello(uint64_t size, const uint8_t root[CS_HASH], struct cs_bytes *frame)
{
	begin(frame, CS_WIRE_HELLO);
	add_integer(frame, size, 8);
	cs_bytes_add(frame, root, CS_HASH);
	return finish(frame);
}

enum cs_err cs_wire_health(struct cs_bytes *frame)
{
	begin(frame, CS_WIRE_HEALTH);
	return finish(frame);
}

static enum cs_err one_document(uint8_t operation, const json_t *doc, struct cs_bytes *frame)
{
	begin(frame, operation);
	enum cs_err err = add_document(frame, doc, CS_MESSAGE_MAX);
	return err == CS_OK ? finish(frame) : err;
}

enum cs_err cs_wire_certify(const json_t *jwk, struct cs_bytes *frame)
{
	CS_CLEANUP_JSON json_t *doc = json_pack("{s:O}", "jwk", jwk);

	return doc == NULL ? CS_E_NOMEM : one_document(CS_WIRE_CERTIFY, doc, frame);
}

enum cs_err cs_wire_done(const json_t *document, struct cs_bytes *frame)
{
	return one_document(CS_WIRE_DONE, document, frame);
}

enum cs_err cs_wire_refused(enum cs_err code, const struct cs_fault *fault, struct cs_bytes *frame)
{
	const char *detail = fault && fault->detail[0] != '\0' ? fault->detail : cs_err_text(code);
	CS_CLEANUP_JSON json_t *doc = json_pack("{s:s, s:s, s:s}", "code", cs_err_name(code),
		"detail", detail, "path", fault ? fault->path : "");

	return doc == NULL ? CS_E_NOMEM : one_document(CS_WIRE_REFUSED, doc, frame);
}

struct evidence {
	enum cs_wire_evidence tag;
	const json_t *doc;
};

static enum cs_err add_entry(
	struct cs_bytes *frame, const struct cs_wire_entry *entry, size_t *documents)
{
	struct evidence list[CS_APPROVALS_MAX + 3];
	size_t count = 0;

	if (json_array_size(entry->approvals) > CS_APPROVALS_MAX)
		return CS_E_TOO_LARGE;
	if (entry->core != NULL)
		list[count++] = (struct evidence){CS_WIRE_CORE, entry->core};
	for (size_t i = 0; i < json_array_size(entry->approvals); i++)
		list[count++] =
			(struct evidence){CS_WIRE_APPROVAL, json_array_get(entry->approvals, i)};
	if (entry->constraints != NULL)
		list[count++] = (struct evidence){CS_WIRE_CONSTRAINTS, entry->constraints};
	if (entry->document != NULL)
		list[count++] = (struct evidence){CS_WIRE_DOCUMENT, entry->document};
	*documents += count + 1;
	if (*documents > CS_FRAME_DOCUMENTS_MAX)
		return CS_E_TOO_LARGE;
	add_integer(frame, entry->form, 1);
	add_integer(frame, count, 1);
	enum cs_err err = add_document(frame, entry->statement, CS_STATEMENT_MAX);
	for (size_t i = 0; i < count && err == CS_OK; i++) {
		add_integer(frame, list[i].tag, 1);
		err = add_document(frame, list[i].doc, cs_wire_evidence_cap(list[i].tag));
	}
	return err;
}

enum cs_err cs_wire_append(
	const struct cs_wire_entry *entries, size_t count, struct cs_bytes *frame)
{
	size_t documents = 0;
	enum cs_err err = CS_OK;

	if (count == 0)
		return CS_E_USAGE;
	if (count > CS_FRAME_DOCUMENTS_MAX)
		return CS_E_TOO_LARGE;
	begin(frame, CS_WIRE_APPEND);
	add_integer(frame, count, 2);
	for (size_t i = 0; i < count && err == CS_OK; i++)
		err = add_entry(frame, &entries[i], &documents);
	return err == CS_OK ? finish(frame) : err;
}
