// Package experiment says what to run: it reads an experiment file in YAML, or
// SimGrid's pair of a platform and a deployment, and checks all of it before
// anything starts.
//
//	lab.yaml ──────────────────────┐
//	platform.xml, deployment.xml ──┼─> Experiment: platform, options, processes
//	a platform and one command ────┘
//
// An [Experiment] is complete and consistent: every process has a host of the
// platform, a name that no other process of its host has, and a program that
// exists. What is wrong is told in one error, a line for each fault, with file,
// line and column.
package experiment
