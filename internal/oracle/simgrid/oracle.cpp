// Plays a scenario (see package scenario) over a platform with SimGrid and
// prints, for each item, its state and dates with all their digits, fields
// separated by tabs:
//
//   INDEX  STATE  START  FINISH
//   INDEX  route  LATENCY  LINK...
//   end    CLOCK  SECONDS-OF-REAL-TIME  PEAK-KILOBYTES
//
// Usage: oracle PLATFORM SCENARIO [--light] [--cfg=...]
//
// Communications are between an actor on each host, so that a host that is
// turned off takes them along and rates hold. With --light they are started by
// a few actors for others, which is the fastest way that SimGrid has; rates and
// failures are then not to be used.
//
// With --describe instead of a scenario, it prints what the platform consists of:
//
//   host   NAME  CORES  PSTATE  SPEED...
//   disk   HOST  NAME  READ  WRITE
//   link   NAME  BANDWIDTH  LATENCY  POLICY

#include <simgrid/Exception.hpp>
#include <simgrid/s4u.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace s4u = simgrid::s4u;

namespace {

struct Item {
  std::string kind;
  std::vector<std::string> words;
  double start = 0;
  // Result.
  std::string state = "CANCEL";
  double began = 0, ended = -1;
  s4u::CommPtr comm;
  double latency = 0;
  std::vector<std::string> links;
};

std::vector<Item> items;

std::string unescape(const std::string& s)
{
  std::string out;
  for (size_t i = 0; i < s.size(); i++) {
    if (s[i] == '%' && i + 2 < s.size()) {
      out += static_cast<char>(std::stoi(s.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else
      out += s[i];
  }
  return out;
}

bool timed(const std::string& kind)
{
  return kind != "route" && kind != "hosts" && kind != "links" && kind != "wifi_rate";
}

void read(const char* file)
{
  std::ifstream in(file);
  if (not in) {
    std::cerr << "oracle: cannot read " << file << "\n";
    exit(2);
  }
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    Item item;
    if (not(words >> item.kind))
      continue;
    for (std::string w; words >> w;)
      item.words.push_back(unescape(w));
    if (timed(item.kind))
      item.start = std::stod(item.words[0]);
    items.push_back(std::move(item));
  }
}

void end(int i, const char* state)
{
  if (items[i].ended >= 0)
    return;
  items[i].state = state;
  items[i].ended = s4u::Engine::get_clock();
}

s4u::Host* host(const std::string& name)
{
  return s4u::Host::by_name(name);
}

// A function that runs as an actor and records what became of it.
template <class F> void act(int i, s4u::Host* where, const char* killed, F f)
{
  s4u::Actor::create("item", where, [i, killed, f] {
    s4u::this_actor::on_exit([i, killed](bool failed) {
      if (failed)
        end(i, killed);
    });
    try {
      f();
      end(i, "DONE");
    } catch (const simgrid::NetworkFailureException&) {
      end(i, "FAIL_NETWORK");
    } catch (const simgrid::CancelException&) {
      end(i, "FAIL_NETWORK");
    } catch (const simgrid::HostFailureException&) {
      end(i, "FAIL_HOST");
    } catch (const simgrid::StorageFailureException&) {
      end(i, "FAIL_STORAGE");
    }
  });
}

void start_comm(int i, bool light)
{
  const auto& w = items[i].words;
  auto* src = host(w[1]);
  auto* dst = host(w[2]);
  auto size = static_cast<uint64_t>(std::stod(w[3]));
  if (light) {
    items[i].comm = s4u::Comm::sendto_async(src, dst, size);
    return;
  }
  if (not src->is_on() || not dst->is_on()) {
    end(i, "FAIL_HOST");
    return;
  }
  double rate = w.size() > 4 ? std::stod(w[4]) : -1;
  auto* mailbox = s4u::Mailbox::by_name(std::to_string(i));
  act(i, dst, "FAIL_NETWORK", [mailbox] { mailbox->get<int>(); });
  act(i, src, "FAIL_NETWORK", [mailbox, size, rate] {
    static int payload;
    auto comm = mailbox->put_init(&payload, size);
    if (rate > 0)
      comm->set_rate(rate);
    comm->wait();
  });
}

void start(int i, bool light, s4u::Host* safe)
{
  items[i].began = s4u::Engine::get_clock();
  const auto& kind = items[i].kind;
  const auto& w = items[i].words;
  if (kind == "comm") {
    start_comm(i, light);
  } else if (kind == "exec") {
    auto* h = host(w[1]);
    if (not h->is_on()) {
      end(i, "FAIL_HOST");
      return;
    }
    double flops = std::stod(w[2]);
    int threads = w.size() > 3 ? std::stoi(w[3]) : 1;
    double bound = w.size() > 4 ? std::stod(w[4]) : -1;
    act(i, safe, "FAIL_HOST", [h, flops, threads, bound] {
      auto exec = s4u::Exec::init()->set_flops_amount(flops)->set_host(h);
      if (threads > 1)
        exec->set_thread_count(threads);
      if (bound > 0)
        exec->set_bound(bound);
      exec->wait();
    });
  } else if (kind == "io") {
    auto* h = host(w[1]);
    if (not h->is_on()) {
      end(i, "FAIL_STORAGE");
      return;
    }
    auto op = w[3] == "read" ? s4u::Io::OpType::READ : s4u::Io::OpType::WRITE;
    auto size = static_cast<sg_size_t>(std::stod(w[4]));
    s4u::Disk* disk = nullptr;
    for (auto* d : h->get_disks())
      if (d->get_name() == w[2])
        disk = d;
    act(i, safe, "FAIL_STORAGE", [disk, op, size] { disk->io_init(size, op)->wait(); });
  } else if (kind == "sleep") {
    auto* h = host(w[1]);
    if (not h->is_on()) {
      end(i, "FAIL_HOST");
      return;
    }
    double duration = std::stod(w[2]);
    act(i, h, "FAIL_HOST", [duration] { s4u::this_actor::sleep_for(duration); });
  } else {
    if (kind == "link_off")
      s4u::Link::by_name(w[1])->turn_off();
    else if (kind == "link_on")
      s4u::Link::by_name(w[1])->turn_on();
    else if (kind == "host_off")
      host(w[1])->turn_off();
    else if (kind == "host_on")
      host(w[1])->turn_on();
    else if (kind == "link_bw")
      s4u::Link::by_name(w[1])->set_bandwidth(std::stod(w[2]));
    else if (kind == "link_lat")
      s4u::Link::by_name(w[1])->set_latency(std::stod(w[2]));
    else if (kind == "pstate")
      host(w[1])->set_pstate(std::stoi(w[2]));
    end(i, "DONE");
  }
}

// Routes are those of the beginning.
void find_route(Item& item)
{
  std::vector<s4u::Link*> links;
  host(item.words[0])->route_to(host(item.words[1]), links, &item.latency);
  for (auto* l : links)
    item.links.push_back(l->get_name());
}

// The most memory that this process had. (The maximum of getrusage is inherited
// through fork and exec.)
long peak_kilobytes()
{
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (long value; word == "VmHWM:" && status >> value)
      return value;
  return 0;
}

// The host of the actor that starts everything: one that stays on.
s4u::Host* choose_safe(const s4u::Engine& e)
{
  std::set<std::string> off;
  for (const auto& item : items)
    if (item.kind == "host_off")
      off.insert(item.words[1]);
  for (auto* h : e.get_all_hosts())
    if (off.count(h->get_name()) == 0 && h->is_on())
      return h;
  return e.get_all_hosts().front();
}

// Plays a part of the items in the order of their starts.
void play(const std::vector<int>& order, size_t from, size_t to, bool light, s4u::Host* safe)
{
  for (size_t k = from; k < to; k++) {
    s4u::this_actor::sleep_until(items[order[k]].start);
    start(order[k], light, safe);
  }
  for (size_t k = from; k < to; k++)
    if (auto& item = items[order[k]]; item.comm) {
      item.comm->wait();
      item.state = "DONE";
      item.ended = item.comm->get_finish_time();
    }
}

const char* policy(const s4u::Link* l)
{
  switch (l->get_sharing_policy()) {
    case s4u::Link::SharingPolicy::FATPIPE:
      return "FATPIPE";
    case s4u::Link::SharingPolicy::WIFI:
      return "WIFI";
    default:
      return "SHARED";
  }
}

void describe(const s4u::Engine& e)
{
  for (const auto* h : e.get_all_hosts()) {
    printf("host\t%s\t%d\t%lu", h->get_cname(), h->get_core_count(), h->get_pstate());
    for (unsigned long i = 0; i < h->get_pstate_count(); i++)
      printf("\t%.17g", h->get_pstate_speed(i));
    printf("\n");
    for (const auto* d : h->get_disks())
      printf("disk\t%s\t%s\t%.17g\t%.17g\n", h->get_cname(), d->get_cname(), d->get_read_bandwidth(),
             d->get_write_bandwidth());
  }
  for (const auto* l : e.get_all_links())
    printf("link\t%s\t%.17g\t%.17g\t%s\n", l->get_cname(), l->get_bandwidth(), l->get_latency(), policy(l));
}

} // namespace

int main(int argc, char** argv)
{
  s4u::Engine e(&argc, argv);
  if (argc < 3) {
    std::cerr << "usage: oracle PLATFORM SCENARIO [--light] [--cfg=...]\n";
    return 2;
  }
  bool light = argc > 3 && strcmp(argv[3], "--light") == 0;
  // Actors of the platform's file do nothing.
  e.register_default([](int, char**) {});
  e.load_platform(argv[1]);
  if (strcmp(argv[2], "--describe") == 0) {
    e.seal_platform();
    describe(e);
    return 0;
  }
  read(argv[2]);

  std::vector<int> order;
  for (size_t i = 0; i < items.size(); i++) {
    if (timed(items[i].kind))
      order.push_back(static_cast<int>(i));
    else if (items[i].kind == "wifi_rate")
      s4u::Link::by_name(items[i].words[0])->set_host_wifi_rate(host(items[i].words[1]), std::stoi(items[i].words[2]));
  }
  std::stable_sort(order.begin(), order.end(), [](int a, int b) { return items[a].start < items[b].start; });
  auto* safe = choose_safe(e);
  // The platform is complete once the simulation runs.
  s4u::Actor::create("start", safe, [&order, light, safe] {
    for (auto& item : items)
      if (item.kind == "route")
        find_route(item);
    if (not light)
      play(order, 0, order.size(), light, safe);
  });
  // An actor keeps a list of its activities and searches it when one ends.
  constexpr size_t slice = 100;
  for (size_t from = 0; light && from < order.size(); from += slice)
    s4u::Actor::create("start", safe, [&order, from, safe] {
      play(order, from, std::min(from + slice, order.size()), true, safe);
    });
  auto before = std::chrono::steady_clock::now();
  e.run();
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - before;

  double clock = 0;
  for (size_t i = 0; i < items.size(); i++) {
    const auto& item = items[i];
    if (item.kind == "route") {
      printf("%zu\troute\t%.17g", i, item.latency);
      for (const auto& name : item.links)
        printf("\t%s", name.c_str());
      printf("\n");
    } else if (timed(item.kind)) {
      printf("%zu\t%s\t%.17g\t%.17g\n", i, item.state.c_str(), item.began, item.ended);
      clock = std::max(clock, item.ended);
    } else
      printf("%zu\tDONE\t0\t0\n", i);
  }
  printf("end\t%.17g\t%.6f\t%ld\n", clock, seconds.count(), peak_kilobytes());
}
