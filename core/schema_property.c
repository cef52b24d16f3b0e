#include "schema_node.h"

#include <stdio.h>
#include <string.h>

/* Names of ECMA-262 tables 66 to 69 and what PCRE2 calls them. */
/* clang-format off */
static const struct {
	const char *name;
	const char *pcre;
} properties[] = {
	{"Cased_Letter", "L&"}, {"LC", "L&"}, {"Close_Punctuation", "Pe"},
	{"Connector_Punctuation", "Pc"}, {"Control", "Cc"}, {"cntrl", "Cc"},
	{"Currency_Symbol", "Sc"}, {"Dash_Punctuation", "Pd"}, {"Decimal_Number", "Nd"},
	{"digit", "Nd"}, {"Enclosing_Mark", "Me"}, {"Final_Punctuation", "Pf"},
	{"Format", "Cf"}, {"Initial_Punctuation", "Pi"}, {"Letter", "L"},
	{"Letter_Number", "Nl"}, {"Line_Separator", "Zl"}, {"Lowercase_Letter", "Ll"},
	{"Mark", "M"}, {"Combining_Mark", "M"}, {"Math_Symbol", "Sm"},
	{"Modifier_Letter", "Lm"}, {"Modifier_Symbol", "Sk"}, {"Nonspacing_Mark", "Mn"},
	{"Number", "N"}, {"Open_Punctuation", "Ps"}, {"Other", "C"}, {"Other_Letter", "Lo"},
	{"Other_Number", "No"}, {"Other_Punctuation", "Po"}, {"Other_Symbol", "So"},
	{"Paragraph_Separator", "Zp"}, {"Private_Use", "Co"}, {"Punctuation", "P"},
	{"punct", "P"}, {"Separator", "Z"}, {"Space_Separator", "Zs"}, {"Spacing_Mark", "Mc"},
	{"Surrogate", "Cs"}, {"Symbol", "S"}, {"Titlecase_Letter", "Lt"},
	{"Unassigned", "Cn"}, {"Uppercase_Letter", "Lu"}, {"C", "C"}, {"Cc", "Cc"},
	{"Cf", "Cf"}, {"Cn", "Cn"}, {"Co", "Co"}, {"Cs", "Cs"}, {"L", "L"}, {"Ll", "Ll"},
	{"Lm", "Lm"}, {"Lo", "Lo"}, {"Lt", "Lt"}, {"Lu", "Lu"}, {"M", "M"}, {"Mc", "Mc"},
	{"Me", "Me"}, {"Mn", "Mn"}, {"N", "N"}, {"Nd", "Nd"}, {"Nl", "Nl"}, {"No", "No"},
	{"P", "P"}, {"Pc", "Pc"}, {"Pd", "Pd"}, {"Pe", "Pe"}, {"Pf", "Pf"}, {"Pi", "Pi"},
	{"Po", "Po"}, {"Ps", "Ps"}, {"S", "S"}, {"Sc", "Sc"}, {"Sk", "Sk"}, {"Sm", "Sm"},
	{"So", "So"}, {"Z", "Z"}, {"Zl", "Zl"}, {"Zp", "Zp"}, {"Zs", "Zs"}, {"Any", "Any"},
	{"ASCII", "ASCII"}, {"Alphabetic", "Alphabetic"}, {"Alpha", "Alphabetic"},
	{"Lowercase", "Lowercase"}, {"Lower", "Lowercase"}, {"Uppercase", "Uppercase"},
	{"Upper", "Uppercase"}, {"White_Space", "White_Space"}, {"space", "White_Space"},
};
/* clang-format on */

/* What stands behind one of the two spellings of a key, or NULL. */
static const char *value_of(const char *name, const char *key, const char *alias)
{
	const char *equals = strchr(name, '=');
	size_t len = equals != NULL ? (size_t)(equals - name) : 0;

	if (len > 0 && ((strlen(key) == len && memcmp(name, key, len) == 0) ||
			       (strlen(alias) == len && memcmp(name, alias, len) == 0)))
		return equals + 1;
	return NULL;
}

/* Scripts are passed on by name: PCRE2 has the same ones, under their long and short names. */
static bool script(const char *value, const char *kind, char text[CS_SCHEMA_PROPERTY_TEXT])
{
	if (*value == '\0' || strchr(value, '=') != NULL)
		return false;
	return snprintf(text, CS_SCHEMA_PROPERTY_TEXT, "%s:%s", kind, value) <
	       CS_SCHEMA_PROPERTY_TEXT;
}

bool cs_schema_unicode_property(const char *name, char text[CS_SCHEMA_PROPERTY_TEXT])
{
	const char *value = value_of(name, "Script", "sc");

	if (value != NULL)
		return script(value, "sc", text);
	value = value_of(name, "Script_Extensions", "scx");
	if (value != NULL)
		return script(value, "scx", text);
	value = value_of(name, "General_Category", "gc");
	if (value == NULL)
		value = name;
	for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++) {
		if (strcmp(properties[i].name, value) != 0)
			continue;
		(void)snprintf(text, CS_SCHEMA_PROPERTY_TEXT, "%s", properties[i].pcre);
		return true;
	}
	return false;
}
