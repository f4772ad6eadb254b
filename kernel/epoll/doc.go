// Package epoll is epoll(7) of the emulated kernel, over any files that have a
// readiness and a queue.
//
// As in Linux, a file's notification puts its item at the end of the instance's
// ready list; Wait asks each item on the list what the file is really ready
// for, drops those that are not, and puts level-triggered items back at the
// end. What Wait does not come to keeps its place at the front, so that all
// items get their turn however few events are asked for.
//
// A Registry knows all items of all instances by file. Items vanish with their
// file: whoever releases a file calls Registry.Forget.
package epoll
