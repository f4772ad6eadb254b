// pinned -: intercepts nothing.
#include "launch.h"

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	pin(argv[3]);
	run(argv + 4);
}
