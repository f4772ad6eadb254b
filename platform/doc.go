// Package platform is the simulated world: hosts, links, zones and the routes
// between hosts, read from SimGrid's XML files, from the inline YAML of an
// experiment or from Shadow's GML graphs.
//
// A loaded [Platform] does not change. What a run changes (a link's bandwidth,
// a host's pstate) is kept by the models, in tables indexed by Host.Index and
// Link.Index.
//
// Routes are computed on demand, hop by hop through the tree of zones, exactly
// as SimGrid 3.32 does it: the same links in the same order, and latencies
// summed in the same order, so that floating-point results agree to the last
// digit.
//
//	Platform ── root Zone ── Zone (Full, Floyd, ...) ── hosts, routers
//	                     └── Zone (Star: a cluster)  ── hosts
//
// The package knows no network model and no Linux.
package platform
