/* Frames between broker and signer, there and back, cut and bent. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/wire.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static json_t *object(const char *key, const char *value)
{
	json_t *doc = json_pack("{ss}", key, value);

	assert_non_null(doc);
	return doc;
}

/* A document of about `len` canonical bytes. */
static json_t *padded(size_t len)
{
	char *text = malloc(len + 1);

	assert_non_null(text);
	memset(text, 'x', len);
	text[len] = '\0';
	json_t *doc = object("pad", text);
	free(text);
	return doc;
}

static enum cs_err parse(
	const struct cs_bytes *frame, struct cs_wire_request *request, struct cs_fault *fault)
{
	size_t len = 0;

	assert_int_equal(cs_wire_length(frame->data, &len, fault), CS_OK);
	assert_int_equal(len, frame->len - CS_WIRE_HEADER);
	return cs_wire_request_parse(frame->data + CS_WIRE_HEADER, len, request, fault);
}

static struct cs_wire_entry make_entry(void)
{
	return (struct cs_wire_entry){
		.form = CS_SEAL_JWS,
		.statement = object("kind", "decision"),
		.core = object("schema", "core"),
		.approvals = json_pack("[{ss}{ss}]", "id", "one", "id", "two"),
		.constraints = object("restrictions", "none"),
		.document = object("other", "document"),
	};
}

static void free_entry(struct cs_wire_entry *entry)
{
	json_decref(entry->statement);
	json_decref(entry->core);
	json_decref(entry->approvals);
	json_decref(entry->constraints);
	json_decref(entry->document);
}

static void append_frame(struct cs_bytes *frame)
{
	struct cs_wire_entry entries[2] = {
		make_entry(), {.form = CS_SEAL_TLOG, .statement = object("kind", "policy")}};

	assert_int_equal(cs_wire_append(entries, 2, frame), CS_OK);
	free_entry(&entries[0]);
	free_entry(&entries[1]);
}

static void hello_comes_back(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes frame = {0};
	struct cs_wire_request request = {0};
	uint8_t root[CS_HASH];

	(void)state;
	memset(root, 7, sizeof root);
	assert_int_equal(cs_wire_hello(UINT64_C(0x0102030405060708), root, &frame), CS_OK);
	assert_int_equal(frame.len, CS_WIRE_HEADER + 1 + 8 + CS_HASH);
	assert_memory_equal(frame.data, "\0\0\0\x29\x01\x01\x02\x03\x04\x05\x06\x07\x08\x07", 14);
	assert_int_equal(parse(&frame, &request, NULL), CS_OK);
	assert_int_equal(request.operation, CS_WIRE_HELLO);
	assert_true(request.size == UINT64_C(0x0102030405060708));
	assert_memory_equal(request.root, root, CS_HASH);
	cs_wire_request_free(&request);
}

static void append_comes_back(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes frame = {0};
	struct cs_wire_request request = {0};

	(void)state;
	append_frame(&frame);
	assert_int_equal(parse(&frame, &request, NULL), CS_OK);
	assert_int_equal(request.operation, CS_WIRE_APPEND);
	assert_int_equal(request.count, 2);
	assert_int_equal(request.entries[0].form, CS_SEAL_JWS);
	assert_string_equal(cs_json_text(request.entries[0].statement, "kind"), "decision");
	assert_string_equal(cs_json_text(request.entries[0].core, "schema"), "core");
	assert_int_equal(json_array_size(request.entries[0].approvals), 2);
	assert_string_equal(
		cs_json_text(json_array_get(request.entries[0].approvals, 1), "id"), "two");
	assert_string_equal(cs_json_text(request.entries[0].constraints, "restrictions"), "none");
	assert_string_equal(cs_json_text(request.entries[0].document, "other"), "document");
	assert_int_equal(request.entries[1].form, CS_SEAL_TLOG);
	assert_null(request.entries[1].core);
	assert_int_equal(json_array_size(request.entries[1].approvals), 0);
	cs_wire_request_free(&request);
}

/* Every beginning of a frame is refused, and so is every frame with something after it. */
static void cut_and_longer_frames_are_refused(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes frame = {0}, longer = {0};
	struct cs_wire_request request = {0};

	(void)state;
	append_frame(&frame);
	for (size_t len = 0; len < frame.len - CS_WIRE_HEADER; len++) {
		/* A copy of exactly this length, so that a read beyond it is seen. */
		uint8_t *copy = malloc(len > 0 ? len : 1);
		assert_non_null(copy);
		memcpy(copy, frame.data + CS_WIRE_HEADER, len);
		assert_int_equal(cs_wire_request_parse(copy, len, &request, NULL), CS_E_FRAME);
		free(copy);
	}
	cs_bytes_add(&longer, frame.data + CS_WIRE_HEADER, frame.len - CS_WIRE_HEADER);
	cs_bytes_add(&longer, "", 1);
	assert_int_equal(
		cs_wire_request_parse(longer.data, longer.len, &request, NULL), CS_E_FRAME);
}

