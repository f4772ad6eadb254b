#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int rank, size;
	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	int before = (rank + size - 1) % size, after = (rank + 1) % size;
	enum { N = 20000 };
	double *a = calloc(N * size, sizeof *a), *b = calloc(N * size, sizeof *b);
	MPI_Request r[4];
	/* eager and rendez-vous */
	for (int n = 10; n <= N; n *= 1000 / 5) {
		if (rank % 2 == 0 && after != 0 ) { MPI_Send(a, n, MPI_DOUBLE, after, 1, MPI_COMM_WORLD); MPI_Recv(b, n, MPI_DOUBLE, after, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE); }
		else if (rank % 2) { MPI_Recv(b, n, MPI_DOUBLE, before, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE); MPI_Send(a, n, MPI_DOUBLE, before, 2, MPI_COMM_WORLD); }
	}
	MPI_Irecv(b, N, MPI_DOUBLE, before, 3, MPI_COMM_WORLD, &r[0]);
	MPI_Isend(a, N, MPI_DOUBLE, after, 3, MPI_COMM_WORLD, &r[1]);
	MPI_Wait(&r[0], MPI_STATUS_IGNORE);
	MPI_Wait(&r[1], MPI_STATUS_IGNORE);
	MPI_Irecv(b, 100, MPI_INT, before, 4, MPI_COMM_WORLD, &r[0]);
	MPI_Irecv(b + 100, 100, MPI_CHAR, after, 5, MPI_COMM_WORLD, &r[1]);
	MPI_Isend(a, 100, MPI_INT, after, 4, MPI_COMM_WORLD, &r[2]);
	MPI_Isend(a, 100, MPI_CHAR, before, 5, MPI_COMM_WORLD, &r[3]);
	MPI_Waitall(4, r, MPI_STATUSES_IGNORE);
	MPI_Barrier(MPI_COMM_WORLD);
	MPI_Bcast(a, 1000, MPI_DOUBLE, size > 2 ? 2 : 0, MPI_COMM_WORLD);
	MPI_Reduce(a, b, 1000, MPI_DOUBLE, MPI_SUM, 1 % size, MPI_COMM_WORLD);
	MPI_Allreduce(a, b, 500, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
	MPI_Alltoall(a, 300, MPI_DOUBLE, b, 300, MPI_DOUBLE, MPI_COMM_WORLD);
	MPI_Gather(a, 200, MPI_DOUBLE, b, 200, MPI_DOUBLE, 0, MPI_COMM_WORLD);
	MPI_Allgather(a, 150, MPI_DOUBLE, b, 150, MPI_DOUBLE, MPI_COMM_WORLD);
	MPI_Finalize();
	return 0;
}
