#include "introspection.h"
#include "varlink.h"

#include <string.h>

/*
 * The file itself, as it stands in the tree; the assembler reads it relative to the project's root,
 * where every build runs.
 */
__asm__(".section .rodata\n"
	".global cs_interface_text\n"
	"cs_interface_text:\n"
	".incbin \"appliance/io.countersign.varlink\"\n"
	".global cs_interface_end\n"
	"cs_interface_end:\n"
	".byte 0\n"
	".previous\n");
extern const char cs_interface_text[], cs_interface_end[];

static const char service_text[] =
	"# What every Varlink service says about itself.\n"
	"interface org.varlink.service\n"
	"\n"
	"method GetInfo() -> (vendor: string, product: string, version: string, url: string, "
	"interfaces: []string)\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"\n"
	"error InterfaceNotFound(interface: string)\n"
	"error MethodNotFound(method: string)\n"
	"error MethodNotImplemented(method: string)\n"
	"error InvalidParameter(parameter: string)\n"
	"error PermissionDenied()\n"
	"error ExpectedMore()\n";

const char *cs_introspection(const char *interface, size_t *ret_len)
{
	if (strcmp(interface, CS_VARLINK_INTERFACE) == 0) {
		*ret_len = (size_t)((uintptr_t)cs_interface_end - (uintptr_t)cs_interface_text);
		return cs_interface_text;
	}
	if (strcmp(interface, "org.varlink.service") == 0) {
		*ret_len = sizeof service_text - 1;
		return service_text;
	}
	return NULL;
}
