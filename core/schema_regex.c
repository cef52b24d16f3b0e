#include "schema_node.h"

#include <string.h>

/* Parentheses open at once; PCRE2 has a limit of its own, this one bounds our stack. */
#define GROUPS_MAX 64

/*
 * Character classes are spelled out as ranges, because PCRE2's own \s differs from ECMA-262's and
 * its Unicode mode would widen \d and \w beyond ASCII. They stand inside brackets only.
 */
#define DIGIT "0-9"
#define NOT_DIGIT "\\x{0}-\\x{2f}\\x{3a}-\\x{10ffff}"
#define WORD "A-Za-z0-9_"
#define NOT_WORD "\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{5e}\\x{60}\\x{7b}-\\x{10ffff}"
/* WhiteSpace and LineTerminator of ECMA-262 sections 12.2 and 12.3. */
#define SPACE \
	"\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{" \
	"205f}\\x{3000}\\x{feff}"
#define NOT_SPACE \
	"\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-" \
	"\\x{2027}" \
	"\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-" \
	"\\x{10ffff}"

struct scan {
	const char *text;
	size_t len, at;
	struct cs_bytes *out;
	const char *why;
};

/* One atom of a pattern: a code point, or (set != NULL) text that stands inside brackets. */
struct atom {
	uint32_t point;
	const char *set;
	bool negated_property;
	char property[CS_SCHEMA_PROPERTY_TEXT];
};

static enum cs_err invalid(struct scan *s, const char *why)
{
	s->why = why;
	return CS_E_SCHEMA_INVALID;
}

static enum cs_err unsupported(struct scan *s, const char *why)
{
	s->why = why;
	return CS_E_SCHEMA_UNSUPPORTED;
}

static int peek(const struct scan *s, size_t ahead)
{
	return s->at + ahead < s->len ? (unsigned char)s->text[s->at + ahead] : -1;
}

static bool take(struct scan *s, const char *text)
{
	size_t n = strlen(text);

	if (s->len - s->at < n || memcmp(s->text + s->at, text, n) != 0)
		return false;
	s->at += n;
	return true;
}

static bool is_alnum(uint32_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void emit_point(struct scan *s, uint32_t point)
{
	if (is_alnum(point))
		(void)cs_bytes_addf(s->out, "%c", (int)point);
	else
		(void)cs_bytes_addf(s->out, "\\x{%x}", (unsigned)point);
}

static int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool hex_fixed(struct scan *s, unsigned count, uint32_t *ret_value)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < count; i++) {
		int digit = hex_digit(peek(s, i));

		if (digit < 0)
			return false;
		value = value * 16 + (uint32_t)digit;
	}
	s->at += count;
	*ret_value = value;
	return true;
}

/* After "\u": four digits, two such escapes that are a surrogate pair, or braces. */
static enum cs_err unicode_escape(struct scan *s, uint32_t *ret_point)
{
	uint32_t point, low;

	if (take(s, "{")) {
		point = 0;
		if (hex_digit(peek(s, 0)) < 0)
			return invalid(s, "\\u{ without digits");
		while (hex_digit(peek(s, 0)) >= 0) {
			point = point * 16 + (uint32_t)hex_digit(peek(s, 0));
			if (point > 0x10ffff)
				return invalid(s, "\\u{} beyond U+10FFFF");
			s->at++;
		}
		if (!take(s, "}"))
			return invalid(s, "\\u{ without }");
	} else if (!hex_fixed(s, 4, &point)) {
		return invalid(s, "\\u without four digits");
	} else if (point >= 0xd800 && point <= 0xdbff) {
		size_t back = s->at;

		if (take(s, "\\u") && hex_fixed(s, 4, &low) && low >= 0xdc00 && low <= 0xdfff)
			point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
		else
			s->at = back;
	}
	if (point >= 0xd800 && point <= 0xdfff)
		return unsupported(s, "a lone surrogate");
	*ret_point = point;
	return CS_OK;
}

/* After "\p": a name in braces. */
static enum cs_err property(struct scan *s, struct atom *atom)
{
	char name[48];
	size_t n = 0;

	if (!take(s, "{"))
		return invalid(s, "\\p without a name in braces");
	while (peek(s, 0) == '=' || peek(s, 0) == '_' ||
		(peek(s, 0) > 0 && is_alnum((uint32_t)peek(s, 0)))) {
		if (n == sizeof name - 1)
			return unsupported(s, "an unknown Unicode property");
		name[n++] = s->text[s->at++];
	}
	name[n] = '\0';
	if (n == 0 || !take(s, "}"))
		return invalid(s, "\\p without a name in braces");
	if (!cs_schema_unicode_property(name, atom->property))
		return unsupported(s, "an unknown Unicode property");
	return CS_OK;
}

