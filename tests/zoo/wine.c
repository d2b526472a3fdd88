/* wine.c: a Windows program that makes and changes code in the ways such programs have,
 * to be run by Wine; each part prints what a user would see. The command line names the
 * parts. Built by mingw-w64; the calls are those of Microsoft's memoryapi.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define PAGE 4096

typedef int (*code_function)(void);

static void must(int holds, const char *what)
{
	if (holds)
		return;
	printf("%s failed: %lu\n", what, GetLastError());
	fflush(stdout);
	ExitProcess(2);
}

/* mov $VALUE, %eax; ret */
static void code_write(unsigned char *at, int value)
{
	at[0] = 0xb8;
	memcpy(at + 1, &value, sizeof value);
	at[5] = 0xc3;
	FlushInstructionCache(GetCurrentProcess(), at, 6);
}

static int code_run(const unsigned char *at)
{
	return ((code_function)(ULONG_PTR)at)();
}

static DWORD protect(void *at, size_t length, DWORD protection)
{
	DWORD before = 0;

	must(VirtualProtect(at, length, protection, &before), "VirtualProtect");
	return before;
}

/* Memory that is writable and executable from the start, written and run by turns. */
static void part_rwx(void)
{
	unsigned char *code = VirtualAlloc(NULL, 16 * PAGE, MEM_RESERVE | MEM_COMMIT,
	                                   PAGE_EXECUTE_READWRITE);
	int sum = 0;

	must(code != NULL, "VirtualAlloc");
	for (int i = 0; i < 2000; i++) {
		unsigned char *at = code + i % 16 * PAGE + i % 200 * 16;

		code_write(at, i);
		sum += code_run(at);
	}
	printf("rwx: %d\n", sum);
	must(VirtualFree(code, 0, MEM_RELEASE), "VirtualFree");
}

/* The two steps of compilers that keep W^X; what was reserved is committed by pieces. */
static void part_toggle(void)
{
	unsigned char *code = VirtualAlloc(NULL, 64 << 20, MEM_RESERVE, PAGE_NOACCESS);
	int sum = 0;

	must(code != NULL, "VirtualAlloc");
	for (int i = 0; i < 200; i++) {
		unsigned char *at = code + i * 16 * PAGE;
		DWORD before;

		must(VirtualAlloc(at, PAGE, MEM_COMMIT, PAGE_READWRITE) == at, "VirtualAlloc");
		code_write(at, i);
		before = protect(at, PAGE, PAGE_EXECUTE_READ);
		must(before == PAGE_READWRITE, "the protection before");
		sum += code_run(at);
		protect(at, PAGE, PAGE_READWRITE);
		code_write(at, 2 * i);
		protect(at, PAGE, PAGE_EXECUTE_READ);
		sum += code_run(at);
	}
	printf("toggle: %d\n", sum);
	must(VirtualFree(code, 0, MEM_RELEASE), "VirtualFree");
}

/* Two views of one section: what is written through the one runs through the other. */
static void views_of(HANDLE file, const char *name)
{
	HANDLE section = CreateFileMappingA(file, NULL, PAGE_EXECUTE_READWRITE, 0, 16 * PAGE, NULL);
	unsigned char *both, *run, *write;
	int sum = 0;

	must(section != NULL, "CreateFileMapping");
	write = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
	run = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_EXECUTE, 0, 0, 0);
	both = MapViewOfFile(section, FILE_MAP_WRITE | FILE_MAP_EXECUTE, 0, 0, 0);
	must(write && run && both, "MapViewOfFile");
	for (int i = 0; i < 300; i++) {
		code_write(write + i % 16 * PAGE, i);
		sum += code_run(run + i % 16 * PAGE);
		code_write(both + i % 16 * PAGE, i + 1);
		sum += code_run(run + i % 16 * PAGE) + code_run(both + i % 16 * PAGE);
		must(!memcmp(write, run, 16 * PAGE) && !memcmp(run, both, 16 * PAGE), "the same bytes");
	}
	printf("%s: %d\n", name, sum);
	UnmapViewOfFile(write);
	UnmapViewOfFile(run);
	UnmapViewOfFile(both);
	CloseHandle(section);
}