struct raw {
	const char *name;
	const char *bytes;
	size_t len;
	enum cs_err err;
};
#define RAW(name, bytes, err) \
	{ \
		name, bytes, sizeof bytes - 1, err \
	}

static void malformed_payloads_are_refused(void **state)
{
	static const struct raw cases[] = {
		RAW("no operation", "", CS_E_FRAME),
		RAW("operation 0", "\0", CS_E_OPERATION),
		RAW("operation 5", "\5", CS_E_OPERATION),
		RAW("hello without a root", "\1\0\0\0\0\0\0\0\0", CS_E_FRAME),
		RAW("health with something after it", "\4x", CS_E_FRAME),
		RAW("append of nothing", "\2\0\0", CS_E_FRAME),
		RAW("append of 65 statements", "\2\0\x41", CS_E_TOO_LARGE),
		RAW("form 0", "\2\0\1\0\0\0\0\0\2{}", CS_E_FRAME),
		RAW("form 3", "\2\0\1\3\0\0\0\0\2{}", CS_E_FRAME),
		RAW("64 pieces of evidence", "\2\0\1\1\x40\0\0\0\2{}", CS_E_TOO_LARGE),
		RAW("statement longer than its cap", "\2\0\1\1\0\0\0\x10\1{}", CS_E_TOO_LARGE),
		RAW("statement longer than the frame", "\2\0\1\1\0\0\0\0\3{}", CS_E_FRAME),
		RAW("statement of length 0", "\2\0\1\1\0\0\0\0\0", CS_E_JSON_SYNTAX),
		RAW("statement not canonical", "\2\0\1\1\0\0\0\0\3{ }", CS_E_NOT_CANONICAL),
		RAW("statement no object", "\2\0\1\1\0\0\0\0\2[]", CS_E_DOCUMENT_INVALID),
		RAW("evidence of tag 0", "\2\0\1\1\1\0\0\0\2{}\0\0\0\0\2{}", CS_E_FRAME),
		RAW("evidence of tag 5", "\2\0\1\1\1\0\0\0\2{}\5\0\0\0\2{}", CS_E_FRAME),
		RAW("two cores", "\2\0\1\1\2\0\0\0\2{}\1\0\0\0\2{}\1\0\0\0\2{}", CS_E_FRAME),
		RAW("two constraints", "\2\0\1\1\2\0\0\0\2{}\3\0\0\0\2{}\3\0\0\0\2{}", CS_E_FRAME),
		RAW("two documents", "\2\0\1\1\2\0\0\0\2{}\4\0\0\0\2{}\4\0\0\0\2{}", CS_E_FRAME),
		RAW("approval longer than its cap", "\2\0\1\1\1\0\0\0\2{}\2\0\0\x40\1{}",
			CS_E_TOO_LARGE),
		RAW("core longer than its cap", "\2\0\1\1\1\0\0\0\2{}\1\0\1\0\1{}", CS_E_TOO_LARGE),
		RAW("document longer than its cap", "\2\0\1\1\1\0\0\0\2{}\4\0\1\x80\1{}",
			CS_E_TOO_LARGE),
		RAW("certify without a key", "\3\0\0\0\2{}", CS_E_DOCUMENT_INVALID),
		RAW("certify with a text", "\3\0\0\0\x0a{\"jwk\":\"\"}", CS_E_DOCUMENT_INVALID),
		RAW("certify with more", "\3\0\0\0\x10{\"a\":1,\"jwk\":{}}", CS_E_DOCUMENT_INVALID),
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct cs_wire_request request = {0};
		struct cs_fault fault = {0};
		enum cs_err err = cs_wire_request_parse(
			(const uint8_t *)cases[i].bytes, cases[i].len, &request, &fault);
		if (err != cases[i].err)
			print_error("%s: %s (%s)\n", cases[i].name, cs_err_name(err), fault.detail);
		assert_int_equal(err, cases[i].err);
		assert_int_equal(request.count, 0);
	}
}

