/* tcc-filter.c: for tcc -run: sorts the lines of its standard input, kept in
 * memory of the heap, through qsort() and a comparison of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(void)
{
	char line[1000];
	char **lines = NULL;
	size_t count = 0;

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		lines = realloc(lines, (count + 1) * sizeof(*lines));
		lines[count++] = strdup(line);
	}
	qsort(lines, count, sizeof(*lines), compare);
	for (size_t i = 0; i < count; i++) {
		puts(lines[i]);
		free(lines[i]);
	}
	free(lines);
	return 0;
}