static void part_views(void)
{
	char folder[MAX_PATH], name[MAX_PATH];
	unsigned char read[6] = { 0 };
	DWORD length = 0;
	HANDLE file;

	views_of(INVALID_HANDLE_VALUE, "views of memory");
	must(GetTempPathA(sizeof folder, folder), "GetTempPath");
	must(GetTempFileNameA(folder, "jit", 0, name), "GetTempFileName");
	file = CreateFileA(name, GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE, 0, NULL,
	                   CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
	must(file != INVALID_HANDLE_VALUE, "CreateFile");
	views_of(file, "views of a file");
	must(ReadFile(file, read, sizeof read, &length, NULL) && length == sizeof read, "ReadFile");
	printf("the file begins with %02x, and %02x\n", read[0], read[5]);
	CloseHandle(file);
}

/* A hook as such programs set it: a jump over the beginning of a function. */
struct patch {
	unsigned char *at;
	unsigned char before[14];
	DWORD protection;
};

static void patch_set(struct patch *patch, void *function, void *instead)
{
	/* jmp by the pointer behind it: *0(%rip), or where there is none its address. */
	unsigned char jump[6] = { 0xff, 0x25 };
	unsigned char *pointer = (unsigned char *)function + sizeof jump;

	if (sizeof pointer == 4)
		memcpy(jump + 2, &pointer, 4);
	patch->at = function;
	patch->protection = protect(function, sizeof patch->before, PAGE_EXECUTE_READWRITE);
	memcpy(patch->before, function, sizeof patch->before);
	memcpy(patch->at, jump, sizeof jump);
	memcpy(patch->at + sizeof jump, &instead, sizeof instead);
	protect(function, sizeof patch->before, patch->protection);
	FlushInstructionCache(GetCurrentProcess(), function, sizeof patch->before);
}

static void patch_undo(const struct patch *patch)
{
	protect(patch->at, sizeof patch->before, PAGE_EXECUTE_READWRITE);
	memcpy(patch->at, patch->before, sizeof patch->before);
	protect(patch->at, sizeof patch->before, patch->protection);
	FlushInstructionCache(GetCurrentProcess(), patch->at, sizeof patch->before);
}

__attribute__((noinline)) static int own(int value)
{
	volatile int doubled = 2 * value;

	for (int i = 0; i < 3; i++)
		doubled++;
	return doubled;
}

static int not_own(int value)
{
	return -value;
}

static DWORD WINAPI no_ticks(void)
{
	return 4711;
}

static void part_patch(void)
{
	/* Through pointers: the compiler knows these functions, and may not. */
	int (*volatile own_function)(int) = own;
	DWORD (WINAPI *ticks)(void) = (DWORD (WINAPI *)(void))(ULONG_PTR)
		GetProcAddress(GetModuleHandleA("kernel32.dll"), "GetTickCount");
	struct patch patch;

	must(ticks != NULL, "GetProcAddress");
	for (int i = 0; i < 3; i++) {
		printf("own: %d", own_function(i));
		patch_set(&patch, (void *)(ULONG_PTR)own, (void *)(ULONG_PTR)not_own);
		printf(", %d", own_function(i));
		patch_undo(&patch);
		printf(", %d\n", own_function(i));
		patch_set(&patch, (void *)(ULONG_PTR)ticks, (void *)(ULONG_PTR)no_ticks);
		printf("kernel32's: %lu", ticks());
		patch_undo(&patch);
		printf(", %s\n", ticks() != 4711 ? "its own again" : "still ours");
	}
}

/* Access violations: counted, told, and made good by the handler. */
static unsigned char *forbidden;
static volatile LONG reads, writes, executions, guards, others;

static LONG WINAPI handler(EXCEPTION_POINTERS *what)
{
	const EXCEPTION_RECORD *record = what->ExceptionRecord;
	DWORD before;

	if (record->ExceptionCode == STATUS_GUARD_PAGE_VIOLATION) {
		InterlockedIncrement(&guards);
		return EXCEPTION_CONTINUE_EXECUTION;
	}
	if (record->ExceptionCode != EXCEPTION_ACCESS_VIOLATION ||
	    record->ExceptionInformation[1] - (ULONG_PTR)forbidden >= 4 * PAGE) {
		InterlockedIncrement(&others);
		return EXCEPTION_CONTINUE_SEARCH;
	}
	switch (record->ExceptionInformation[0]) {
	case 0:
		InterlockedIncrement(&reads);
		VirtualProtect(forbidden, 4 * PAGE, PAGE_READONLY, &before);
		break;
	case 1:
		InterlockedIncrement(&writes);
		VirtualProtect(forbidden, 4 * PAGE, PAGE_READWRITE, &before);
		break;
	default:
		InterlockedIncrement(&executions);
		VirtualProtect(forbidden, 4 * PAGE, PAGE_EXECUTE_READ, &before);
		break;
	}
	return EXCEPTION_CONTINUE_EXECUTION;
}

static void part_violations(void)
{
	void *added = AddVectoredExceptionHandler(1, handler);
	int sum = 0;

	forbidden = VirtualAlloc(NULL, 4 * PAGE, MEM_RESERVE | MEM_COMMIT, PAGE_EXECUTE_READWRITE);
	must(forbidden != NULL, "VirtualAlloc");
	for (int i = 0; i < 100; i++) {
		protect(forbidden, 4 * PAGE, PAGE_NOACCESS);
		sum += *(volatile unsigned char *)forbidden & 1;
		code_write(forbidden, i);
		sum += code_run(forbidden);
	}
	protect(forbidden, 4 * PAGE, PAGE_READWRITE | PAGE_GUARD);
	*(volatile unsigned char *)forbidden = 1;
	printf("violations: %ld reads, %ld writes, %ld executions, %ld guards, %ld others, %d\n",
	       reads, writes, executions, guards, others, sum);
	RemoveVectoredExceptionHandler(added);
	VirtualFree(forbidden, 0, MEM_RELEASE);
}

#define THREADS 8

static DWORD WINAPI thread(void *argument)
{
	unsigned char *code = VirtualAlloc(NULL, PAGE, MEM_RESERVE | MEM_COMMIT,
	                                   PAGE_EXECUTE_READWRITE);
	int number = (int)(ULONG_PTR)argument;
	DWORD sum = 0;

	must(code != NULL, "VirtualAlloc");
	for (int i = 0; i < 500; i++) {
		code_write(code + i % 8 * 64, i + number);
		sum += code_run(code + i % 8 * 64);
	}
	VirtualFree(code, 0, MEM_RELEASE);
	return sum;
}

static void part_threads(void)
{
	HANDLE threads[THREADS];
	DWORD sum = 0;

	for (ULONG_PTR i = 0; i < THREADS; i++) {
		threads[i] = CreateThread(NULL, 0, thread, (void *)i, 0, NULL);
		must(threads[i] != NULL, "CreateThread");
	}
	WaitForMultipleObjects(THREADS, threads, TRUE, INFINITE);
	for (int i = 0; i < THREADS; i++) {
		DWORD one = 0;

		must(GetExitCodeThread(threads[i], &one), "GetExitCodeThread");
		CloseHandle(threads[i]);
		sum += one;
	}
	printf("threads: %lu\n", sum);
}

static void part_libraries(void)
{
	static const char *const names[] = {
		"advapi32", "bcrypt", "cabinet", "comctl32", "crypt32", "dbghelp", "gdi32",
		"hid", "imagehlp", "iphlpapi", "jscript", "mpr", "msvcrt", "msxml3", "netapi32",
		"ole32", "oleaut32", "powrprof", "psapi", "rpcrt4", "sechost", "setupapi",
		"shell32", "shlwapi", "ucrtbase", "user32", "userenv", "version", "winhttp",
		"wininet", "winmm", "ws2_32", "wtsapi32", "xmllite",
	};
	int loaded = 0;

	for (int round = 0; round < 2; round++) {
		HMODULE modules[sizeof names / sizeof *names];

		for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
			modules[i] = LoadLibraryA(names[i]);
			if (!modules[i])
				printf("no %s\n", names[i]);
			loaded += modules[i] != NULL;
		}
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			if (modules[i])
				FreeLibrary(modules[i]);
	}
	printf("libraries: %d\n", loaded);
}