static void nine_approvals_are_too_many(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes frame = {0};
	struct cs_wire_request request = {0};
	struct cs_wire_entry entry = {
		.form = CS_SEAL_JWS, .statement = json_object(), .approvals = json_array()};
	static const char one[] = "\2\0\0\0\2{}";

	(void)state;
	for (int i = 0; i < CS_APPROVALS_MAX; i++)
		json_array_append_new(entry.approvals, json_object());
	assert_int_equal(cs_wire_append(&entry, 1, &frame), CS_OK);
	assert_int_equal(parse(&frame, &request, NULL), CS_OK);
	assert_int_equal(json_array_size(request.entries[0].approvals), CS_APPROVALS_MAX);
	cs_wire_request_free(&request);
	/* The count stands after operation, number and form. */
	frame.data[CS_WIRE_HEADER + 4]++;
	cs_bytes_add(&frame, one, sizeof one - 1);
	assert_int_equal(cs_wire_request_parse(frame.data + CS_WIRE_HEADER,
				 frame.len - CS_WIRE_HEADER, &request, NULL),
		CS_E_TOO_LARGE);
	json_array_append_new(entry.approvals, json_object());
	assert_int_equal(cs_wire_append(&entry, 1, &frame), CS_E_TOO_LARGE);
	free_entry(&entry);
}

/* What is refused when read is not written either. */
static void writers_keep_the_caps(void **state)
{
	const struct {
		size_t len;
		size_t member; /* of struct cs_wire_entry */
	} cases[] = {
		{CS_STATEMENT_MAX, offsetof(struct cs_wire_entry, statement)},
		{CS_CORE_MAX, offsetof(struct cs_wire_entry, core)},
		{CS_EVIDENCE_MAX, offsetof(struct cs_wire_entry, constraints)},
		{CS_EVIDENCE_MAX, offsetof(struct cs_wire_entry, document)},
	};
	const size_t frame_of_json = strlen("{\"pad\":\"\"}");

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CS_CLEANUP_BYTES struct cs_bytes frame = {0};
		struct cs_wire_entry entry = make_entry();
		json_t **place = (json_t **)((char *)&entry + cases[i].member);
		json_decref(*place);
		*place = padded(cases[i].len - frame_of_json);
		assert_int_equal(cs_wire_append(&entry, 1, &frame), CS_OK);
		json_decref(*place);
		*place = padded(cases[i].len - frame_of_json + 1);
		assert_int_equal(cs_wire_append(&entry, 1, &frame), CS_E_TOO_LARGE);
		free_entry(&entry);
	}
	CS_CLEANUP_BYTES struct cs_bytes frame = {0};
	assert_int_equal(cs_wire_append(NULL, 0, &frame), CS_E_USAGE);
}

/* Eleven statements with the largest core fit the number of documents and not the frame. */
static void a_frame_has_a_length(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes frame = {0};
	struct cs_wire_entry entries[17];
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < 17; i++)
		entries[i] = (struct cs_wire_entry){.form = CS_SEAL_JWS,
			.statement = json_object(),
			.core = padded(CS_CORE_MAX - 10)};
	assert_int_equal(cs_wire_append(entries, 15, &frame), CS_OK);
	assert_int_equal(cs_wire_append(entries, 17, &frame), CS_E_TOO_LARGE);
	for (size_t i = 0; i < 17; i++)
		free_entry(&entries[i]);
	assert_int_equal(cs_wire_length((const uint8_t *)"\0\x10\0\0", &len, NULL), CS_OK);
	assert_int_equal(len, CS_MESSAGE_MAX);
	assert_int_equal(cs_wire_length((const uint8_t *)"\0\x10\0\1", &len, NULL), CS_E_FRAME);
	assert_int_equal(
		cs_wire_length((const uint8_t *)"\xff\xff\xff\xff", &len, NULL), CS_E_FRAME);
	assert_int_equal(cs_wire_length((const uint8_t *)"\0\0\0\0", &len, NULL), CS_E_FRAME);
}

static void answers_come_back(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes frame = {0};
	CS_CLEANUP_JSON json_t *doc = object("checkpoint", "text"), *answer = NULL;
	const struct cs_fault refusal = {
		.path = "/approvals/1", .detail = "one person in two slots"};
	struct cs_fault fault = {0};
	bool refused = true;

	(void)state;
	assert_int_equal(cs_wire_done(doc, &frame), CS_OK);
	assert_int_equal(cs_wire_answer_parse(frame.data + CS_WIRE_HEADER,
				 frame.len - CS_WIRE_HEADER, &answer, &refused, &fault),
		CS_OK);
	assert_false(refused);
	assert_true(json_equal(answer, doc));
	assert_int_equal(cs_wire_refused(CS_E_APPROVAL_SAME_PERSON, &refusal, &frame), CS_OK);
	assert_int_equal(cs_wire_answer_parse(frame.data + CS_WIRE_HEADER,
				 frame.len - CS_WIRE_HEADER, &answer, &refused, &fault),
		CS_E_APPROVAL_SAME_PERSON);
	assert_true(refused);
	assert_string_equal(fault.path, "/approvals/1");
	assert_string_equal(fault.detail, "one person in two slots");
}

