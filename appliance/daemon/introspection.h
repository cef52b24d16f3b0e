/*
 * The interface definitions that are served: ours, which is the file
 * appliance/io.countersign.varlink, and the standard one.
 */
#ifndef CS_INTROSPECTION_H
#define CS_INTROSPECTION_H

#include <stddef.h>

/*
 * Text of the definition, not NUL-terminated; NULL for an interface that is not served. Static
 * storage.
 */
const char *cs_introspection(const char *interface, size_t *ret_len);

#endif
