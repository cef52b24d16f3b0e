#include "module.h"
#include "error.h"
#include "quirks.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <libp11.h>

struct cs_module {
	struct cs_module *next;
	int opened; /* how many times */
	int tokens;
	pid_t pid;
	void *handle;
	CK_FUNCTION_LIST *functions;
	PKCS11_CTX *libp11;
	pthread_mutex_t lock;
	char *path;
};

/* The modules of this process; the mutex guards the list and the counts in it. */
static struct cs_module *modules;
static pthread_mutex_t modules_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *loader_reason(void)
{
	const char *reason = dlerror();

	return reason != NULL ? reason : "unknown reason";
}

static enum cs_err load(const char *path, void **ret_handle, CK_FUNCTION_LIST **ret_functions,
	struct cs_fault *fault)
{
	CK_C_GetFunctionList get_list;
	CK_FUNCTION_LIST *functions = NULL;
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (handle == NULL)
		return cs_fault_set(fault, CS_E_MODULE, path, "%s: %s", path, loader_reason());
	*(void **)&get_list = dlsym(handle, "C_GetFunctionList");
	if (get_list == NULL) {
		dlclose(handle);
		return cs_fault_set(fault, CS_E_MODULE, path,
			"%s: not a PKCS #11 module (it has no C_GetFunctionList)", path);
	}
	CK_RV rv = get_list(&functions);
	if (rv != CKR_OK || functions == NULL) {
		dlclose(handle);
		return cs_fault_set(fault, CS_E_MODULE, path, "%s: C_GetFunctionList: %s (0x%lx)",
			path, cs_ckr_name(rv), rv);
	}
	*ret_handle = handle;
	*ret_functions = functions;
	return CS_OK;
}

/* libp11 leaves Cryptoki's value as the reason of the last OpenSSL error. */
static enum cs_err initialise(struct cs_module *module, struct cs_fault *fault)
{
	ERR_clear_error();
	module->libp11 = PKCS11_CTX_new();
	if (module->libp11 == NULL)
		return cs_fault_set(fault, CS_E_NOMEM, "", "out of memory");
	if (PKCS11_CTX_load(module->libp11, module->path) != 0) {
		CK_RV rv = (CK_RV)ERR_GET_REASON(ERR_peek_last_error());
		ERR_clear_error();
		PKCS11_CTX_free(module->libp11);
		module->libp11 = NULL;
		return cs_fault_set(fault, CS_E_MODULE, module->path,
			"%s: C_Initialize: %s (0x%lx)", module->path, cs_ckr_name(rv), rv);
	}
	return CS_OK;
}

static void discard(struct cs_module *module)
{
	if (module == NULL)
		return;
	/*
	 * A forked child must leave the module alone: its C_Finalize would break the parent's
	 * tokens.
	 */
	if (module->libp11 != NULL && module->pid == getpid()) {
		PKCS11_CTX_unload(module->libp11);
		PKCS11_CTX_free(module->libp11);
	}
	if (module->handle != NULL)
		dlclose(module->handle);
	pthread_mutex_destroy(&module->lock);
	free(module->path);
	free(module);
}

static enum cs_err create(const char *path, void *handle, CK_FUNCTION_LIST *functions,
	struct cs_module **ret_module, struct cs_fault *fault)
{
	pthread_mutexattr_t attributes;
	struct cs_module *module = calloc(1, sizeof *module);

	if (module == NULL)
		return cs_fault_set(fault, CS_E_NOMEM, "", "out of memory");
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&module->lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
	module->opened = 1;
	module->pid = getpid();
	module->functions = functions;
	module->path = strdup(path);
	enum cs_err err = module->path != NULL
				  ? initialise(module, fault)
				  : cs_fault_set(fault, CS_E_NOMEM, "", "out of memory");
	if (err != CS_OK) {
		discard(module);
		return err;
	}
	module->handle = handle;
	*ret_module = module;
	return CS_OK;
}

enum cs_err cs_module_open(const char *path, struct cs_module **ret_module, struct cs_fault *fault)
{
	struct cs_module *module = NULL;
	CK_FUNCTION_LIST *functions = NULL;
	void *handle = NULL;

	if (path[0] != '/')
		return cs_fault_set(
			fault, CS_E_MODULE, "module-path", "'%s' is not an absolute path", path);
	const char *refused = cs_quirks_module_refused(path);
	if (refused != NULL)
		return cs_fault_set(fault, CS_E_MODULE, path, "%s: %s", path, refused);

	pthread_mutex_lock(&modules_lock);
	enum cs_err err = load(path, &handle, &functions, fault);
	if (err != CS_OK)
		goto out;
	/* The loader gives one handle per library, whatever name it was opened by. */
	for (module = modules; module != NULL && module->handle != handle; module = module->next)
		;
	if (module != NULL) {
		dlclose(handle);
		module->opened++;
	} else {
		err = create(path, handle, functions, &module, fault);
		if (err != CS_OK) {
			dlclose(handle);
			goto out;
		}
		module->next = modules;
		modules = module;
	}
	*ret_module = module;
out:
	pthread_mutex_unlock(&modules_lock);
	return err;
}

void cs_module_close(struct cs_module *module)
{
	if (module == NULL)
		return;
	pthread_mutex_lock(&modules_lock);
	if (--module->opened == 0) {
		struct cs_module **link = &modules;
		while (*link != module)
			link = &(*link)->next;
		*link = module->next;
		discard(module);
	}
	pthread_mutex_unlock(&modules_lock);
}

void cs_module_cleanup(struct cs_module **module)
{
	cs_module_close(*module);
}

const char *cs_module_path(const struct cs_module *module)
{
	return module->path;
}

const char *cs_module_manufacturer(const struct cs_module *module)
{
	return module->libp11->manufacturer != NULL ? module->libp11->manufacturer : "";
}

const char *cs_module_description(const struct cs_module *module)
{
	return module->libp11->description != NULL ? module->libp11->description : "";
}

CK_FUNCTION_LIST *cs_module_functions(const struct cs_module *module)
{
	return module->functions;
}

enum cs_err cs_module_use(const struct cs_module *module, struct cs_fault *fault)
{
	if (module->pid == getpid())
		return CS_OK;
	return cs_fault_set(fault, CS_E_STATE, module->path,
		"%s was opened before this process was forked", module->path);
}

void cs_module_lock(struct cs_module *module)
{
	pthread_mutex_lock(&module->lock);
}

void cs_module_unlock(struct cs_module *module)
{
	pthread_mutex_unlock(&module->lock);
}

int cs_module_count_tokens(struct cs_module *module, int change)
{
	cs_module_lock(module);
	int count = module->tokens += change;
	cs_module_unlock(module);
	return count;
}

enum cs_err cs_module_restart(struct cs_module *module, struct cs_fault *fault)
{
	CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};

	if (module->tokens > 1)
		return cs_fault_set(fault, CS_E_STATE, module->path,
			"another token of %s is in use", module->path);
	(void)module->functions->C_Finalize(NULL);
	CK_RV rv = module->functions->C_Initialize(&arguments);
	if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
		return cs_fault_set(fault, CS_E_MODULE, module->path,
			"%s: C_Initialize: %s (0x%lx)", module->path, cs_ckr_name(rv), rv);
	return CS_OK;
}
