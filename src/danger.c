/* danger.c: what lies under a range. See danger.h. */
#include "danger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "hash.h"
#include "memory.h"
#include "sys.h"
#include "vma.h"

#define ST_NOEXEC 8       /* statfs(2), f_flags */
#define DEV_ZERO 0x105UL  /* character device 1:5, as st_rdev has it */

static bool in_heap(const struct vma *vma)
{
	struct heap heap = vma_heap();

	return vma->start < heap.end && vma->end > heap.start;
}

/* The main stack, or the stack that this call came in on. A thread's stack
 * counts for its own thread alone, as in the kernel. */
static bool is_stack(const struct vma *vma)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	return string_equal(vma->name, "[stack]") || (here >= vma->start && here < vma->end);
}

/* The pages of one mmap, however many mappings they are by now. */
static uint64_t mark_of(const struct vma *vma)
{
	uint64_t mark = vma->start - vma->offset;

	mark = mark * HASH_FACTOR + ((uint64_t)vma->dev_major << 32 | vma->dev_minor);
	mark = mark * HASH_FACTOR + vma->inode;
	return mark * HASH_FACTOR & ~(uint64_t)1;
}

/* The kernel's own flag, which takes long: programs ask page by page, so the last answer
 * is kept, in the lowest bit. */
static bool is_never_exec(const struct vma *vma)
{
	static _Atomic uint64_t last;
	uint64_t mark = mark_of(vma), answer = atomic_load(&last);
	struct vma_advice advice;

	if ((answer & ~(uint64_t)1) == mark)
		return answer & 1;
	advice = vma_advice(vma->start);
	if (advice.known)
		atomic_store(&last, mark | advice.never_exec);
	return advice.never_exec;
}

/* A file that its mount forbids to execute is not a question of written pages:
 * that refusal is not ours to cure. */
static bool on_noexec_mount(const struct vma *vma)
{
	struct statfs64 status;

	if (vma->name[0] == '/' && !sys_failed(sys_statfs(vma->name, &status)))
		return status.f_flags & ST_NOEXEC;
	/* Its file is gone, or elsewhere. */
	return is_never_exec(vma);
}

/* MAP_SHARED|MAP_ANONYMOUS and System V shared memory: files within the kernel
 * alone, which count as anonymous. */
static bool is_shared_memory(const struct vma *vma)
{
	return vma->shared && (string_equal(vma->name, "/dev/zero (deleted)") ||
			       string_after(vma->name, "/SYSV"));
}

/* SELinux's last question, whatever it asked before. */
static bool asks_execmem(const struct vma *vma, int protection)
{
	return vma->inode == 0 || is_shared_memory(vma) ||
	       (!vma->shared && protection & PROT_WRITE);
}

static enum danger danger_of_vma(const struct vma *vma, int protection)
{
	bool file = vma->inode != 0;

	if (!(vma->protection & PROT_EXEC)) {
		if (in_heap(vma))
			return DANGER_EXECHEAP;
		if (!file && is_stack(vma))
			return DANGER_EXECSTACK;
		if (file && !vma->shared && string_equal(vma->name, "/dev/zero"))
			return DANGER_DEVZERO;
		if (file && !vma->shared)
			return on_noexec_mount(vma) ? DANGER_NONE : DANGER_EXECMOD;
	}
	return asks_execmem(vma, protection) ? DANGER_EXECMEM : DANGER_NONE;
}

/* Without /proc only this much is known: between start_brk and brk lies heap,
 * which malloc made readable and writable. */
static bool heap_by_address(uintptr_t address, uintptr_t limit, struct piece *piece)
{
	struct heap heap = vma_heap();

	if (address < page_up(heap.start) || address >= page_up(heap.end))
		return false;
	piece->start = address;
	piece->end = page_up(heap.end) < limit ? page_up(heap.end) : limit;
	piece->protection = PROT_READ | PROT_WRITE;
	piece->private_file = false;
	piece->shared = false;
	piece->danger = DANGER_EXECHEAP;
	piece->execmem = true;
	return true;
}

long danger_under(uintptr_t address, uintptr_t limit, int protection, struct piece *piece)
{
	struct vma vma;
	long result = vma_find(address, &vma);

	if (result == -ENOENT || (result == 0 && vma.start > address))
		return -ENOMEM;
	if (result)
		return heap_by_address(address, limit, piece) ? 0 : result;
	piece->start = address;
	piece->end = vma.end < limit ? vma.end : limit;
	piece->protection = vma.protection;
	piece->private_file = vma.inode != 0 && !vma.shared;
	piece->shared = vma.shared;
	piece->danger = danger_of_vma(&vma, protection);
	piece->execmem = piece->danger != DANGER_EXECMEM && asks_execmem(&vma, protection);
	return 0;
}

bool danger_is_dev_zero(int fd)
{
	struct stat64 status;

	if (fd < 0 || sys_failed(sys_fstat(fd, &status)))
		return false;
	return S_ISCHR(status.st_mode) && status.st_rdev == DEV_ZERO;
}

enum danger danger_of_protection(const struct request *request, int protection)
{
	if (!(protection & PROT_EXEC))
		return DANGER_NONE;
	return request->flags & MAP_ANONYMOUS || protection & PROT_WRITE ? DANGER_EXECMEM :
									   DANGER_NONE;
}

enum danger danger_of_mapping(const struct request *request)
{
	if (request->call == CALL_SHMAT)
		return request->flags & SHM_EXEC ? DANGER_EXECMEM : DANGER_NONE;
	return danger_of_protection(request, request->protection);
}

bool danger_is_execmem_too(const struct request *request)
{
	return request->protection & PROT_WRITE && request->protection & PROT_EXEC;
}