static void malformed_answers_are_no_refusals(void **state)
{
	static const struct raw cases[] = {
		RAW("nothing", "", CS_E_FRAME),
		RAW("status 2", "\2\0\0\0\2{}", CS_E_FRAME),
		RAW("no document", "\0", CS_E_FRAME),
		RAW("a document and more", "\0\0\0\0\2{}x", CS_E_FRAME),
		RAW("no object", "\0\0\0\0\2[]", CS_E_DOCUMENT_INVALID),
		RAW("a refusal without a reason", "\1\0\0\0\2{}", CS_E_FRAME),
	};
	static const char unknown[] =
		"\1\0\0\0\x26{\"code\":\"new\",\"detail\":\"\\u001b\",\"path\":\"\"}";
	json_t *answer = NULL;
	bool refused = true;
	struct cs_fault fault = {0};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(cs_wire_answer_parse((const uint8_t *)cases[i].bytes, cases[i].len,
					 &answer, &refused, NULL),
			cases[i].err);
		assert_false(refused);
	}
	char text[sizeof unknown];
	memcpy(text, unknown, sizeof unknown);
	text[4] = (char)(sizeof unknown - 1 - 5);
	assert_int_equal(cs_wire_answer_parse((const uint8_t *)text, sizeof unknown - 1, &answer,
				 &refused, &fault),
		CS_E_INTERNAL);
	assert_true(refused);
	assert_non_null(strstr(fault.detail, "new"));
	assert_null(strchr(fault.detail, '\033'));
	assert_null(answer);
}

static void frames_travel_over_sockets(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes frame = {0}, payload = {0};
	const struct timeval soon = {0, 50000};
	struct cs_wire_request request = {0};
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	append_frame(&frame);
	assert_int_equal(cs_wire_send(fd[0], &frame, NULL), CS_OK);
	assert_int_equal(cs_wire_receive(fd[1], &payload, NULL), CS_OK);
	assert_int_equal(payload.len, frame.len - CS_WIRE_HEADER);
	assert_int_equal(cs_wire_request_parse(payload.data, payload.len, &request, NULL), CS_OK);
	cs_wire_request_free(&request);

	assert_int_equal(setsockopt(fd[1], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon), 0);
	assert_int_equal(cs_wire_receive(fd[1], &payload, NULL), CS_E_TIMEOUT);
	/* A frame that ends in the middle, then the end of the stream, then nobody to write to. */
	assert_int_equal(send(fd[0], frame.data, 20, 0), 20);
	assert_int_equal(shutdown(fd[0], SHUT_WR), 0);
	assert_int_equal(cs_wire_receive(fd[1], &payload, NULL), CS_E_FRAME);
	assert_int_equal(cs_wire_receive(fd[1], &payload, NULL), CS_E_NOT_FOUND);
	close(fd[0]);
	assert_int_equal(cs_wire_send(fd[1], &frame, NULL), CS_E_IO);
	close(fd[1]);
}

static void a_length_alone_is_refused_on_a_socket(void **state)
{
	CS_CLEANUP_BYTES struct cs_bytes payload = {0};
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	assert_int_equal(send(fd[0], "\xff\xff\xff\xff", 4, 0), 4);
	assert_int_equal(cs_wire_receive(fd[1], &payload, NULL), CS_E_FRAME);
	assert_int_equal(send(fd[0], "\0\0", 2, 0), 2);
	close(fd[0]);
	assert_int_equal(cs_wire_receive(fd[1], &payload, NULL), CS_E_FRAME);
	close(fd[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_comes_back),
		cmocka_unit_test(append_comes_back),
		cmocka_unit_test(cut_and_longer_frames_are_refused),
		cmocka_unit_test(malformed_payloads_are_refused),
		cmocka_unit_test(nine_approvals_are_too_many),
		cmocka_unit_test(writers_keep_the_caps),
		cmocka_unit_test(a_frame_has_a_length),
		cmocka_unit_test(answers_come_back),
		cmocka_unit_test(malformed_answers_are_no_refusals),
		cmocka_unit_test(frames_travel_over_sockets),
		cmocka_unit_test(a_length_alone_is_refused_on_a_socket),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
