/* secure.c: prints 1 where the kernel takes this run for a privileged one
 * (AT_SECURE), 0 where not. Copies of it get bits and capabilities. */
#include <stdio.h>
#include <sys/auxv.h>

int main(void)
{
	printf("%d\n", getauxval(AT_SECURE) != 0);
	return 0;
}
