#include "text.h"
#include "utf8.h"

#include <countersign/limits.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/*
 * General categories and scripts are those of the Unicode version that PCRE2 carries. The classes
 * are patterns compiled once in a process; a failed attempt (no memory) may be repeated by the next
 * caller.
 */
enum class { FORBIDDEN, ESCAPED, WORD, ONE_SCRIPT, CLASSES };

/* Letters, their marks, digits and the underscore: what a reader takes for one name. */
#define WORD_CLASS "[\\p{L}\\p{M}\\p{N}_]"
#define LATIN_AND "(?:[\\p{sc:Latin}\\p{sc:Common}\\p{sc:Inherited}\\p{sc:Han}"

static const char *const patterns[CLASSES] = {
	/*
	 * Other: control, format (bidirectional controls included), surrogate, private use,
	 * unassigned.
	 */
	[FORBIDDEN] = "[\\p{C}\\p{Zl}\\p{Zp}]",
	/*
	 * Shown as code points: the forbidden ones, what a reader cannot see or takes for a plain
	 * space, a mark with nothing of the text under it, and marks heaped on one letter beyond
	 * what any writing needs (UTS 39 section 5.4 counts four).
	 */
	[ESCAPED] = "(?! )[\\p{C}\\p{Z}\\p{Default_Ignorable_Code_Point}\\x{2800}]"
		    "|(?:\\A|(?<=\\n))\\p{M}++"
		    "|(?<=\\p{M}{4})\\p{M}++",
	[WORD] = WORD_CLASS "++",
	/*
	 * One script, or a mixture that is ordinary writing: what UTS 39 section 5.2 calls highly
	 * restrictive, Latin with Japanese, Chinese or Korean. A script run also takes all digits
	 * from one set.
	 */
	[ONE_SCRIPT] = "\\A(?:(*asr:" WORD_CLASS "++)\\z"
		       "|" LATIN_AND "\\p{sc:Hiragana}\\p{sc:Katakana}]++)\\z"
		       "|" LATIN_AND "\\p{sc:Bopomofo}]++)\\z"
		       "|" LATIN_AND "\\p{sc:Hangul}]++)\\z)",
};

static pcre2_code *compiled[CLASSES];

/*
 * NULL when out of memory. Two threads may both compile; the second one then takes the first one's
 * result.
 */
