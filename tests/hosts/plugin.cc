// plugin.cc: a library in C++ for a host in C: exceptions must find their
// handlers, also one that a signal handler throws over the instruction that
// faulted. Built by the test with -fnon-call-exceptions.
#include <csignal>
#include <stdexcept>
#include <string>

namespace {

struct counted {
	explicit counted(int *at) : count(at) { ++*count; }
	~counted() { --*count; }
	int *count;
};

int alive;
int *volatile nowhere = reinterpret_cast<int *>(16);

int dive(int depth)
{
	counted here(&alive);

	if (depth == 0)
		throw std::runtime_error("bottom");
	return dive(depth - 1) + 1;
}

void on_fault(int)
{
	sigset_t segv;

	sigemptyset(&segv);
	sigaddset(&segv, SIGSEGV);
	sigprocmask(SIG_UNBLOCK, &segv, nullptr);
	throw std::string("fault");
}

}

extern "C" int throw_and_catch(int depth)
{
	try {
		dive(depth);
	} catch (const std::exception &) {
		return alive == 0 ? depth : -1;
	}
	return -2;
}

extern "C" int catch_fault()
{
	int caught = 0;

	std::signal(SIGSEGV, on_fault);
	for (int i = 0; i < 10; i++) {
		try {
			*const_cast<volatile int *>(nowhere) = 1;
		} catch (const std::string &) {
			caught++;
		}
	}
	std::signal(SIGSEGV, SIG_DFL);
	return caught;
}
