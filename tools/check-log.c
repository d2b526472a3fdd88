/* check-log.c: can the log be written where the user wants it? See check.h. */
#include <config.h>

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "output.h"
#include "settings.h"

static bool names_pid(const char *pattern)
{
	for (; *pattern; pattern++)
		if (*pattern == '%' && *++pattern == 'p')
			return true;
	return false;
}

static const char *why_not(int error, const char *path)
{
	struct stat file;

	if (error == EISDIR)
		return "is a directory";
	if (error == ENXIO && stat(path, &file) == 0 && S_ISFIFO(file.st_mode))
		return "is a FIFO that nobody reads";
	if (error == ENXIO)
		return "is a socket or a device that is not there";
	if (error == ENOENT)
		return "lies in a directory that does not exist";
	if (error == ENOTDIR)
		return "lies below something that is no directory";
	if (error == EACCES)
		return "cannot be written: permission denied";
	return strerror(error);
}

/* Which processes will write there is not known yet: only the directory can be
 * looked at, as it is for the program's own process. */
static int directory_error(char *path)
{
	char *slash = strrchr(path, '/');
	const char *directory = ".";
	struct stat file;

	if (slash && slash[1] == '\0')
		return EISDIR;
	if (slash == path)
		directory = "/";
	else if (slash) {
		*slash = '\0';
		directory = path;
	}
	if (stat(directory, &file) != 0)
		return errno;
	if (!S_ISDIR(file.st_mode))
		return ENOTDIR;
	return faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/* Opened as the library will open it, and made where it is not there yet: the
 * run begins right after this. */
static int file_error(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		      0666);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* Connected to as the library will do it. */
static int socket_error(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;

	if (fd < 0)
		return errno;
	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		error = errno;
	close(fd);
	return error;
}

static void check_socket(const char *option, const char *path)
{
	int error = socket_error(path);

	if (error)
		refuse(EXIT_REFUSED, "%s: nothing can be sent to %s: %s", option, path,
		       strerror(error));
}

void log_check(const char *option, const char *pattern, int pid)
{
	char path[PATH_MAX], parent[PATH_MAX];
	int error;

	if (strcmp(pattern, OUTPUT_TO_NOBODY) == 0)
		return;
	if (strcmp(pattern, OUTPUT_TO_SYSLOG) == 0) {
		check_socket(option, OUTPUT_SYSLOG_SOCKET);
		return;
	}
	if (strcmp(pattern, OUTPUT_TO_JOURNALD) == 0) {
		check_socket(option, OUTPUT_JOURNALD_SOCKET);
		return;
	}
	if (!settings_log_path(pattern, pid, path, sizeof path))
		refuse(EXIT_REFUSED, "%s: %.64s... is too long a name", option, pattern);
	if (names_pid(pattern))
		error = directory_error(strcpy(parent, path));
	else
		error = file_error(path);
	if (error)
		refuse(EXIT_REFUSED, "%s: %s %s", option, path, why_not(error, path));
}
