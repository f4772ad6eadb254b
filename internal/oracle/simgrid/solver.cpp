// Solves random systems with SimGrid's max-min solver and prints the mean time
// of a solve and what each constraint carries:
//
//   time   MICROSECONDS
//   INDEX  USAGE
//
// Usage: solver CONSTRAINTS VARIABLES USES SEED REPETITIONS
//
// The library's package does not ship the solver's header; the functions used
// are declared here as the library exports them.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace simgrid::kernel {
namespace resource {
class Action;
class Resource;
} // namespace resource

namespace lmm {
class Variable;
class Constraint {
public:
  double get_usage() const;
};
class System {
public:
  static System* build(std::string_view solver, bool selective_update);
  Constraint* constraint_new(resource::Resource* id, double bound);
  Variable* variable_new(resource::Action* id, double penalty, double bound, size_t constraints);
  void expand(Constraint* constraint, Variable* variable, double weight, bool force_creation);
  void update_constraint_bound(Constraint* constraint, double bound);
  void solve();
};
} // namespace lmm
} // namespace simgrid::kernel

using namespace simgrid::kernel::lmm;

// The generator of random systems in oracle_test.go gives the same numbers.
static uint64_t state;
static double uniform()
{
  state = state * 6364136223846793005ULL + 1442695040888963407ULL;
  return static_cast<double>(state >> 11) / 9007199254740992.0;
}

int main(int argc, char** argv)
{
  if (argc != 6) {
    fprintf(stderr, "usage: solver CONSTRAINTS VARIABLES USES SEED REPETITIONS\n");
    return 2;
  }
  size_t constraints = atol(argv[1]), variables = atol(argv[2]), uses = atol(argv[3]);
  state         = atol(argv[4]);
  int repetitions = atoi(argv[5]);

  // Selective update is how SimGrid runs by default. It notes each variable's
  // action, of which it only touches a list hook: zeros stand for it.
  System* system = System::build("maxmin", true);
  std::vector<Constraint*> list;
  std::vector<double> bounds;
  for (size_t i = 0; i < constraints; i++) {
    bounds.push_back(uniform() * 10);
    list.push_back(system->constraint_new(nullptr, bounds.back()));
  }
  std::vector<size_t> seen(constraints, 0);
  for (size_t v = 0; v < variables; v++) {
    Variable* variable = system->variable_new(static_cast<simgrid::kernel::resource::Action*>(calloc(1, 1024)), 1, -1, uses);
    for (size_t u = 0; u < uses; u++) {
      size_t c;
      do
        c = static_cast<size_t>(uniform() * static_cast<double>(constraints));
      while (seen[c] == v + 1);
      seen[c] = v + 1;
      // Nothing merges, so the search for an earlier use is left out.
      system->expand(list[c], variable, uniform() * 3, true);
    }
  }
  auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < repetitions; i++) {
    system->update_constraint_bound(list[0], bounds[0]);
    system->solve();
  }
  std::chrono::duration<double, std::micro> elapsed = std::chrono::steady_clock::now() - before;
  printf("time\t%.3f\n", elapsed.count() / repetitions);
  for (size_t i = 0; i < constraints; i++)
    printf("%zu\t%.17g\n", i, list[i]->get_usage());
}
