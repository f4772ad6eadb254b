// Package testguests holds programs that assert what Linux does, to be run
// natively and emulated with equal output.
//
//   - c/NAME.c are programs of one host. Each prints its assertions as lines (see
//     c/check.h), and golden/NAME.txt holds the transcript.
//   - script/ and go/ are the same in Python, Ruby, bash and static Go: what the
//     languages' own runtimes do.
//   - pairs/ are servers and clients, in C, Python and Ruby. pairs_test.go says
//     which are run against which; golden/NAME.server.txt and NAME.client.txt
//     hold what each prints.
//
// The native half (native_test.go) runs them on this machine's loopback and
// compares with the golden files: it shows that what they assert is what Linux
// does. The emulated half (emulated_test.go) runs the same programs under
// simterpose and compares with the same files.
//
// A new guest is a new file, and
//
//	go test ./internal/testguests -run Native -update
//
// which writes its golden file from the native run.
package testguests
