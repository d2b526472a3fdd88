/* vma.h: what the kernel has mapped at an address.
 *
 * One look-up costs the same however many mappings there are where the kernel
 * has PROCMAP_QUERY (Linux 6.11); before that /proc/self/maps is read from its
 * beginning. Where /proc cannot be had, the engine's own account is asked, if there is one
 * (ledger.h); else nothing can be said, and callers are told so.
 *
 * Any context. Where the file has to be opened, by each process once, the lock is
 * taken (lock.h). The answer is of the moment: hold the lock where what was seen must
 * still be true, and know that the host's unhooked calls do not take it. */
#ifndef JITMEND_VMA_H
#define JITMEND_VMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VMA_NAME_SIZE 256

struct vma {
	uintptr_t start, end;
	int protection;    /* PROT_* */
	bool shared;
	uint64_t offset;   /* bytes into the file */
	uint64_t inode;    /* 0: no file under it */
	uint32_t dev_major, dev_minor;
	char name[VMA_NAME_SIZE]; /* as in /proc/self/maps, "" where it has none or too long a one */
};

/* _IOWR('f', 17, struct procmap_query): the request that maps files know since then. */
#define VMA_QUERY_REQUEST 0xc0686611UL

/* The mapping that covers ADDRESS, or the next one above it. 0, -ENOENT where
 * there is none, or another negated errno where the kernel cannot be asked. */
long vma_find(uintptr_t address, struct vma *vma);

/* The same without the name, which takes the kernel the longest. */
long vma_look(uintptr_t address, struct vma *vma);

/* The same from the text of /proc/self/maps, on every kernel. */
long vma_find_in_text(uintptr_t address, struct vma *vma);

/* Whether all of it is a shared mapping of that file, by its inode, from that byte on, as
 * it was made: the host may have unmapped it, or mapped something over it. Where the kernel
 * cannot be asked it is taken to be. */
bool vma_is_still(uintptr_t start, size_t length, int protection, uint64_t inode, uint64_t offset);

/* What the program has said of a mapping besides its protection, that a mapping
 * in its place must be told too. */
struct vma_advice {
	bool known;
	bool never_exec; /* its mount forbids it (VM_MAYEXEC is not set) */
	bool never_write; /* shared, of a descriptor that may only be read (VM_MAYWRITE) */
	bool locked;     /* mlock(2) */
	bool on_fault;   /* locked with MLOCK_ONFAULT */
	bool dont_fork;  /* madvise(2) */
	bool dont_dump;
};

/* From the flags in /proc/self/smaps (proc_pid_smaps(5)); nothing is known where it
 * cannot be read. Reads the file up to the mapping. */
struct vma_advice vma_advice(uintptr_t address);

/* The same, and how far around it, within *START to *END, nothing else was said. */
struct vma_advice vma_advice_around(uintptr_t address, uintptr_t *start, uintptr_t *end);

/* The brk heap, from start_brk to brk. */
struct heap {
	uintptr_t start, end;
};

/* No heap is larger than that. */
#define VMA_HEAP_MOST ((uintptr_t)1 << (ARCH_ADDRESS_BITS > 32 ? 40 : 30))

struct heap vma_heap(void);
uintptr_t vma_heap_start(void);

/* Once, early: keeps the heap's beginning as far as it can be told without /proc (brk
 * as it is now). */
void vma_begin(void);

/* Before the program takes /proc away from itself, if it does: what is opened now can be
 * asked later. */
void vma_before_confinement(void);

/* The same before umount(2), which what is open must not be in the way of. */
void vma_before_unmount(void);

/* Around a fork, under the lock: where the child will not have /proc, the mappings are
 * written down for it. TORN: see ledger.h. */
void vma_before_fork(void);
void vma_in_child(bool torn);

/* Makes what tells a child of fork from its parent; without it the first look does. */
void vma_begin_looking(void);

#endif
