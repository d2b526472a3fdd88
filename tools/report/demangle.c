/* demangle.c: names of C++ as people write them.
 *
 * The one function that does it is libstdc++'s. It is opened, not linked with:
 * where it is missing a name is shown as the linker has it. */
#include <config.h>

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

typedef char *demangle(const char *name, char *buffer, size_t *size, int *status);

static demangle *find(void)
{
	void *library = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_LOCAL);

	return library ? (demangle *)dlsym(library, "__cxa_demangle") : NULL;
}

char *demangled(const char *name)
{
	static bool looked;
	static demangle *with;
	char *plain = NULL;
	int status;

	if (strncmp(name, "_Z", 2) != 0)
		return duplicate(name);
	if (!looked)
		with = find();
	looked = true;
	if (with)
		plain = with(name, NULL, NULL, &status);
	return plain ? plain : duplicate(name);
}
