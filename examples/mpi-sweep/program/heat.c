/* Heat on a plate: Jacobi sweeps over rows that the ranks share. After some
 * sweeps of their own the ranks exchange rows with their neighbours and add up
 * how much has changed. */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { columns = 2048, rows = 1024 /* of a rank */, iterations = 10, sweeps = 6 };

int main(int argc, char **argv) {
  int rank, ranks;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  int up = rank > 0 ? rank - 1 : MPI_PROC_NULL;
  int down = rank < ranks - 1 ? rank + 1 : MPI_PROC_NULL;
  double *old = calloc((rows + 2) * columns, sizeof *old);
  double *new = calloc((rows + 2) * columns, sizeof *new);
  for (int c = 0; c < columns && rank == 0; c++)
    old[c] = new[c] = 100; /* the plate's upper edge is hot */

  double change = 0;
  for (int i = 0; i < iterations; i++) {
    MPI_Sendrecv(old + columns, columns, MPI_DOUBLE, up, 0, old + (rows + 1) * columns, columns, MPI_DOUBLE, down, 0,
                 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Sendrecv(old + rows * columns, columns, MPI_DOUBLE, down, 0, old, columns, MPI_DOUBLE, up, 0, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
    double mine = 0;
    for (int sweep = 0; sweep < sweeps; sweep++) {
      mine = 0;
      for (int r = 1; r <= rows; r++)
        for (int c = 1; c < columns - 1; c++) {
          int k = r * columns + c;
          new[k] = (old[k - 1] + old[k + 1] + old[k - columns] + old[k + columns]) / 4;
          mine += fabs(new[k] - old[k]);
        }
      double *swap = old;
      old = new;
      new = swap;
    }
    MPI_Allreduce(&mine, &change, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  }
  if (rank == 0)
    printf("%d ranks, %d iterations, change %.6f\n", ranks, iterations, change);
  MPI_Finalize();
  return 0;
}