static const pcre2_code *get(enum class class)
{
	pcre2_code *code = __atomic_load_n(&compiled[class], __ATOMIC_ACQUIRE), *other = NULL;
	PCRE2_SIZE offset;
	int error;

	if (code != NULL)
		return code;
	code = pcre2_compile((PCRE2_SPTR)patterns[class], PCRE2_ZERO_TERMINATED,
		PCRE2_UTF | PCRE2_UCP, &error, &offset, NULL);
	if (code == NULL)
		return NULL;
	if (__atomic_compare_exchange_n(
		    &compiled[class], &other, code, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return code;
	pcre2_code_free(code);
	return other;
}

struct finder {
	pcre2_match_data *data;
};

static void finder_free(struct finder *f)
{
	pcre2_match_data_free(f->data);
}

/*
 * First match in text[from..len), which is valid UTF-8: CS_OK with its bounds, CS_E_NOT_FOUND,
 * CS_E_NOMEM. These patterns never backtrack, so a failure other than "no match" is lack of memory.
 */
static enum cs_err find(struct finder *f, enum class class, const char *text, size_t len,
	size_t from, size_t bounds[2])
{
	const pcre2_code *code = get(class);

	if (code == NULL)
		return CS_E_NOMEM;
	if (f->data == NULL)
		f->data = pcre2_match_data_create(1, NULL);
	if (f->data == NULL)
		return CS_E_NOMEM;
	int found =
		pcre2_match(code, (PCRE2_SPTR)text, len, from, PCRE2_NO_UTF_CHECK, f->data, NULL);
	if (found == PCRE2_ERROR_NOMATCH)
		return CS_E_NOT_FOUND;
	if (found < 0)
		return CS_E_NOMEM;
	const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(f->data);
	bounds[0] = ends[0];
	bounds[1] = ends[1];
	return CS_OK;
}

static size_t ascii_run(const char *text, size_t len, size_t from)
{
	size_t at = from;

	while (at < len && text[at] >= 0x20 && text[at] < 0x7f)
		at++;
	return at;
}

/*
 * Bounds of the first run at or after `from` of what `class`, FORBIDDEN or ESCAPED, describes,
 * newline included; both are `len` when there is none.
 */
static enum cs_err find_unsafe(struct finder *f, enum class class, const char *text, size_t len,
	size_t from, size_t bounds[2])
{
	from = ascii_run(text, len, from);
	/* Most text is ASCII: a control character or the end need no pattern. */
	if (from == len || (unsigned char)text[from] < 0x80) {
		bounds[0] = from;
		bounds[1] = from == len ? len : from + 1;
		return CS_OK;
	}
	enum cs_err err = find(f, class, text, len, from, bounds);
	if (err != CS_E_NOT_FOUND)
		return err;
	bounds[0] = bounds[1] = len;
	return CS_OK;
}

/* ---- judging ---- */

struct place {
	const struct place *parent;
	const char *key; /* NULL for an array element */
	size_t key_len;
	size_t index;
};

/* JSON pointer (RFC 6901). */
static void add_pointer(const struct place *place, struct cs_bytes *out)
{
	const struct place *chain[CS_JSON_DEPTH_MAX + 1];
	size_t count = 0;

	for (; place != NULL && count < CS_JSON_DEPTH_MAX + 1; place = place->parent)
		chain[count++] = place;
	while (count > 0) {
		place = chain[--count];
		if (place->key == NULL) {
			cs_bytes_addf(out, "/%zu", place->index);
			continue;
		}
		cs_bytes_add(out, "/", 1);
		for (size_t i = 0; i < place->key_len; i++) {
			if (place->key[i] == '~' || place->key[i] == '/')
				cs_bytes_add_text(out, place->key[i] == '~' ? "~0" : "~1");
			else
				cs_bytes_add(out, place->key + i, 1);
		}
	}
}

static enum cs_err refuse(struct cs_fault *fault, enum cs_err err, const struct place *place,
	uint32_t code, size_t at)
{
	CS_CLEANUP_BYTES struct cs_bytes pointer = {0};

	add_pointer(place, &pointer);
	const char *path = pointer.data != NULL ? (const char *)pointer.data : "";
	if (err == CS_E_TEXT)
		return cs_fault_set(fault, err, path, "U+%04X at byte %zu", (unsigned)code, at);
	return cs_fault_set(
		fault, err, path, "byte %02X at byte %zu is not UTF-8", (unsigned)code, at);
}

static enum cs_err check(struct finder *f, const char *text, size_t len, unsigned flags,
	const struct place *place, struct cs_fault *fault)
{
	size_t at = cs_utf8_valid(text, len);
	size_t bounds[2];
	uint32_t code;

	if (at < len)
		return refuse(fault, CS_E_JSON_UTF8, place, (unsigned char)text[at], at);
	for (at = 0;; at++) {
		enum cs_err err = find_unsafe(f, FORBIDDEN, text, len, at, bounds);
		if (err != CS_OK)
			return cs_fault_set(fault, err, "", "out of memory");
		at = bounds[0];
		if (at == len)
			return CS_OK;
		if (text[at] == '\n' && (flags & CS_TEXT_NEWLINE) != 0)
			continue;
		cs_utf8_decode(text + at, len - at, &code);
		return refuse(fault, CS_E_TEXT, place, code, at);
	}
}

enum cs_err cs_text_check(const char *text, size_t len, unsigned flags, struct cs_fault *fault)
{
	__attribute__((cleanup(finder_free))) struct finder f = {0};

	return check(&f, text, len, flags, NULL, fault);
}

struct document_check {
	struct finder finder;
	const char *const *newline_keys;
	struct cs_fault *fault;
};

static unsigned flags_for(const struct document_check *c, const struct place *place)
{
	const char *const *name = c->newline_keys;

	if (name == NULL || place == NULL || place->key == NULL)
		return 0;
	for (; *name != NULL; name++)
		if (cs_bytes_equal(place->key, place->key_len, *name, strlen(*name)))
			return CS_TEXT_NEWLINE;
	return 0;
}

static enum cs_err check_value(
	struct document_check *c, const json_t *value, const struct place *place, unsigned depth)
{
	enum cs_err err = CS_OK;

	if (json_is_string(value))
		return check(&c->finder, json_string_value(value), json_string_length(value),
			flags_for(c, place), place, c->fault);
	if (!json_is_object(value) && !json_is_array(value))
		return CS_OK;
	if (depth >= CS_JSON_DEPTH_MAX)
		return cs_fault_set(
			c->fault, CS_E_JSON_DEPTH, "", "%s", cs_err_text(CS_E_JSON_DEPTH));
	if (json_is_object(value)) {
		/*
		 * jansson's iterators take a plain pointer only; nothing here changes the object.
		 */
		json_t *plain = (json_t *)(uintptr_t)value;
		for (void *at = json_object_iter(plain); at != NULL && err == CS_OK;
			at = json_object_iter_next(plain, at)) {
			struct place here = {
				place, json_object_iter_key(at), json_object_iter_key_len(at), 0};
			err = check(&c->finder, here.key, here.key_len, 0, &here, c->fault);
			if (err == CS_OK)
				err = check_value(c, json_object_iter_value(at), &here, depth + 1);
		}
		return err;
	}
	for (size_t i = 0; i < json_array_size(value) && err == CS_OK; i++) {
		struct place here = {place, NULL, 0, i};
		err = check_value(c, json_array_get(value, i), &here, depth + 1);
	}
	return err;
}

/*
 * A member named in `newline_keys` is a string itself: strings inside an array or object of that
 * name get no newline.
 */
enum cs_err cs_text_check_document(
	const json_t *doc, const char *const *newline_keys, struct cs_fault *fault)
{
	struct document_check c = {.newline_keys = newline_keys, .fault = fault};
	enum cs_err err = check_value(&c, doc, NULL, 0);

	finder_free(&c.finder);
	return err;
}

/* ---- showing ---- */

/* Allowed characters only. */
static enum cs_err show_plain(const char *text, size_t len, struct cs_bytes *out)
{
	for (size_t from = 0; from < len;) {
		const char *backslash = memchr(text + from, '\\', len - from);
		size_t run = backslash == NULL ? len - from : (size_t)(backslash - text) - from + 1;
		cs_bytes_add(out, text + from, run);
		if (backslash != NULL)
			cs_bytes_add(out, "\\", 1);
		from += run;
	}
	return cs_bytes_check(out);
}

static bool ascii_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '_';
}

/* Allowed characters only; marks the words that mix scripts. */
static enum cs_err show_words(struct finder *f, const char *text, size_t len, struct cs_bytes *out)
{
	size_t from = 0, bounds[2], whole[2];

	for (;;) {
		/*
		 * A word is of interest from its first non-ASCII character on; its ASCII beginning
		 * belongs to it.
		 */
		size_t start = ascii_run(text, len, from);
		if (start == len)
			break;
		while (start > from && ascii_word(text[start - 1]))
			start--;
		enum cs_err err = find(f, WORD, text, len, start, bounds);
		if (err == CS_E_NOT_FOUND)
			break;
		if (err != CS_OK)
			return err;
		show_plain(text + from, bounds[1] - from, out);
		from = bounds[1];
		err = find(f, ONE_SCRIPT, text + bounds[0], bounds[1] - bounds[0], 0, whole);
		if (err == CS_E_NOT_FOUND)
			cs_bytes_add_text(out, " [mixed scripts]");
		else if (err != CS_OK)
			return err;
	}
	return show_plain(text + from, len - from, out);
}

static enum cs_err show_valid(struct finder *f, const char *text, size_t len, unsigned flags,
	unsigned indent, struct cs_bytes *out)
{
	size_t from = 0, bounds[2];
	uint32_t code;

	while (from < len) {
		enum cs_err err = find_unsafe(f, ESCAPED, text, len, from, bounds);
		if (err == CS_OK)
			err = show_words(f, text + from, bounds[0] - from, out);
		if (err != CS_OK)
			return err;
		from = bounds[1];
		if (bounds[0] < len && text[bounds[0]] == '\n' && (flags & CS_TEXT_NEWLINE) != 0) {
			cs_bytes_add(out, "\n", 1);
			for (unsigned i = 0; i < indent; i++)
				cs_bytes_add(out, " ", 1);
			continue;
		}
		for (size_t at = bounds[0]; at < bounds[1];) {
			at += cs_utf8_decode(text + at, len - at, &code);
			cs_bytes_addf(out, "\\u{%X}", (unsigned)code);
		}
	}
	return cs_bytes_check(out);
}

enum cs_err cs_text_show(
	const char *text, size_t len, unsigned flags, unsigned indent, struct cs_bytes *out)
{
	__attribute__((cleanup(finder_free))) struct finder f = {0};

	for (size_t from = 0; from < len;) {
		size_t valid = cs_utf8_valid(text + from, len - from);
		enum cs_err err = show_valid(&f, text + from, valid, flags, indent, out);
		if (err != CS_OK)
			return err;
		from += valid;
		if (from < len)
			cs_bytes_addf(out, "\\u{%X}", (unsigned)(unsigned char)text[from++]);
	}
	return cs_bytes_check(out);
}
