/* hook/stream.c: what reads from a stream (hook/written.h). Rules: hook/hook.h.
 *
 * The kernel writes to the stream's buffer, which malloc may have put on a page
 * where code ends (tcc -run has its code so), and for large requests straight to
 * the host's memory. A stream gets its buffer on the first read: here a moment
 * earlier, where the process has code pages. Wide characters are left out. */
#include <features.h>

/* Or stdio.h gives scanf and its kin the names of those of C99 or C23, and getc_unlocked
 * and its kin bodies of their own. */
#undef __GLIBC_USE_DEPRECATED_SCANF
#define __GLIBC_USE_DEPRECATED_SCANF 1
#undef __USE_EXTERN_INLINES
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "hook.h"
#include "next.h"
#include "written.h"

#undef fread_unlocked /* a macro, for small requests */

size_t __fread_chk(void *restrict buffer, size_t room, size_t size, size_t count,
		   FILE *restrict stream);
size_t __fread_unlocked_chk(void *restrict buffer, size_t room, size_t size, size_t count,
			    FILE *restrict stream);
char *__fgets_chk(char *restrict buffer, size_t room, int length, FILE *restrict stream);
char *__fgets_unlocked_chk(char *restrict buffer, size_t room, int length, FILE *restrict stream);
int __uflow(FILE *stream);
int __underflow(FILE *stream);
int _IO_getc(FILE *stream);
int __isoc99_scanf(const char *restrict format, ...);
int __isoc99_fscanf(FILE *restrict stream, const char *restrict format, ...);
int __isoc99_vscanf(const char *restrict format, va_list arguments);
int __isoc99_vfscanf(FILE *restrict stream, const char *restrict format, va_list arguments);
/* glibc 2.38 and later. */
int __isoc23_scanf(const char *restrict format, ...);
int __isoc23_fscanf(FILE *restrict stream, const char *restrict format, ...);
int __isoc23_vscanf(const char *restrict format, va_list arguments);
int __isoc23_vfscanf(FILE *restrict stream, const char *restrict format, va_list arguments);
ssize_t __getdelim(char **restrict line, size_t *restrict length, int delimiter,
		   FILE *restrict stream);

static void give_buffer(FILE *stream)
{
	if (!next.doallocbuf)
		return;
	flockfile(stream);
	next.doallocbuf(stream);
	funlockfile(stream);
}

static void prepare_buffer(FILE *stream)
{
	struct iovec range;

	if (!stream->_IO_buf_base)
		give_buffer(stream);
	range.iov_base = stream->_IO_buf_base;
	range.iov_len = (size_t)(stream->_IO_buf_end - stream->_IO_buf_base);
	writes_prepare(&range, 1);
}

/* Before STREAM may be read from. */
static inline void before(FILE *stream)
{
	next_ensure_late();
	if (written_is_needed())
		prepare_buffer(stream);
}

/* Before one character is: most are there already. */
static inline void before_character(FILE *stream)
{
	if (stream->_IO_read_ptr >= stream->_IO_read_end)
		before(stream);
	else
		next_ensure_late();
}

/* ------------------------------------------------------------------ fread */

static void before_fread(void *buffer, size_t size, size_t count, FILE *stream)
{
	struct iovec range = { .iov_base = buffer };

	before(stream);
	if (__builtin_mul_overflow(size, count, &range.iov_len))
		range.iov_len = (size_t)-1;
	writes_prepare(&range, 1);
}

HOOK size_t fread(void *restrict buffer, size_t size, size_t count, FILE *restrict stream)
{
	before_fread(buffer, size, count, stream);
	return next.fread ? next.fread(buffer, size, count, stream) : 0;
}

HOOK_ALIAS(_IO_fread, fread);

HOOK size_t fread_unlocked(void *restrict buffer, size_t size, size_t count, FILE *restrict stream)
{
	before_fread(buffer, size, count, stream);
	return next.fread_unlocked ? next.fread_unlocked(buffer, size, count, stream) : 0;
}

HOOK size_t __fread_chk(void *restrict buffer, size_t room, size_t size, size_t count,
			FILE *restrict stream)
{
	before_fread(buffer, size, count, stream);
	return next.fread_chk ? next.fread_chk(buffer, room, size, count, stream) : 0;
}

HOOK size_t __fread_unlocked_chk(void *restrict buffer, size_t room, size_t size, size_t count,
				 FILE *restrict stream)
{
	before_fread(buffer, size, count, stream);
	return next.fread_unlocked_chk ?
		       next.fread_unlocked_chk(buffer, room, size, count, stream) : 0;
}

/* ------------------------------------------------------------------ lines */

HOOK char *fgets(char *restrict buffer, int length, FILE *restrict stream)
{
	before(stream);
	return next.fgets ? next.fgets(buffer, length, stream) : NULL;
}

