/* danger.h: what a request for executable memory would run into.
 *
 * The same questions, in the same order, as SELinux's own hook asks for each
 * mapping in the range (file_mprotect in the kernel's security/selinux/hooks.c):
 * is it heap, is it stack, is it a private file mapping, is it anonymous.
 * What cannot be seen from here is whether a private file mapping was ever
 * written (the kernel's anon_vma): every one counts as written.
 *
 * Any context; takes no lock itself, see vma.h. */
#ifndef JITMEND_DANGER_H
#define JITMEND_DANGER_H

#include "request.h"

/* A stretch of a range that lies in one mapping. */
struct piece {
	uintptr_t start, end;
	enum danger danger;
	int protection;    /* PROT_* it has now */
	bool private_file; /* pages of a file, or copies of them */
	bool shared;       /* MAP_SHARED */
	bool execmem;      /* allowed that danger, execmem is asked as well */
};

/* The piece that begins at ADDRESS and ends at LIMIT or before, for a request
 * of PROTECTION with PROT_EXEC. 0; -ENOMEM where nothing is mapped at ADDRESS;
 * another negated errno where nothing can be said. */
long danger_under(uintptr_t address, uintptr_t limit, int protection, struct piece *piece);

/* The same of a mapping with PROTECTION. */
enum danger danger_of_protection(const struct request *request, int protection);

/* The danger of mapping something anew, with mmap or shmat. */
enum danger danger_of_mapping(const struct request *request);

/* Where the policy allows a private mapping of /dev/zero, it is asked for this. */
bool danger_is_execmem_too(const struct request *request);

/* Whether FD is /dev/zero, under whatever name. */
bool danger_is_dev_zero(int fd);

#endif
