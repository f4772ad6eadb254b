// Three MPI programs in one: a token's way around a ring, an all-reduce, and
// the number of prime numbers below a limit, which all ranks count together.
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void ring(int rank, int size) {
	long token = 0;
	MPI_Barrier(MPI_COMM_WORLD);
	double begin = MPI_Wtime();
	for (int round = 0; round < 10; round++) {
		if (rank == 0)
			MPI_Send(&token, 1, MPI_LONG, 1 % size, 0, MPI_COMM_WORLD);
		MPI_Recv(&token, 1, MPI_LONG, (rank + size - 1) % size, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
		token += rank;
		if (rank != 0)
			MPI_Send(&token, 1, MPI_LONG, (rank + 1) % size, 0, MPI_COMM_WORLD);
	}
	if (rank == 0)
		printf("ring: token %ld, %.1f ms a round\n", token, (MPI_Wtime() - begin) * 100);
}

static void reduce(int rank, int size) {
	enum { COUNT = 1 << 16 };
	double *mine = malloc(COUNT * sizeof *mine), *sum = malloc(COUNT * sizeof *sum);
	for (int i = 0; i < COUNT; i++)
		mine[i] = (double)rank * i;
	double begin = MPI_Wtime();
	MPI_Allreduce(mine, sum, COUNT, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
	double took = MPI_Wtime() - begin;
	int wrong = 0;
	for (int i = 0; i < COUNT; i++)
		wrong += sum[i] != (double)size * (size - 1) / 2 * i;
	int all = 0;
	MPI_Reduce(&wrong, &all, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
	if (rank == 0)
		printf("all-reduce: %d wrong, %.1f ms\n", all, took * 1000);
	free(mine);
	free(sum);
}

static void primes(int rank, int size) {
	enum { LIMIT = 200000 };
	long count = 0, all = 0;
	for (long n = 2 + rank; n < LIMIT; n += size) {
		long d = 2;
		while (d * d <= n && n % d)
			d++;
		count += d * d > n;
	}
	MPI_Reduce(&count, &all, 1, MPI_LONG, MPI_SUM, 0, MPI_COMM_WORLD);
	if (rank == 0)
		printf("primes: %ld below %d\n", all, LIMIT);
}

// together waits for a common instant: MPICH over UCX's TCP, as in Debian 12, hangs
// in MPI_Finalize, on real hosts too, if one rank gets there later than another's
// message.
static void together(void) {
	struct timespec now, next = {0};
	MPI_Barrier(MPI_COMM_WORLD);
	clock_gettime(CLOCK_REALTIME, &now);
	next.tv_sec = now.tv_sec + 1;
	clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &next, NULL);
}

int main(int argc, char **argv) {
	MPI_Init(&argc, &argv);
	int rank, size, length;
	char name[MPI_MAX_PROCESSOR_NAME];
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	MPI_Get_processor_name(name, &length);
	char names[64][MPI_MAX_PROCESSOR_NAME];
	MPI_Gather(name, sizeof name, MPI_CHAR, names, sizeof name, MPI_CHAR, 0, MPI_COMM_WORLD);
	if (rank == 0) {
		printf("%d ranks on", size);
		for (int i = 0; i < size; i++)
			printf(" %s", names[i]);
		printf("\n");
	}
	ring(rank, size);
	reduce(rank, size);
	primes(rank, size);
	together();
	MPI_Finalize();
}