/* After the backslash; everything that means the same inside and outside brackets. */
static enum cs_err escape(struct scan *s, struct atom *atom)
{
	static const struct {
		char letter;
		const char *set;
	} sets[] = {
		{'d', DIGIT},
		{'D', NOT_DIGIT},
		{'w', WORD},
		{'W', NOT_WORD},
		{'s', SPACE},
		{'S', NOT_SPACE},
	};
	static const char letters[] = "tnvfr", controls[] = "\t\n\v\f\r";
	int c = peek(s, 0);
	const char *found;

	if (c < 0)
		return invalid(s, "a backslash at the end");
	s->at++;
	for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
		if (sets[i].letter == c) {
			atom->set = sets[i].set;
			return CS_OK;
		}
	found = strchr(letters, c);
	if (c != 0 && found != NULL) {
		atom->point = (uint32_t)controls[found - letters];
		return CS_OK;
	}
	switch (c) {
	case 'c':
		c = peek(s, 0);
		if (c < 0 || !is_alnum((uint32_t)c) || (c >= '0' && c <= '9'))
			return invalid(s, "\\c without a letter");
		s->at++;
		atom->point = (uint32_t)c & 31;
		return CS_OK;
	case '0':
		if (peek(s, 0) >= '0' && peek(s, 0) <= '9')
			return invalid(s, "an octal escape");
		atom->point = 0;
		return CS_OK;
	case 'x':
		return hex_fixed(s, 2, &atom->point) ? CS_OK : invalid(s, "\\x without two digits");
	case 'u':
		return unicode_escape(s, &atom->point);
	case 'p':
	case 'P':
		atom->negated_property = c == 'P';
		atom->set = atom->property;
		return property(s, atom);
	case 'k':
		return unsupported(s, "a back reference");
	default:
		break;
	}
	if (c >= '1' && c <= '9')
		return unsupported(s, "a back reference");
	/*
	 * The flag "u" allows the syntax characters alone; other punctuation is unambiguous, a
	 * letter is not.
	 */
	if (c > 0x7e || c < 0x21 || is_alnum((uint32_t)c) || c == '_')
		return invalid(s, "an escape that ECMA-262 does not have");
	atom->point = (uint32_t)c;
	return CS_OK;
}

static void emit_set(struct scan *s, const struct atom *atom)
{
	if (atom->property[0] != '\0')
		(void)cs_bytes_addf(
			s->out, "\\%c{%s}", atom->negated_property ? 'P' : 'p', atom->property);
	else
		(void)cs_bytes_add_text(s->out, atom->set);
}

/* One code point of UTF-8, which the caller has checked. */
static uint32_t next_point(struct scan *s)
{
	uint32_t c = (unsigned char)s->text[s->at++];
	unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

	if (more > 0)
		c &= 0x3fu >> more;
	for (; more > 0 && s->at < s->len; more--)
		c = c << 6 | ((unsigned char)s->text[s->at++] & 0x3f);
	return c;
}

static enum cs_err class_atom(struct scan *s, struct atom *atom)
{
	*atom = (struct atom){0};
	if (!take(s, "\\")) {
		atom->point = next_point(s);
		return CS_OK;
	}
	if (take(s, "b")) {
		atom->point = '\b';
		return CS_OK;
	}
	return escape(s, atom);
}

/* After "[". */
static enum cs_err scan_class(struct scan *s)
{
	bool negated = take(s, "^");
	enum cs_err err;

	if (take(s, "]")) {
		(void)cs_bytes_add_text(s->out, negated ? "[\\x{0}-\\x{10ffff}]" : "(?!)");
		return CS_OK;
	}
	(void)cs_bytes_add_text(s->out, negated ? "[^" : "[");
	while (!take(s, "]")) {
		struct atom from, to;

		if (s->at >= s->len)
			return invalid(s, "[ without ]");
		err = class_atom(s, &from);
		if (err != CS_OK)
			return err;
		if (peek(s, 0) != '-' || peek(s, 1) == ']' || peek(s, 1) < 0) {
			if (from.set != NULL)
				emit_set(s, &from);
			else
				emit_point(s, from.point);
			continue;
		}
		s->at++;
		err = class_atom(s, &to);
		if (err != CS_OK)
			return err;
		if (from.set != NULL || to.set != NULL || from.point > to.point)
			return invalid(s, "a range that is out of order or has no end");
		emit_point(s, from.point);
		(void)cs_bytes_add_text(s->out, "-");
		emit_point(s, to.point);
	}
	(void)cs_bytes_add_text(s->out, "]");
	return CS_OK;
}

/*
 * After "(": copies the kind of group. `*ret_plain` is false for a lookaround, which takes no
 * quantifier.
 */