HOOK_ALIAS(_IO_fgets, fgets);

HOOK char *fgets_unlocked(char *restrict buffer, int length, FILE *restrict stream)
{
	before(stream);
	return next.fgets_unlocked ? next.fgets_unlocked(buffer, length, stream) : NULL;
}

HOOK char *__fgets_chk(char *restrict buffer, size_t room, int length, FILE *restrict stream)
{
	before(stream);
	return next.fgets_chk ? next.fgets_chk(buffer, room, length, stream) : NULL;
}

HOOK char *__fgets_unlocked_chk(char *restrict buffer, size_t room, int length,
				FILE *restrict stream)
{
	before(stream);
	return next.fgets_unlocked_chk ? next.fgets_unlocked_chk(buffer, room, length, stream)
				       : NULL;
}

HOOK ssize_t getline(char **restrict line, size_t *restrict length, FILE *restrict stream)
{
	before(stream);
	return next.getline ? next.getline(line, length, stream) : -1;
}

HOOK ssize_t getdelim(char **restrict line, size_t *restrict length, int delimiter,
		      FILE *restrict stream)
{
	before(stream);
	return next.getdelim ? next.getdelim(line, length, delimiter, stream) : -1;
}

/* What getline is, inlined, in older headers. */
HOOK_ALIAS(__getdelim, getdelim);

/* ------------------------------------------------------------- characters */

HOOK int fgetc(FILE *stream)
{
	before_character(stream);
	return next.fgetc ? next.fgetc(stream) : EOF;
}

HOOK_ALIAS(getc, fgetc);
HOOK_ALIAS(_IO_getc, fgetc);

HOOK int getchar(void)
{
	return fgetc(stdin);
}

HOOK int getc_unlocked(FILE *stream)
{
	before_character(stream);
	return next.getc_unlocked ? next.getc_unlocked(stream) : EOF;
}

HOOK_ALIAS(fgetc_unlocked, getc_unlocked);

HOOK int getchar_unlocked(void)
{
	return getc_unlocked(stdin);
}

/* What the inlined ones call when the buffer is empty. */
HOOK int __uflow(FILE *stream)
{
	before(stream);
	return next.uflow ? next.uflow(stream) : EOF;
}

HOOK int __underflow(FILE *stream)
{
	before(stream);
	return next.underflow ? next.underflow(stream) : EOF;
}

/* ------------------------------------------------------------------ scanf */

HOOK int vfscanf(FILE *restrict stream, const char *restrict format, va_list arguments)
{
	before(stream);
	return next.vfscanf ? next.vfscanf(stream, format, arguments) : EOF;
}

HOOK_ALIAS(__vfscanf, vfscanf);

HOOK int vscanf(const char *restrict format, va_list arguments)
{
	return vfscanf(stdin, format, arguments);
}

HOOK int fscanf(FILE *restrict stream, const char *restrict format, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, format);
	result = vfscanf(stream, format, arguments);
	va_end(arguments);
	return result;
}

HOOK int scanf(const char *restrict format, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, format);
	result = vfscanf(stdin, format, arguments);
	va_end(arguments);
	return result;
}

/* What the four are by the standard: %a is a number. */
HOOK int __isoc99_vfscanf(FILE *restrict stream, const char *restrict format, va_list arguments)
{
	before(stream);
	return next.isoc99_vfscanf ? next.isoc99_vfscanf(stream, format, arguments) : EOF;
}

HOOK int __isoc99_vscanf(const char *restrict format, va_list arguments)
{
	return __isoc99_vfscanf(stdin, format, arguments);
}

HOOK int __isoc99_fscanf(FILE *restrict stream, const char *restrict format, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, format);
	result = __isoc99_vfscanf(stream, format, arguments);
	va_end(arguments);
	return result;
}

HOOK int __isoc99_scanf(const char *restrict format, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, format);
	result = __isoc99_vfscanf(stdin, format, arguments);
	va_end(arguments);
	return result;
}

/* And by that of C23, which programs of _GNU_SOURCE call as well: %i knows 0b. */
HOOK int __isoc23_vfscanf(FILE *restrict stream, const char *restrict format, va_list arguments)
{
	before(stream);
	return next.isoc23_vfscanf ? next.isoc23_vfscanf(stream, format, arguments) : EOF;
}

HOOK int __isoc23_vscanf(const char *restrict format, va_list arguments)
{
	return __isoc23_vfscanf(stdin, format, arguments);
}

HOOK int __isoc23_fscanf(FILE *restrict stream, const char *restrict format, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, format);
	result = __isoc23_vfscanf(stream, format, arguments);
	va_end(arguments);
	return result;
}

HOOK int __isoc23_scanf(const char *restrict format, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, format);
	result = __isoc23_vfscanf(stdin, format, arguments);
	va_end(arguments);
	return result;
}