static void part_child(void)
{
	char self[MAX_PATH], line[MAX_PATH + 32];
	STARTUPINFOA start = { .cb = sizeof start };
	PROCESS_INFORMATION process;
	DWORD status = 0;

	must(GetModuleFileNameA(NULL, self, sizeof self), "GetModuleFileName");
	snprintf(line, sizeof line, "\"%s\" rwx patch", self);
	fflush(stdout);
	must(CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &process),
	     "CreateProcess");
	WaitForSingleObject(process.hProcess, INFINITE);
	must(GetExitCodeProcess(process.hProcess, &status), "GetExitCodeProcess");
	printf("child: %lu\n", status);
}

/* Much code, run often. */
static void part_load(void)
{
	unsigned char *code = VirtualAlloc(NULL, 64 * PAGE, MEM_RESERVE | MEM_COMMIT,
	                                   PAGE_EXECUTE_READWRITE);
	unsigned sum = 0;

	must(code != NULL, "VirtualAlloc");
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 64 * PAGE; i += 16)
			code_write(code + i, round + i);
		for (int again = 0; again < 200; again++)
			for (int i = 0; i < 64 * PAGE; i += 16)
				sum += (unsigned)code_run(code + i);
	}
	printf("load: %u\n", sum);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} parts[] = {
		{ "rwx", part_rwx },
		{ "toggle", part_toggle },
		{ "views", part_views },
		{ "patch", part_patch },
		{ "violations", part_violations },
		{ "threads", part_threads },
		{ "libraries", part_libraries },
		{ "child", part_child },
		{ "load", part_load },
	};

	for (int i = 1; i < argc; i++)
		for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
			if (!strcmp(argv[i], parts[k].name)) {
				parts[k].run();
				fflush(stdout);
			}
	return 7;
}