static enum cs_err group(struct scan *s, bool *ret_plain)
{
	static const char *const arounds[] = {"?=", "?!", "?<=", "?<!"};

	for (size_t i = 0; i < sizeof arounds / sizeof arounds[0]; i++)
		if (take(s, arounds[i])) {
			(void)cs_bytes_addf(s->out, "(%s", arounds[i]);
			*ret_plain = false;
			return CS_OK;
		}
	if (take(s, "?<")) {
		size_t from = s->at;

		while (peek(s, 0) == '_' || peek(s, 0) == '$' ||
			(peek(s, 0) > 0 && is_alnum((uint32_t)peek(s, 0))))
			s->at++;
		if (s->at == from || !take(s, ">"))
			return invalid(s, "a group with a malformed name");
	} else if (peek(s, 0) == '?' && !take(s, "?:")) {
		return invalid(s, "a kind of group that ECMA-262 does not have");
	}
	(void)cs_bytes_add_text(s->out, "(?:");
	*ret_plain = true;
	return CS_OK;
}

/* Copies a quantifier if one stands here. */
static enum cs_err quantifier(struct scan *s, bool *ret_found)
{
	size_t from = s->at;
	int c = peek(s, 0);

	*ret_found = c == '*' || c == '+' || c == '?' || c == '{';
	if (!*ret_found)
		return CS_OK;
	s->at++;
	if (c == '{') {
		size_t first = s->at;

		while (peek(s, 0) >= '0' && peek(s, 0) <= '9')
			s->at++;
		if (s->at == first)
			return invalid(s, "{ that is no quantifier");
		if (take(s, ","))
			while (peek(s, 0) >= '0' && peek(s, 0) <= '9')
				s->at++;
		if (!take(s, "}"))
			return invalid(s, "{ that is no quantifier");
	}
	(void)take(s, "?");
	(void)cs_bytes_add(s->out, s->text + from, s->at - from);
	return CS_OK;
}

static enum cs_err atom_outside(struct scan *s)
{
	struct atom atom = {0};
	enum cs_err err;

	if (take(s, "[")) {
		return scan_class(s);
	} else if (take(s, ".")) {
		(void)cs_bytes_add_text(s->out, "[^\\x{a}\\x{d}\\x{2028}\\x{2029}]");
		return CS_OK;
	} else if (take(s, "\\")) {
		err = escape(s, &atom);
		if (err != CS_OK)
			return err;
	} else if (strchr("{}]", s->text[s->at]) != NULL && s->text[s->at] != '\0') {
		return invalid(s, "a bracket or brace that closes nothing");
	} else {
		atom.point = next_point(s);
	}
	if (atom.set == NULL) {
		emit_point(s, atom.point);
		return CS_OK;
	}
	(void)cs_bytes_add_text(s->out, "[");
	emit_set(s, &atom);
	(void)cs_bytes_add_text(s->out, "]");
	return CS_OK;
}

static enum cs_err translate(struct scan *s)
{
	bool plain[GROUPS_MAX], repeatable = false;
	size_t open = 0;
	enum cs_err err;

	while (s->at < s->len) {
		bool found;

		err = quantifier(s, &found);
		if (err != CS_OK)
			return err;
		if (found) {
			if (!repeatable)
				return invalid(s, "a quantifier with nothing to repeat");
			repeatable = false;
		} else if (take(s, "|") || take(s, "^")) {
			(void)cs_bytes_add(s->out, s->text + s->at - 1, 1);
			repeatable = false;
		} else if (take(s, "$")) {
			/* PCRE2's own $ also matches before a last newline. */
			(void)cs_bytes_add_text(s->out, "\\z");
			repeatable = false;
		} else if (take(s, "\\b") || take(s, "\\B")) {
			(void)cs_bytes_add(s->out, s->text + s->at - 2, 2);
			repeatable = false;
		} else if (take(s, "(")) {
			if (open == GROUPS_MAX)
				return unsupported(s, "groups nested too deep");
			err = group(s, &plain[open++]);
			if (err != CS_OK)
				return err;
			repeatable = false;
		} else if (take(s, ")")) {
			if (open == 0)
				return invalid(s, ") that closes nothing");
			(void)cs_bytes_add_text(s->out, ")");
			repeatable = plain[--open];
		} else {
			err = atom_outside(s);
			if (err != CS_OK)
				return err;
			repeatable = true;
		}
	}
	return open == 0 ? cs_bytes_check(s->out) : invalid(s, "( without )");
}

enum cs_err cs_schema_regex_translate(
	const char *text, size_t len, struct cs_bytes *out, const char **ret_why)
{
	struct scan s = {.text = text, .len = len, .out = out};
	enum cs_err err = translate(&s);

	if (s.why != NULL)
		*ret_why = s.why;
	return err;
}
